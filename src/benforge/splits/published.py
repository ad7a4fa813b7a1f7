"""The published splits, v1's three lists and v2's column, brought to an index."""

from __future__ import annotations

from typing import Literal, TypeGuard

import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.split import PARTS
from benforge.errors import InputError, MissingError
from benforge.published.lists import PublishedLists
from benforge.splits.rules import Parts

Edition = Literal["v1", "v2"]
EDITIONS: tuple[Edition, ...] = ("v1", "v2")

_V1_LISTS = dict(zip(PARTS, ("train", "val", "test"), strict=True))


def choose_edition(lists: PublishedLists, name: str) -> Edition:
    """Which published split is meant: the name ends in v1 or v2, or only one is at hand.

    Raises:
        InputError: both are at hand, and the name does not say.
        MissingError: none is at hand.
    """
    told = name.rpartition("-")[2]
    if _is_edition(told):
        return told
    there = [
        edition
        for edition, kind in (("v1", "train"), ("v2", "v2"))
        if lists.has(kind) and _is_edition(edition)
    ]
    if not there:
        raise MissingError(
            "no published split is at hand",
            do="Name the folder of train.csv, val.csv, test.csv or of metadata.parquet: --lists",
        )
    if len(there) > 1:
        raise InputError("the lists hold two splits", do="Say which: --name v1 or --name v2")
    return there[0]


def _is_edition(name: str) -> TypeGuard[Edition]:
    return name in EDITIONS


def published_parts(index: pa.Table, lists: PublishedLists, edition: Edition) -> Parts:
    """The published part of each row of an index, None where the lists do not name it.

    Args:
        index: with `patch_id` and `v1_name`, as an archive's index or the published.
        lists: those at hand.
        edition: "v1", by v1 name; "v2", by the patch id of v2, or else by the v1 name.

    Raises:
        MissingError: a list is not at hand.
        InputError: a list is damaged, or names a patch in two parts.
    """
    if edition == "v1":
        return _array(_pick(*_v1(lists), index["v1_name"]))
    table = lists.v2()
    by_id = _pick(table["patch_id"], table["split"], index["patch_id"])
    by_name = _pick(table["s2v1_name"], table["split"], index["v1_name"])
    return _array(pc.coalesce(by_id, by_name))


def _v1(lists: PublishedLists) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    names = {part: lists.names(kind) for part, kind in _V1_LISTS.items()}
    parts = [pa.repeat(pa.scalar(part), len(found)) for part, found in names.items()]
    return pa.chunked_array(names.values()), pa.chunked_array(parts)


def _pick(names: pa.ChunkedArray, parts: pa.ChunkedArray, wanted: pa.ChunkedArray) -> pa.Array:
    names = names.cast(pa.string())
    if pc.count_distinct(names).as_py() < len(names):
        raise InputError(
            "the published lists name a patch twice", do="Copy them anew from where they came"
        )
    places = pc.index_in(wanted.cast(pa.string()), names.combine_chunks(), skip_nulls=True)
    return parts.cast(pa.string()).combine_chunks().take(places.combine_chunks())


def _array(parts: pa.Array) -> Parts:
    found: Parts = parts.to_numpy(zero_copy_only=False)
    return found
