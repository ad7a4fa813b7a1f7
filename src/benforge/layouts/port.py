"""The port of a published layout: what an importer and an exporter are told and tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from benforge.archive.archive import Archive
from benforge.archive.executors import Workers
from benforge.archive.storage import StorageRecipe
from benforge.core.progress import Progress
from benforge.core.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How to import.

    Args:
        storage: how the archive stores pixels.
        metadata: folder of the published lists (names, splits, quality, metadata.parquet), where
            they lie apart from the pixels; None looks into the folder and beside it.
        skip_bad: leave patches out that cannot be read, and list them in the summary, instead of
            stopping at the first.
        workers: processes that read and write scenes, None takes every core; or the address of a
            dask scheduler.
    """

    storage: StorageRecipe = field(default_factory=StorageRecipe)
    metadata: Path | None = None
    skip_bad: bool = False
    workers: Workers = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """How to export.

    Args:
        split: the export tells the part of each patch, as the layout does, and holds only the
            patches that the split names; None exports all.
        compression: of GeoTIFFs: "none" as published, "deflate" takes about half the room.
        count_up: where two patches would get one v1 name, add a second to the time of one until
            they differ, as the published archive did (fidelity 4); else refuse.
        workers: processes that write; None takes every core.
    """

    split: Split | None = None
    compression: Literal["none", "deflate"] = "none"
    count_up: bool = False
    workers: int | None = None


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that was left out because it is bad.

    Args:
        patch: its name in the layout.
        reason: one line that says what is wrong, and where.
    """

    patch: str
    reason: str


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did.

    Args:
        new_scenes: scenes of this import.
        new_patches: their patches.
        held_scenes: scenes that were there already, from the same input.
        scenes: scenes in the whole archive.
        patches: patches in the whole archive.
        flags: names of the quality marks that came along.
        splits: names of the splits that came along.
        skipped: patches left out because they are bad.
        seconds: how long it took.
    """

    new_scenes: int
    new_patches: int
    held_scenes: int
    scenes: int
    patches: int
    flags: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    seconds: float


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an export did.

    Args:
        new_patches: patches of this export.
        held_patches: patches that were there already.
        notes: what the layout could not take along, a sentence each.
        seconds: how long it took.
    """

    new_patches: int
    held_patches: int
    notes: tuple[str, ...] = ()
    seconds: float


class Importer(Protocol):
    """Makes an archive from a folder in a published layout."""

    def __call__(
        self, source: Path, out: Path, options: ImportOptions, progress: Progress
    ) -> ImportSummary:
        """Import `source` into the archive `out`."""
        ...


class Exporter(Protocol):
    """Writes an archive in a published layout."""

    def __call__(
        self, archive: Archive, out: Path, options: ExportOptions, progress: Progress
    ) -> ExportSummary:
        """Export `archive` into the folder `out`."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """A published layout; `benforge.testing.layouts.LayoutContract` says what it must keep.

    Args:
        name: as on the command line, "v1".
        about: what its folder looks like, for messages.
        detect: whether a path is in this layout, told from names and first bytes alone.
        exporter: from an archive to the layout.
        importer: from the layout to an archive; None for layouts that are only written.
        options: those of `ExportOptions` that not every layout takes, and this one does.
    """

    name: str
    about: str
    detect: Callable[[Path], bool]
    exporter: Exporter
    importer: Importer | None = None
    options: frozenset[str] = frozenset()
