"""benforge: build, check, explore and learn from BigEarthNet archives of Sentinel-2 patches.

`import benforge as ben` imports nothing else: each name brings its library when it is first used.
docs/python.md tells them all.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benforge.core.identity import PatchId
    from benforge.core.nomenclature import Nomenclature
    from benforge.core.patch import Patch
    from benforge.core.predictions import Predictions
    from benforge.core.split import Split
    from benforge.errors import BenError
    from benforge.face.archive import Archive, open  # noqa: A004
    from benforge.face.asking import embed, map, search  # noqa: A004
    from benforge.face.learning import (
        compare,
        evaluate,
        predict,
        read_predictions,
        split,
        train,
        write_predictions,
    )
    from benforge.face.making import build, check, export, import_, sample, simulate

__version__ = version("benforge")

__all__ = [
    "sample",
    "import_",
    "open",
    "split",
    "Split",
    "Archive",
    "Patch",
    "PatchId",
    "Nomenclature",
    "simulate",
    "build",
    "check",
    "export",
    "train",
    "predict",
    "Predictions",
    "evaluate",
    "compare",
    "write_predictions",
    "read_predictions",
    "map",
    "embed",
    "search",
    "BenError",
]
"""In the order in which they are used, which is that of docs/python.md."""

_HOMES = {
    "face.making": ("sample", "import_", "simulate", "build", "check", "export"),
    "face.archive": ("open", "Archive"),
    "face.learning": (
        "split",
        "train",
        "predict",
        "evaluate",
        "compare",
        "write_predictions",
        "read_predictions",
    ),
    "face.asking": ("map", "embed", "search"),
    "core.patch": ("Patch",),
    "core.identity": ("PatchId",),
    "core.nomenclature": ("Nomenclature",),
    "core.split": ("Split",),
    "core.predictions": ("Predictions",),
    "errors": ("BenError",),
}


def __getattr__(name: str) -> Any:
    """A public name, from its home (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(f"benforge.{home}"), name)
            return found
    raise AttributeError(f"module 'benforge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
