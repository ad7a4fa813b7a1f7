"""Where the patches of a split's parts stand in the index of an archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.core.split import Split
from benforge.errors import InputError
from benforge.loading.order import Positions


def find_parts(archive: Archive, split: Split, parts: Sequence[str]) -> Mapping[str, Positions]:
    """Part to the positions of its patches, in the order of the index.

    Raises:
        InputError: a part has no patch, or one that the archive does not hold.
    """
    given = split.assign(archive.index["patch_id"])
    return {part: _find(archive, given, split, part) for part in parts}


def _find(archive: Archive, given: pa.ChunkedArray, split: Split, part: str) -> Positions:
    wanted = split.part(part)
    if not len(wanted):
        raise InputError(
            f"the split {split.name} has no patch in {part}",
            where=archive.root,
            do="Make another with ben split",
        )
    found = np.flatnonzero(pc.equal(given, part).fill_null(False))
    if len(found) < len(wanted):
        ids = archive.index["patch_id"].cast(pa.string())
        lost = wanted.filter(pc.invert(pc.is_in(wanted, ids)))
        raise InputError(
            f"{len(lost):,} patches of the split {split.name} are not in the archive, "
            f"such as {lost[0].as_py()}",
            where=archive.root,
            do="Make the split again with ben split",
        )
    return found
