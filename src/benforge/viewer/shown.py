"""What the viewer answers in pictures and files of the page."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from benforge.viewer import pictures
from benforge.viewer.answers import Refused
from benforge.viewer.assets import load_assets
from benforge.viewer.catalogue import Catalogue
from benforge.viewer.query import parse_number

MOST_IN_SHEET = 100
MOST_COLUMNS = 20

_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">'
    b'<path fill="#3c7d4f" d="M0 0h2v2H0z"/><path fill="#d8b25c" d="M2 0h2v2H2z"/>'
    b'<path fill="#7fb2d9" d="M0 2h2v2H0z"/><path fill="#e9eef2" d="M2 2h2v2H2z"/></svg>'
)


class Shown:
    """Pictures, which a browser keeps and asks about again.

    It must ask, because the archive at an address may be another one tomorrow.

    Args:
        catalogue: whose patches are shown.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.archive = catalogue.archive
        self._run = secrets.token_bytes(8)

    def icon(self, request: Request) -> Response:
        """Four patches."""
        return Response(_ICON, media_type="image/svg+xml")

    def asset(self, request: Request) -> Response:
        """A file of the page."""
        found = load_assets().get(request.path_params["name"])
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(found.body, media_type=found.media_type)

    def sheet(self, request: Request) -> Response:
        """Many patches as one JPEG."""
        asked = request.query_params
        words = asked.get("i", "").split(",")
        if len(words) > MOST_IN_SHEET:
            raise Refused(400, f"a sheet holds at most {MOST_IN_SHEET} patches")
        rows = [parse_number("i", word, 0, len(self.archive) - 1) for word in words]
        columns = parse_number("columns", asked.get("columns", "8"), 1, MOST_COLUMNS)
        look = _look(request)
        return self._kept(
            request, "image/jpeg", lambda: pictures.sheet(self.archive, rows, *look, columns)
        )

    def picture(self, request: Request) -> Response:
        """One patch, lossless."""
        row: int = request.path_params["i"]
        if row >= len(self.archive):
            raise Refused(404, f"there is no patch {row}")
        look = _look(request)
        return self._kept(request, "image/png", lambda: pictures.png(self.archive, row, *look))

    def _kept(self, request: Request, media_type: str, draw: Callable[[], bytes]) -> Response:
        """The picture, or the word that the browser's own is still good."""
        text = self._run + str(request.url).encode()
        tag = f'"{hashlib.blake2b(text, digest_size=12).hexdigest()}"'
        headers = {"etag": tag, "cache-control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(draw(), media_type=media_type, headers=headers)


def _look(request: Request) -> tuple[str, str]:
    """View and stretch."""
    asked = request.query_params
    return asked.get("view", "true"), asked.get("stretch", "percentile")
