"""Patches that are alike, from an index of `ben embed`."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from benforge.errors import InputError
from benforge.retrieval.index import SearchIndex, open_index
from benforge.retrieval.search import Query, search
from benforge.viewer.catalogue import Catalogue

MOST_ALIKE = 48
"""Patches that are found at a time, at most."""


class SimilarFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is told of an index: what made its vectors, of how many of these patches."""

    model: str
    metric: str
    patches: int


class Alike(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that was found.

    Args:
        i: its row number; None where the archive does not hold it.
        id: its patch id.
        distance: to the query; 0 is alike.
        labels: of it, names.
        shared: labels that the query has too.
        tile: MGRS tile.
        date: day of acquisition, ISO 8601.
    """

    i: int | None
    id: str
    distance: float
    labels: list[str]
    shared: list[str]
    tile: str
    date: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest patches of one, nearest first.

    Args:
        i: row of the patch that was asked about.
        metric: "cosine" or "euclidean".
        model: what made the vectors.
        rows: those found.
    """

    i: int
    metric: str
    model: str
    rows: list[Alike]


class Similar:
    """An index beside the archive that it was made of.

    Args:
        index: opened.
        catalogue: of the archive.

    Raises:
        InputError: the index is of another archive.
    """

    def __init__(self, index: SearchIndex, catalogue: Catalogue) -> None:
        self.index, self.catalogue = index, catalogue
        held = pc.is_in(index.patches["patch_id"].cast(pa.string()), catalogue.patch_ids)
        self.held = int(pc.sum(held).as_py() or 0)
        if not self.held:
            raise InputError(
                f"the index is of another archive, {index.facts.archive}: this one holds none of "
                "its patches",
                where=index.root,
                do="Make one of this archive: ben embed RUN ARCHIVE --out INDEX",
            )

    @classmethod
    def open(cls, root: Path, catalogue: Catalogue) -> Similar:
        """The index in a folder.

        Raises:
            MissingError: there is no such folder, or it is no index.
            InputError: it is damaged, or of another archive.
        """
        return cls(open_index(root), catalogue)

    def told(self) -> SimilarFact:
        """What the page is told."""
        facts = self.index.facts
        return SimilarFact(model=facts.model, metric=facts.metric, patches=self.held)

    def find(self, row: int, k: int) -> Found:
        """The `k` patches that are most like the one of a row.

        Raises:
            InputError: the index does not hold it.
        """
        patch = self.catalogue.patch_ids[row].as_py()
        found = search(self.index, Query(patch=patch, k=k))
        named = pa.array([one.patch for one in found.results], pa.string())
        places = pc.index_in(named, self.catalogue.patch_ids).to_pylist()
        rows = [
            Alike(
                i=place,
                id=one.patch,
                distance=one.distance,
                labels=one.labels,
                shared=one.shared,
                tile=one.tile,
                date=one.date.isoformat(),
            )
            for place, one in zip(places, found.results, strict=True)
        ]
        return Found(i=row, metric=found.metric, model=self.index.facts.model, rows=rows)
