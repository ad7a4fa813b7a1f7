from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.errors import InputError

IDS = pa.array(["c", "a", "b", "d"])
FLAGS = Flags.of(
    "published",
    "a list",
    IDS,
    {
        SEASONAL_SNOW: np.array([True, False, False, False]),
        CLOUD_OR_SHADOW: np.array([False, False, True, False]),
    },
)


def test_rows_are_sorted_and_flags_named():
    assert FLAGS.table["patch_id"].to_pylist() == ["a", "b", "c", "d"]
    assert FLAGS.flags == (SEASONAL_SNOW, CLOUD_OR_SHADOW)


def test_marked_tells_any_or_some_and_passes_strangers_over():
    ids = pa.chunked_array([["c", "x"], ["b", "a"]])
    assert FLAGS.marked(ids).tolist() == [True, False, True, False]
    assert FLAGS.marked(ids, [SEASONAL_SNOW]).tolist() == [True, False, False, False]
    assert not FLAGS.marked(ids, ["haze"]).any()


def test_a_patch_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        Flags.of("x", "y", pa.array(["a", "a"]), {"haze": np.array([True, False])})
