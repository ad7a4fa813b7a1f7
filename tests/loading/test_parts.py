"""The parts of a split stand where they are in the index, whichever order the split was made in."""

from __future__ import annotations

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.core.split import PARTS, Split
from benforge.errors import InputError
from benforge.loading.parts import find_parts


def drawn(archive: Archive) -> np.ndarray:
    """A part of each patch, or None."""
    return np.random.default_rng(1).choice(np.array([*PARTS, None], object), len(archive))


def test_parts_stand_where_they_are_in_the_index(imported_sample: Archive) -> None:
    parts = drawn(imported_sample)
    mixed = np.random.default_rng(2).permutation(len(parts))
    ids = imported_sample.index["patch_id"].take(mixed)
    found = find_parts(imported_sample, Split.of("s", "by-hand", ids, parts[mixed]), PARTS)
    for part in PARTS:
        assert found[part].tolist() == np.flatnonzero(parts == part).tolist()


def test_what_cannot_be_found_is_told(imported_sample: Archive) -> None:
    ids, parts = imported_sample.index["patch_id"], drawn(imported_sample)
    parts[parts == "validation"] = "train"
    parts[61] = "test"
    split = Split.of("s", "by-hand", ids, parts)
    with pytest.raises(InputError, match="the split s has no patch in validation"):
        find_parts(imported_sample, split, ["validation"])
    with pytest.raises(InputError, match="a split has no part 'dev'"):
        find_parts(imported_sample, split, ["dev"])
    few = imported_sample.filter(np.arange(66) != 61)
    line = f"1 patches of the split s are not in the archive, such as {ids[61].as_py()}"
    with pytest.raises(InputError, match=line):
        find_parts(few, split, ["test"])
