"""Times in v1 names: counted up without a gap, or not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.conformance.names import NameTimes, hold_counting_up, hold_name_alone

PRODUCT = "S2B_MSIL1C_20180515T094029_N0206_R036_T{tile}"


def _times(names: list[str], products: list[str]) -> NameTimes:
    return NameTimes.of(pa.array(names), pa.chunked_array([products]))


def _names(steps: list[int]) -> list[str]:
    return [f"S2B_MSIL2A_20180515T{94029 + step}_3_4" for step in steps]


def test_parts() -> None:
    names = ["S2B_MSIL2A_20180515T94061_3_4", "S2A_MSIL2A_20180515T094029_3_4"]
    times = _times(names, [PRODUCT.format(tile="35VNJ")] * 2)
    assert times.counted.tolist() == [32, 0]
    assert times.beyond_59.tolist() == [True, False]
    assert times.agree.tolist() == [True, False]


@given(st.permutations(range(4)), st.integers(1, 4))
def test_names_that_count_up(order: list[int], count: int) -> None:
    steps = [step for step in order if step < count]
    times = _times(_names(steps), [PRODUCT.format(tile=f"35VN{'JKLM'[s]}") for s in steps])
    assert hold_counting_up(times, np.full(count, 7)).equal is True


@given(st.sets(st.integers(0, 6), min_size=1))
def test_a_gap_shows(steps: set[int]) -> None:
    times = _times(_names(sorted(steps)), [PRODUCT.format(tile="35VNJ")] * len(steps))
    whole = steps == set(range(len(steps)))
    assert hold_counting_up(times, np.full(len(steps), 7)).equal is whole


def test_places_count_apart_and_set_back_is_not_asked() -> None:
    times = _times(_names([0, 0, 1, -8]), [PRODUCT.format(tile="35VNJ")] * 4)
    assert hold_counting_up(times, np.array([1, 2, 2, 2])) == ("3 of 3", True)
    assert hold_counting_up(times, np.array([1, 2, 3, 3])) == ("2 of 3", False)


@pytest.mark.parametrize(("step", "found"), [(2, "2 of 2"), (5, "1 of 1")])
def test_names_that_fit_one_product(step: int, found: str) -> None:
    other = PRODUCT.format(tile="35VNK").replace("094029", "104029")
    products = [PRODUCT.format(tile="35VNJ"), other]
    names = [*_names([step]), "S2B_MSIL2A_20180515T104029_0_0"]
    told = hold_name_alone(_times(names, products), pa.chunked_array([products]))
    assert told == (found, True)


def test_two_tiles_of_one_time_are_not_told_apart() -> None:
    products = [PRODUCT.format(tile=tile) for tile in ("35VNJ", "35VNK")]
    told = hold_name_alone(_times(_names([0, 1]), products), pa.chunked_array([products]))
    assert told.equal is None


def test_the_wrong_product_shows() -> None:
    early, late = (PRODUCT.format(tile="35VNJ").replace("094029", t) for t in ("094029", "104029"))
    names = [*_names([0]), *_names([1])]
    told = hold_name_alone(_times(names, [early, late]), pa.chunked_array([[early, late]]))
    assert told == ("1 of 2", False)
