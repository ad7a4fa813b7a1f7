"""The published layouts that archives are made from and written to, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from benforge.archive.archive import Archive
from benforge.archive.storage import StorageRecipe
from benforge.archive.v1_export import ExportSummary, export_v1
from benforge.archive.v1_import import ImportSummary, import_v1
from benforge.archive.v1_read import is_v1
from benforge.core.progress import Progress, silent
from benforge.errors import InputError, MissingError


class Importer(Protocol):
    """Makes an archive from a folder in a published layout."""

    def __call__(
        self, source: Path, out: Path, storage: StorageRecipe | None, progress: Progress
    ) -> ImportSummary:
        """Import `source` into the archive `out`."""
        ...


class Exporter(Protocol):
    """Writes an archive in a published layout."""

    def __call__(self, archive: Archive, out: Path, progress: Progress) -> ExportSummary:
        """Export `archive` into the folder `out`."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """A published layout; `benforge.testing.layouts.LayoutContract` says what it must keep.

    Args:
        name: as on the command line, "v1".
        about: what its folder looks like, for messages.
        detect: whether a folder is in this layout, told from names alone.
        importer: from the layout to an archive.
        exporter: from an archive to the layout.
    """

    name: str
    about: str
    detect: Callable[[Path], bool]
    importer: Importer
    exporter: Exporter


LAYOUTS: Mapping[str, Layout] = {
    "v1": Layout(
        name="v1",
        about="BigEarthNet v1: folders such as S2A_MSIL2A_20170613T101031_26_57 with _B01.tif "
        "to _B12.tif and _labels_metadata.json",
        detect=is_v1,
        importer=import_v1,
        exporter=export_v1,
    ),
}


def load_layout(name: str) -> Layout:
    """The layout of this name.

    Raises:
        InputError: there is none.
    """
    if name not in LAYOUTS:
        raise InputError(f"no layout is called {name!r}", do=f"Use {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def detect_layout(path: Path) -> Layout:
    """The layout that a folder is in.

    Raises:
        MissingError: there is no such folder.
        InputError: the folder is in no layout known.
    """
    if not path.is_dir():
        raise MissingError("there is no such folder", where=path, do="Unpack the archive first")
    for layout in LAYOUTS.values():
        if layout.detect(path):
            return layout
    expected = "; ".join(layout.about for layout in LAYOUTS.values())
    raise InputError("not a published layout", where=path, do=f"Expected {expected}")


def import_layout(
    source: Path,
    out: Path,
    layout: str | None = None,
    storage: StorageRecipe | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make an archive from a folder in a published layout.

    Args:
        source: the folder.
        out: the archive's folder.
        layout: which layout; told from the folder where None.
        storage: how pixels are stored.
        progress: told what is being done.

    Returns:
        The fields of the layout's `ImportSummary`.

    Raises:
        BenError: an unknown layout, or whatever is wrong with the input.
    """
    found = load_layout(layout) if layout else detect_layout(source)
    return _fields(found.importer(source, out, storage, progress))


def export_layout(
    archive: Archive, out: Path, layout: str, progress: Progress = silent
) -> dict[str, Any]:
    """Write an archive in a published layout.

    Returns:
        The fields of the layout's `ExportSummary`.

    Raises:
        BenError: an unknown layout, or an archive that the layout cannot hold.
    """
    return _fields(load_layout(layout).exporter(archive, out, progress))


def _fields(summary: ImportSummary | ExportSummary) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(summary)
    return fields
