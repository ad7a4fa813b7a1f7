"""Fields are smooth, of unit spread, and the same from whichever pixels they are seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.scenes.simulate_noise import Noise, Octaves

NOISE = Noise.draw(np.random.default_rng(0), pitch=30.0)
OCTAVES = Octaves.draw(np.random.default_rng(1), [90.0, 30.0], 0.5)


@pytest.mark.parametrize("field", [NOISE, OCTAVES])
def test_mean_0_and_spread_1(field: Noise | Octaves) -> None:
    places = np.arange(0, 7000, 11.0)
    values = field.at(places, places)
    assert values.dtype == np.float32
    assert abs(values.mean()) < 0.1
    assert values.std() == pytest.approx(1, abs=0.06)


@given(st.integers(0, 500), st.integers(1, 60))
def test_a_strip_is_part_of_the_whole(first: int, rows: int) -> None:
    ys, xs = np.arange(600) * 10 + 5.0, np.arange(40) * 10 + 5.0
    part = slice(first, first + rows)
    np.testing.assert_array_equal(OCTAVES.at(ys, xs)[part], OCTAVES.at(ys[part], xs))


def test_neighbours_are_alike_and_far_places_are_not() -> None:
    places = np.arange(0, 6000, 1.0)
    line = NOISE.at(np.array([0.0]), places)[0]
    assert np.abs(np.diff(line)).max() < 0.15
    assert abs(np.corrcoef(line[:-300], line[300:])[0, 1]) < 0.2
