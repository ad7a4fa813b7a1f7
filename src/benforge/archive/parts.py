"""The patches of a part of a split, as an archive."""

from __future__ import annotations

from typing import TypeVar

import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split

A = TypeVar("A", bound=Archive)


def choose_part(archive: A, split: str, part: str) -> A:
    """The archive with those of its patches that a split has in a part, in the same order.

    Args:
        archive: opened; may be filtered before.
        split: name of one of its splits.
        part: "train", "validation" or "test".

    Raises:
        MissingError: the archive has no such split; names those it has.
        InputError: a split has no such part.
    """
    wanted = read_split(archive.root, split).part(part)
    return archive.filter(pc.field("patch_id").isin(wanted.combine_chunks()))
