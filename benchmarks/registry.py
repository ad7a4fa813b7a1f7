"""Which benchmarks there are: every module of this folder with `run(size)` and `report(size)`.

Others, which need another machine, bring what they found with `python -m benchmarks.record`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

FOLDER = Path(__file__).parent
TITLES = {
    "build": "Build",
    "correction": "Atmospheric correction",
    "labels": "Land-cover shares",
    "codecs": "Codecs",
    "reads": "Reading patches",
    "cold": "Reading patches that are not in memory",
    "object_storage": "Object storage",
    "layouts": "Published layout v1",
    "loader": "Batches ready for a model",
    "gpu": "On a GPU",
    "index": "The index of 590,326 patches",
    "scale": "Scale",
    "screening": "Screening",
    "training": "Training",
    "mapping": "Maps",
    "search": "Search",
    "viewer": "The viewer's server",
    "viewer_page": "The viewer's page",
}
"""In the page's order; a benchmark without a title here comes last, under its name."""


class Benchmark(Protocol):
    """What a module of this folder offers."""

    SIZES: dict[str, Any]

    def run(self, size: str) -> dict[str, Any]:
        """What was measured."""
        ...

    def report(self, size: str) -> str:
        """The same as Markdown tables and notes."""
        ...


def names() -> list[str]:
    """Those that are here, in the page's order; nothing is imported."""
    here = {p.stem for p in FOLDER.glob("*.py") if "\ndef report(size: str" in p.read_text("utf-8")}
    return in_order(here)


def in_order(some: Iterable[str]) -> list[str]:
    """Names in the page's order."""
    known = list(TITLES)
    return sorted(some, key=lambda name: (known.index(name) if name in known else 99, name))


def title(name: str) -> str:
    """Its heading on the page."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def find(name: str) -> Benchmark:
    """Its module."""
    module: Any = importlib.import_module(f"benchmarks.{name}")
    return module
