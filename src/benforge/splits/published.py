"""The published splits, v1's three lists and v2's column, brought to an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.split import PARTS
from benforge.errors import InputError, MissingError, errors_at
from benforge.published.lists import PublishedLists, file_name
from benforge.splits.rules import Parts

Edition = Literal["v1", "v2"]
EDITIONS: tuple[Edition, ...] = ("v1", "v2")

_V1_LISTS = dict(zip(PARTS, ("train", "val", "test"), strict=True))
_LISTS: Mapping[Edition, Sequence[str]] = {"v1": tuple(_V1_LISTS.values()), "v2": ("v2",)}


def choose_edition(lists: PublishedLists, name: str, *, option: str = "--lists") -> Edition:
    """Which published split is meant: the name ends in v1 or v2, or only one is at hand.

    Args:
        lists: those at hand.
        name: of the split.
        option: which names the folder of the lists, to be named in errors.

    Raises:
        InputError: both are at hand, and the name does not say.
        MissingError: none is at hand, or a list of the one that is meant is not.
    """
    there = [edition for edition in EDITIONS if lists.has(_LISTS[edition][0])]
    told = named_edition(name)
    if told is None and len(there) > 1:
        advice = "Say which: --name v1 or --name v2"
        raise InputError("the lists hold two splits", where=_folder(lists), do=advice)
    if not told and not there:
        raise _missing("no published split is there", lists, option)
    edition = told or there[0]
    lacking = [file_name(kind) for kind in _LISTS[edition] if not lists.has(kind)]
    if lacking:
        raise _missing(f"the split of {edition} lacks {', '.join(lacking)}", lists, option)
    return edition


def _missing(what: str, lists: PublishedLists, option: str) -> MissingError:
    files = "train.csv, val.csv and test.csv (v1) or metadata.parquet (v2)"
    return MissingError(
        what, where=_folder(lists), do=f"Name the folder that holds {files}: {option}"
    )


def named_edition(name: str) -> Edition | None:
    """The edition in which a split's name ends, as in "my-v2"."""
    told = name.rpartition("-")[2]
    return next((edition for edition in EDITIONS if edition == told), None)


def _folder(lists: PublishedLists) -> str:
    """Where the lists lie; empty where none is at hand."""
    return str(next((path.parent for path in lists.files.values()), ""))


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
    with errors_at(_folder(lists)):
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
