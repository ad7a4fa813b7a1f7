"""Published lists of quality and splits, brought along as an archive's flags and splits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.index import read_rows
from benforge.archive.layout import INDEX
from benforge.archive.sidecars import PUBLISHED, write_flags, write_split
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.split import Split
from benforge.published.lists import PublishedLists

PUBLISHED_V2 = "published-v2"
"""Name of v2's split, where it is brought to patches of v1."""

_V1_PARTS = {"train": "train", "val": "validation", "test": "test"}
_FLAGS_SOURCE = "the published lists of BigEarthNet"


def bring_lists(out: Path, lists: PublishedLists) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write what the lists say of an archive's patches as its flags and splits.

    Lists that name none of its patches are passed over; nothing is written for them. What an
    earlier import brought is written anew, because the archive may have grown.

    Args:
        out: the archive's folder.
        lists: what was found; may be empty.

    Returns:
        The names of the flags and of the splits written.

    Raises:
        BenError: a list is damaged.
        StorageError: the disk is full.
    """
    if not lists:
        return (), ()
    rows = read_rows(out / INDEX).select(["patch_id", "v1_name"]).combine_chunks()
    flags = _flags(lists, rows)
    splits = [split for split in (_v1_split(lists, rows), _split_of_v2(lists, rows)) if split]
    for one in flags:
        write_flags(out, one, replace=True)
    named = {split.name: split for split in reversed(splits)}
    for split in named.values():
        write_split(out, split, replace=True)
    return tuple(one.name for one in flags), tuple(sorted(named))


def _flags(lists: PublishedLists, rows: pa.Table) -> list[Flags]:
    """The flags of the v1 lists where there are any, else those in v2's metadata."""
    if lists.has(SEASONAL_SNOW) or lists.has(CLOUD_OR_SHADOW):
        marks = {
            flag: np.asarray(pc.is_in(rows["v1_name"], lists.names(flag)))
            for flag in (SEASONAL_SNOW, CLOUD_OR_SHADOW)
            if lists.has(flag)
        }
        named = rows["v1_name"].is_valid()
        if pc.any(named).as_py():
            return [_published_flags(rows.filter(named), marks, np.asarray(named))]
    if lists.has("v2"):
        return _v2_flags(lists.v2(), rows)
    return []


def _published_flags(rows: pa.Table, marks: dict[str, np.ndarray], named: np.ndarray) -> Flags:
    chosen = {flag: hit[named] for flag, hit in marks.items()}
    return Flags.of(PUBLISHED, _FLAGS_SOURCE, rows["patch_id"], chosen)


def _v2_flags(v2: pa.Table, rows: pa.Table) -> list[Flags]:
    for ours, theirs in (("patch_id", "patch_id"), ("v1_name", "s2v1_name")):
        places = pc.index_in(rows[ours].combine_chunks(), v2[theirs].combine_chunks())
        known = np.asarray(places.is_valid())
        if known.any():
            marks = {
                flag: np.asarray(v2[column].take(places.drop_null()).fill_null(False))
                for flag, column in (
                    (SEASONAL_SNOW, "contains_seasonal_snow"),
                    (CLOUD_OR_SHADOW, "contains_cloud_or_shadow"),
                )
            }
            return [Flags.of(PUBLISHED, _FLAGS_SOURCE, rows["patch_id"].filter(known), marks)]
    return []


def _v1_split(lists: PublishedLists, rows: pa.Table) -> Split | None:
    found = [kind for kind in _V1_PARTS if lists.has(kind)]
    if not found:
        return None
    parts = pa.nulls(len(rows), pa.string())
    for kind in found:
        hit = pc.is_in(rows["v1_name"].combine_chunks(), lists.names(kind))
        parts = pc.if_else(hit, _V1_PARTS[kind], parts)
    return _split(PUBLISHED, rows, parts)


def _split_of_v2(lists: PublishedLists, rows: pa.Table) -> Split | None:
    """V2's split: of its own patches, else of v1's by the v1 names that v2 tells."""
    if not lists.has("v2"):
        return None
    v2 = lists.v2()
    own = _v2_split(PUBLISHED, rows, "patch_id", v2, "patch_id")
    return own or _v2_split(PUBLISHED_V2, rows, "v1_name", v2, "s2v1_name")


def _v2_split(name: str, rows: pa.Table, ours: str, v2: pa.Table, theirs: str) -> Split | None:
    places = pc.index_in(rows[ours].combine_chunks(), v2[theirs].combine_chunks())
    return _split(name, rows, v2["split"].combine_chunks().take(places))


def _split(name: str, rows: pa.Table, parts: pa.Array) -> Split | None:
    if parts.null_count == len(parts):
        return None
    return Split.of(name, "published", rows["patch_id"], parts)
