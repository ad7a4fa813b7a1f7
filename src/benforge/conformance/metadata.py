"""The published lists as evidence: each table made once, in the order of the published index."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.conformance.blocks import Blocks
from benforge.conformance.names import NameTimes
from benforge.core.bigearthnet import TILE_PATCHES
from benforge.core.split import PARTS
from benforge.published.index import read_index
from benforge.published.lists import NAME_LISTS, PublishedLists, file_name
from benforge.splits.leakage import LeakageMap, find_leakage

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

LISTED_SEASONS = {"winter": "Winter", "spring": "Spring", "summer": "Summer", "autumn": "Fall"}
"""Ours to those of the published list."""


@dataclass(frozen=True, eq=False)
class Metadata:
    """The published lists, and the index that our rules make of them.

    Columns named after the index's rows hold one value a published v1 patch, in its order.

    Args:
        lists: those at hand.
    """

    lists: PublishedLists

    def lacking(self, needs: Sequence[str]) -> str:
        """The first file that is needed and not at hand; other words are never at hand."""
        missing = (kind for kind in needs if not self.lists.has(kind))
        return next((kind if " " in kind else file_name(kind) for kind in missing), "")

    def read_ahead(self) -> None:
        """Read the large lists at once, as many at a time as there are cores."""
        with ThreadPoolExecutor() as pool:
            reading: list[Future[object]] = [
                pool.submit(getattr, self, name)
                for kind, name in _LARGE.items()
                if self.lists.has(kind)
            ]
            reading.append(pool.submit(getattr, self, "listed_names"))
        for one in reading:
            one.result()

    @cached_property
    def index(self) -> pa.Table:
        """The index, made by our rules."""
        return read_index(self.lists, self.v2 if self.lists.has("v2") else None)

    @cached_property
    def names(self) -> pa.Array:
        """The v1 name of each row."""
        return self.index["v1_name"].combine_chunks()

    @cached_property
    def times(self) -> NameTimes:
        """The time in the name of each row beside that of its product."""
        return NameTimes.of(self.names, self.index["product"])

    @cached_property
    def blocks(self) -> Blocks:
        """The 2 x 2 blocks of v1's split."""
        tile = codes(self.index["tile"])
        column, row = (np.asarray(self.index[name], np.int64) for name in ("column", "row"))
        part = np.full(len(tile), -1)
        for number, named in enumerate(self.split.values()):
            part[named] = number
        used, excused = self.unflagged, self.flags["no_19_class"]
        return Blocks.of(tile[used], column[used], row[used], part[used], excused[used])

    @cached_property
    def v1_leaks(self) -> LeakageMap:
        """What v1's split shares between its parts."""
        parts = np.full(len(self.names), None, object)
        for part, named in self.split.items():
            parts[named] = part
        return find_leakage(self.index, pa.chunked_array([pa.array(parts, pa.string())]), "v1")

    @cached_property
    def listed(self) -> pa.Table:
        """Country, season and Sentinel-1 name as published."""
        return self.lists.countries_and_seasons()

    @cached_property
    def listed_rows(self) -> Ints:
        """The row of `listed` of each row of the index; -1 where it has none."""
        return positions(self.names, self.listed["v1_name"])

    @cached_property
    def v2(self) -> pa.Table:
        """The metadata of v2, in its own order."""
        return self.lists.v2()

    @cached_property
    def geometry(self) -> pa.Table:
        """The published corners, in their own order."""
        return self.lists.geometry()

    @cached_property
    def flags(self) -> dict[str, Mask]:
        """Row: whether it stands in the list of snow, of cloud or shadow, of no label."""
        kinds = ("seasonal_snow", "cloud_or_shadow", "no_19_class")
        return {kind: self.named(kind) for kind in kinds if self.lists.has(kind)}

    @cached_property
    def unflagged(self) -> Mask:
        """Row: neither snow nor cloud or shadow."""
        found: Mask = ~(self.flags["seasonal_snow"] | self.flags["cloud_or_shadow"])
        return found

    @cached_property
    def split(self) -> dict[str, Mask]:
        """Part of v1's split to row: whether its list names it."""
        return {
            part: self.named(kind)
            for part, kind in zip(PARTS, ("train", "val", "test"), strict=True)
        }

    @cached_property
    def v2_rows(self) -> Ints:
        """The row of the index of each row of `v2`; -1 where the index has no such patch."""
        return positions(self.v2["s2v1_name"], self.names)

    @cached_property
    def in_v2(self) -> Mask:
        """Row: whether v2 has it."""
        found = np.zeros(len(self.names), np.bool_)
        found[self.v2_rows[self.v2_rows >= 0]] = True
        return found

    @cached_property
    def footprint(self) -> Ints:
        """Row: a number that rows of the same tile, column and row share."""
        tile = codes(self.index["tile"])
        column, row = (np.asarray(self.index[name], np.int64) for name in ("column", "row"))
        return (tile * TILE_PATCHES + row) * TILE_PATCHES + column

    @cached_property
    def listed_names(self) -> dict[str, pa.Array]:
        """The names of each list of names that is at hand."""
        return {kind: self.lists.names(kind) for kind in NAME_LISTS if self.lists.has(kind)}

    def named(self, kind: str) -> Mask:
        """Row: whether a list names it."""
        return np.asarray(pc.is_in(self.names, self.listed_names[kind]), np.bool_)

    def texts(self, column: str) -> Texts:
        """A column of the index as Python texts."""
        return texts(self.index[column])


_LARGE = {
    "countries_and_seasons": "listed",
    "products": "index",
    "v2": "v2",
    "geometry": "geometry",
}


def texts(column: pa.ChunkedArray) -> Texts:
    """A column as Python texts, None for null; equal texts are one object."""
    coded = column.combine_chunks()
    if not pa.types.is_dictionary(coded.type):
        coded = coded.dictionary_encode()
    known = np.array([*coded.dictionary.to_pylist(), None], object)
    found: Texts = known[np.asarray(coded.indices.fill_null(-1), np.int64)]
    return found


def codes(column: pa.ChunkedArray) -> Ints:
    """A number for each text of a column, equal for equal texts."""
    plain = column.cast(pa.string()).combine_chunks().dictionary_encode()
    return np.asarray(plain.indices, np.int64)


def positions(wanted: pa.ChunkedArray | pa.Array, among: pa.ChunkedArray | pa.Array) -> Ints:
    """Where each of `wanted` stands in `among`, -1 where it does not."""
    places = pc.index_in(wanted.cast(pa.string()), among.cast(pa.string()), skip_nulls=True)
    return np.asarray(places.fill_null(-1), np.int64)


def lengths(lists: pa.ChunkedArray) -> Ints:
    """Entries of each list; 0 for none."""
    return np.asarray(pc.list_value_length(lists).fill_null(0), np.int64)
