"""What is described: the rows of an archive, or of the published lists alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.layout import FLAGS
from benforge.archive.sidecars import read_flags, sidecar_names
from benforge.core.bigearthnet import EDGE
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.core.nomenclature import Nomenclature, load_nomenclature
from benforge.errors import ArchiveError, MissingError
from benforge.published.index import read_index
from benforge.published.lists import PublishedLists, find_lists
from benforge.statistics.histograms import Histograms


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """Patches to be counted and drawn.

    Args:
        name: how titles call them.
        rows: one row a patch, columns as in `benforge.core.record.SCHEMA` as far as they are
            known; labels are null where a patch has none published.
        nomenclature: of the labels.
        simulated: whether any of it was simulated; every title says so.
        edge: metres along a patch.
        archive: where the pixels are; None for lists alone.
        flagged: flag to how many patches carry it.
        histograms: of the pixels, once they are counted.
        remark: what a reader of any count of labels must know.
    """

    name: str
    rows: pa.Table
    nomenclature: Nomenclature
    simulated: bool = False
    edge: float = EDGE
    archive: Archive | None = None
    flagged: Mapping[str, int] = field(default_factory=dict)
    histograms: Histograms | None = None
    remark: str = ""

    def title(self, what: str) -> str:
        """A title: what is shown, and of what."""
        return f"{what} · {self.name}{', simulated' if self.simulated else ''}"

    def note(self, text: str) -> str:
        """A note under a count of labels."""
        return f"{text} {self.remark}".strip()


def open_described(archive: Path | None, metadata: Path | None) -> Described:
    """The archive in a folder, or the published lists in one.

    Raises:
        MissingError: there is no such folder, or it holds no lists.
        ArchiveError: the archive is damaged or holds no patch.
    """
    if archive is not None:
        return describe_archive_rows(Archive.open(archive))
    if metadata is None or not (lists := find_lists(metadata)):
        raise MissingError(
            "no published list is there", where=metadata or "", do="Check the folder"
        )
    return describe_published(lists)


def describe_archive_rows(archive: Archive) -> Described:
    """An archive, to be described.

    Args:
        archive: it, or what `filter` left of it.

    Raises:
        ArchiveError: it holds no patch, or its flags or pixels are damaged.
    """
    if not len(archive):
        raise ArchiveError(
            "the archive holds no patch", where=archive.root, do="Nothing is there to describe"
        )
    first = archive.record(0)
    return Described(
        name=archive.root.resolve().name,
        rows=archive.index,
        nomenclature=archive.meta.nomenclature,
        simulated=archive.meta.simulated,
        edge=_edge(archive, first.scene, first.column, first.row),
        archive=archive,
        flagged=_flagged(archive),
    )


def describe_published(lists: PublishedLists) -> Described:
    """The published archive, described by its lists alone: no pixel is needed.

    Raises:
        MissingError: the list that tells each patch's product is not there.
        InputError: a list is damaged.
    """
    rows = read_index(lists)
    marks = {SEASONAL_SNOW: rows["snow"], CLOUD_OR_SHADOW: rows["cloud"]}
    return Described(
        name="BigEarthNet, published lists",
        rows=rows,
        nomenclature=load_nomenclature("ben-19"),
        flagged={flag: int(pc.sum(of).as_py()) for flag, of in marks.items() if not of.null_count},
        remark="Labels are those of v2, in 19 classes; patches that v2 left out have none.",
    )


def _edge(archive: Archive, scene: str, column: int, row: int) -> float:
    size, pixels = next(iter(archive.pixels.read(scene, column, row).items()))
    return float(size * pixels.shape[-1])


def _flagged(archive: Archive) -> dict[str, int]:
    """How many of its patches carry each flag, over all files of flags."""
    ids = archive.index["patch_id"]
    files = [read_flags(archive.root, name) for name in sidecar_names(archive.root, FLAGS)]
    names = sorted({flag for file in files for flag in file.flags})
    marks = {name: [file.marked(ids, (name,)) for file in files] for name in names}
    return {name: int(np.any(found, axis=0).sum()) for name, found in marks.items()}
