from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from benforge.quality.proposals import confidence, propose
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.screening import SCHEMA

SHARES = st.floats(0, 1, width=32)


@given(SHARES, SHARES, st.floats(0.01, 1))
def test_confidence_grows_with_the_distance_from_the_least_share(one, other, least):
    found = confidence(np.array([one, other], np.float32), least)
    assert ((found >= 0.5) & (found <= 1)).all()
    if (one >= np.float32(least)) == (other >= np.float32(least)):
        nearer = abs(one - np.float32(least)) <= abs(other - np.float32(least))
        assert found[0] <= found[1] if nearer else found[0] >= found[1]


def test_confidence_at_its_ends():
    found = confidence(np.array([0, 0.5, 1], np.float32), 0.5)
    assert found.tolist() == [1, 0.5, 1]
    assert confidence(np.array([1], np.float32), 1.0).tolist() == [0.5]


def test_flags_are_proposed_from_their_least_share_on():
    shares = np.array(
        [[0.8, 0, 0, 0], [0.79, 0.2, 0, 0], [0, 0.3, 0.2, 0], [0, 0.3, 0.19, 0.5]], np.float32
    )
    recipe = ScreenRecipe(minimum_snow=0.8, minimum_cloud=0.5)
    table = propose(pa.array(list("abcd")), shares, "bands", recipe)
    assert table.schema.equals(SCHEMA)
    assert table["seasonal_snow"].to_pylist() == [True, False, False, False]
    assert table["cloud_or_shadow"].to_pylist() == [False, False, True, False]
    assert set(table["source"].to_pylist()) == {"bands"}
