"""The files of the page: a fixed list, so that no name from a request becomes a path."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

PAGE = "index.html"
_LEAFLET = ("leaflet.js", "leaflet.css")
_IMAGES = ("layers.png", "layers-2x.png", "marker-icon.png", "marker-icon-2x.png")
_SHADOW = "marker-shadow.png"
COUNTRIES = "countries.json"
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent.

    Args:
        body: its bytes.
        media_type: "text/css".
    """

    body: bytes
    media_type: str


@cache
def load_assets() -> dict[str, Asset]:
    """Name to file: what lies in `viewer/page`, Leaflet, and the outlines of countries."""
    page = {entry.name: entry for entry in _page().iterdir() if entry.name != PAGE}
    return {name: Asset(source.read_bytes(), _type(name)) for name, source in _others(page).items()}


def _others(page: dict[str, Traversable]) -> dict[str, Traversable]:
    leaflet = files("xstatic.pkg.leaflet") / "data"
    found = {name: leaflet / name for name in _LEAFLET}
    found |= {f"images/{name}": leaflet / "images" / name for name in (*_IMAGES, _SHADOW)}
    found[COUNTRIES] = files("benforge.labels") / "countries-110m.json"
    shown = (".js", ".css", ".svg")
    return found | {name: entry for name, entry in page.items() if name.endswith(shown)}


def read_page() -> str:
    """The page, a template."""
    return (_page() / PAGE).read_text(encoding="utf-8")


def _page() -> Traversable:
    return files("benforge.viewer") / "page"


def _type(name: str) -> str:
    suffix = name[name.rindex(".") :]
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
