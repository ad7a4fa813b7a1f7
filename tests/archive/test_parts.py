from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benforge.archive.archive import Archive
from benforge.archive.parts import choose_part
from benforge.archive.sidecars import write_split
from benforge.core.split import Split
from benforge.errors import InputError, MissingError


def test_the_patches_of_a_part_in_the_order_of_the_index(imported_sample: Archive) -> None:
    ids = imported_sample.index["patch_id"].cast(pa.string())
    parts = np.resize(np.array(["test", "train", None], object), len(ids))
    write_split(imported_sample.root, Split.of("thirds", "by-hand", ids, parts))
    wanted = [one for one, part in zip(ids.to_pylist(), parts, strict=True) if part == "test"]
    assert choose_part(imported_sample, "thirds", "test").index["patch_id"].to_pylist() == wanted
    first = imported_sample.filter(pc.field("patch_id").isin(pa.array(wanted[:3])))
    assert choose_part(first, "thirds", "test").index["patch_id"].to_pylist() == wanted[:3]
    assert len(choose_part(first, "thirds", "train")) == 0
    with pytest.raises(InputError, match="a split has no part 'val'"):
        choose_part(imported_sample, "thirds", "val")
    with pytest.raises(MissingError):
        choose_part(imported_sample, "fourths", "test")
