"""What is described: the rows of an archive, or of the published lists alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
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
from benforge.errors import ArchiveError, InputError, MissingError
from benforge.published.index import read_index
from benforge.published.lists import PublishedLists, file_name, find_lists
from benforge.statistics.counts import has_some
from benforge.statistics.histograms import Histograms


class Countries(StrEnum):
    """Where the countries of patches come from, in a few words."""

    BY_RULE = "countries by benforge's rule"
    LISTED = "countries as published"
    OF_V2 = "countries as v2 publishes them"


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
        edition: of BigEarthNet, "v1"; empty where the name says what it is.
        labels_of: edition that the labels come from, if it is another one.
        countries: where the patches' countries come from.
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
    edition: str = ""
    labels_of: str = ""
    countries: Countries = Countries.BY_RULE

    @property
    def labelled(self) -> int:
        """How many patches have a label."""
        return int(has_some(self.rows["labels"]).sum())

    @property
    def all_patches(self) -> str:
        """How many patches there are, in words: "590,326 patches of v1"."""
        return patches_in_words(len(self.rows)) + (f" of {self.edition}" if self.edition else "")

    @property
    def labelled_patches(self) -> str:
        """How many of them have a label, in words; all of them if all have."""
        if self.labels_of:
            return f"{patches_in_words(self.labelled)} labelled in {self.labels_of}"
        if self.labelled == len(self.rows):
            return self.all_patches
        return f"{self.labelled:,} labelled of {self.all_patches}"

    def title(self, what: str, of: str = "", how: str = "") -> str:
        """A title: what is shown, and of what.

        Args:
            what: is shown.
            of: which patches, in words; all of them if left out.
            how: what must be known at first sight.
        """
        words = (of or self.all_patches, how, "simulated" if self.simulated else "")
        return f"{what} · {self.name} · {', '.join(word for word in words if word)}"

    def note(self, text: str) -> str:
        """A note under a count of labels."""
        without = len(self.rows) - self.labelled
        words = f"Without labels: {patches_in_words(without)}, in no count or share of labels."
        return " ".join(part for part in (text, self.remark, words if without else "") if part)


def patches_in_words(count: int) -> str:
    """So many patches, with what stands behind a number."""
    return f"{count:,} patch{'' if count == 1 else 'es'}"


def open_described(archive: Path | None, metadata: Path | None) -> Described:
    """The archive in a folder, or the published lists in one.

    Raises:
        MissingError: there is no such folder, or it lacks the list of products.
        ArchiveError: the archive is damaged or holds no patch.
        InputError: a list is damaged, or neither is named.
    """
    if archive is not None:
        return describe_archive_rows(Archive.open(archive))
    if metadata is None:
        raise InputError("nothing to describe", do="Name an archive or a folder of lists")
    lists = find_lists(metadata)
    if not lists.has("products"):
        raise MissingError(
            f"the published list {file_name('products')} is not there, or there is no such folder",
            where=metadata,
            do="Name the folder that holds it: --metadata",
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
            "the archive holds no patch",
            where=archive.root,
            do="Build or import patches into it, or name another archive",
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
        countries=_countries_of(archive),
    )


def describe_published(lists: PublishedLists) -> Described:
    """The published archive, described by its lists alone: no pixel is needed.

    Countries are the published ones where their list is at hand, else those of our rule; seasons
    follow from the date, for 438 of the published ones do not (fidelity rule 16).

    Raises:
        MissingError: the list that tells each patch's product is not there.
        InputError: a list is damaged.
    """
    rows = read_index(lists)
    listed = lists.has("countries_and_seasons")
    marks = {SEASONAL_SNOW: rows["snow"], CLOUD_OR_SHADOW: rows["cloud"]}
    return Described(
        name="BigEarthNet, published lists",
        rows=_with_countries(rows, lists) if listed else rows,
        nomenclature=load_nomenclature("ben-19"),
        flagged={flag: int(pc.sum(of).as_py()) for flag, of in marks.items() if not of.null_count},
        remark="Labels are those of v2, in 19 classes; patches that v2 left out have none.",
        edition="v1",
        labels_of="v2",
        countries=Countries.LISTED if listed else Countries.BY_RULE,
    )


def _with_countries(rows: pa.Table, lists: PublishedLists) -> pa.Table:
    """The rows with the published countries, null where the list does not name a patch."""
    told = lists.countries_and_seasons()
    places = pc.index_in(rows["v1_name"], told["v1_name"].combine_chunks())
    place = rows.column_names.index("country")
    return rows.set_column(place, "country", told["country"].cast(pa.string()).take(places))


def _countries_of(archive: Archive) -> Countries:
    """Of all layouts only v2 brings countries along."""
    imported = archive.meta.recipe.get("imported")
    return Countries.OF_V2 if imported == "v2" else Countries.BY_RULE


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
