"""Published lists of quality and splits, brought along as an archive's flags and splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.index import read_rows
from benforge.archive.layout import INDEX
from benforge.archive.sidecars import PUBLISHED, write_flags, write_split
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.split import PARTS, Split
from benforge.errors import InputError, MissingError
from benforge.published.lists import PublishedLists, find_lists

PUBLISHED_V2 = "published-v2"
"""Name of v2's split, where it is brought to patches of v1."""

_V1_PARTS = {"train": "train", "val": "validation", "test": "test"}
_V2_FLAGS = {SEASONAL_SNOW: "contains_seasonal_snow", CLOUD_OR_SHADOW: "contains_cloud_or_shadow"}
_V2_COLUMNS = ["patch_id", "s2v1_name", "split", *_V2_FLAGS.values()]
_FLAGS_SOURCE = "the published lists of BigEarthNet"


@dataclass(frozen=True, slots=True, eq=False)
class ImportLists:
    """Published flags and splits, read and checked.

    Args:
        marks: flag to the v1 names that have it, of v1's lists.
        parts: part to its v1 names, of v1's lists.
        v2: names, split and flags of v2's metadata; None without it.
    """

    marks: Mapping[str, pa.Array]
    parts: Mapping[str, pa.Array]
    v2: pa.Table | None


def find_import_lists(
    named: Path | None, *beside: Path, option: str = "--metadata"
) -> PublishedLists:
    """The lists in the folder that the user named, else those that lie beside the pixels.

    Args:
        named: the folder; None where the user named none.
        beside: other folders to look into then.
        option: with which the user names it.

    Raises:
        MissingError: the folder that was named is not there, or holds no published list.
    """
    if named is None:
        return find_lists(*beside)
    if not named.is_dir():
        raise MissingError(
            "there is no such folder", where=named, do=f"Name the folder of the lists: {option}"
        )
    lists = find_lists(named)
    if not lists:
        raise MissingError(
            "holds no published list", where=named, do=f"Name the folder that does: {option}"
        )
    return lists


def read_import_lists(lists: PublishedLists) -> ImportLists:
    """Read the lists that become flags and splits, before anything is written.

    Raises:
        InputError: a list is damaged, a patch stands in two parts of a split, or v2's metadata
            name a part that is none.
    """
    parts = {part: lists.names(kind) for kind, part in _V1_PARTS.items() if lists.has(kind)}
    _check_disjoint(lists, parts)
    marks = {flag: lists.names(flag) for flag in _V2_FLAGS if lists.has(flag)}
    v2 = lists.v2().select(_V2_COLUMNS).combine_chunks() if lists.has("v2") else None
    if v2 is not None:
        _check_parts(lists, v2)
    return ImportLists(marks, parts, v2)


def _check_disjoint(lists: PublishedLists, parts: Mapping[str, pa.Array]) -> None:
    kinds = [kind for kind, part in _V1_PARTS.items() if part in parts]
    for i, kind in enumerate(kinds):
        for other in kinds[:i]:
            names = parts[_V1_PARTS[kind]]
            both = names.filter(pc.is_in(names, parts[_V1_PARTS[other]]))
            if len(both):
                raise InputError(
                    f"{both[0]} stands in {lists.files[other].name} too",
                    where=lists.files[kind],
                    do="A patch is of one part; copy the lists anew",
                )


def _check_parts(lists: PublishedLists, v2: pa.Table) -> None:
    known = pc.is_in(v2["split"], pa.array([*PARTS, None], pa.string()))
    if pc.all(known).as_py() is False:
        stranger = v2.filter(pc.invert(known)).slice(0, 1).to_pylist()[0]
        raise InputError(
            f"{stranger['patch_id']} is of the part {stranger['split']!r}",
            where=lists.files.get("v2_unflagged", lists.files.get("v2_flagged", "")),
            do=f"The column split holds {', '.join(PARTS)} or nothing",
        )


def write_import_lists(out: Path, lists: ImportLists) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write what the lists say of an archive's patches as its flags and splits.

    Lists that name none of its patches are passed over; nothing is written for them. What an
    earlier import brought is written anew, because the archive may have grown.

    Args:
        out: the archive's folder.
        lists: what was found.

    Returns:
        The names of the flags and of the splits written.

    Raises:
        ArchiveError: the index is damaged.
        StorageError: the disk is full.
    """
    rows = read_rows(out / INDEX).select(["patch_id", "v1_name"]).combine_chunks()
    flags = make_flags(lists, rows)
    if flags:
        write_flags(out, flags, replace=True)
    splits = {s.name: s for s in (_split_of_v2(lists, rows), _v1_split(lists, rows)) if s}
    for split in splits.values():
        write_split(out, split, replace=True)
    return (flags.name,) if flags else (), tuple(sorted(splits))


def make_flags(lists: ImportLists, rows: pa.Table, name: str = PUBLISHED) -> Flags | None:
    """What the lists mark, of v1's lists, else of v2's metadata; None where they name no patch.

    Args:
        lists: what was found; names in `marks` may be patch ids too.
        rows: of the index, at least `patch_id` and `v1_name`.
        name: of the flags.
    """
    return _v1_flags(lists, rows, name) or _v2_flags(lists, rows, name)


def _v1_flags(lists: ImportLists, rows: pa.Table, name: str) -> Flags | None:
    """The flags of v1's lists, of the patches that have a v1 name or that they name by their id."""
    marks = {
        flag: np.asarray(pc.or_(pc.is_in(rows["v1_name"], one), pc.is_in(rows["patch_id"], one)))
        for flag, one in lists.marks.items()
    }
    known = np.asarray(rows["v1_name"].is_valid())
    for marked in marks.values():
        known = known | marked
    if not marks or not known.any():
        return None
    told = {flag: marked[known] for flag, marked in marks.items()}
    return Flags.of(name, _FLAGS_SOURCE, rows["patch_id"].filter(pa.array(known)), told)


def _v2_flags(lists: ImportLists, rows: pa.Table, name: str) -> Flags | None:
    """The flags in v2's metadata, of the patches that it names by their id, else by v1 name."""
    for ours, theirs in (("patch_id", "patch_id"), ("v1_name", "s2v1_name")):
        places = _places(lists, rows, ours, theirs)
        if lists.v2 is not None and places.null_count < len(places):
            known, told = places.is_valid(), lists.v2.take(places.drop_null())
            marks = {f: np.asarray(told[c].fill_null(False)) for f, c in _V2_FLAGS.items()}
            return Flags.of(name, _FLAGS_SOURCE, rows["patch_id"].filter(known), marks)
    return None


def _v1_split(lists: ImportLists, rows: pa.Table) -> Split | None:
    parts = pa.nulls(len(rows), pa.string())
    for part, names in lists.parts.items():
        parts = pc.if_else(pc.is_in(rows["v1_name"].combine_chunks(), names), part, parts)
    return _split(PUBLISHED, rows, parts)


def _split_of_v2(lists: ImportLists, rows: pa.Table) -> Split | None:
    """V2's split: of its own patches, else of v1's by the v1 names that v2 tells."""
    own = _v2_split(PUBLISHED, lists, rows, "patch_id", "patch_id")
    return own or _v2_split(PUBLISHED_V2, lists, rows, "v1_name", "s2v1_name")


def _v2_split(
    name: str, lists: ImportLists, rows: pa.Table, ours: str, theirs: str
) -> Split | None:
    if lists.v2 is None:
        return None
    parts = lists.v2["split"].combine_chunks()
    return _split(name, rows, parts.take(_places(lists, rows, ours, theirs)))


def _places(lists: ImportLists, rows: pa.Table, ours: str, theirs: str) -> pa.Array:
    """The row in v2's metadata of each patch; null where it has none, or no name."""
    if lists.v2 is None:
        return pa.nulls(len(rows), pa.int32())
    column, known = (t[c].combine_chunks() for t, c in ((rows, ours), (lists.v2, theirs)))
    return pc.index_in(column, known, skip_nulls=True)


def _split(name: str, rows: pa.Table, parts: pa.Array) -> Split | None:
    if parts.null_count == len(parts):
        return None
    return Split.of(name, "published", rows["patch_id"], parts)
