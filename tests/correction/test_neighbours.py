from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nph

from benforge.correction.neighbours import block_mean, box_mean, enlarge


@given(nph.arrays(np.uint16, (12, 18), elements=st.integers(0, 9)))
def test_block_means_are_means_of_blocks_with_data(pixels: np.ndarray) -> None:
    found = block_mean(pixels, 3)
    for row in range(4):
        for col in range(6):
            block = pixels[3 * row : 3 * row + 3, 3 * col : 3 * col + 3]
            expected = 0 if (block == 0).any() else block.mean()
            assert np.isclose(found[row, col], expected)


def test_blocks_of_many_rows_are_worked_on_in_portions() -> None:
    pixels = np.random.default_rng(0).integers(1, 100, (6 * 230, 12), np.uint16)
    expected = pixels.reshape(230, 6, 2, 6).mean(axis=(1, 3))
    assert np.allclose(block_mean(pixels, 6), expected, rtol=1e-5)


@given(
    nph.arrays(np.float32, (7, 9), elements=st.integers(0, 50)),
    nph.arrays(np.bool_, (7, 9)),
    st.integers(0, 10),
)
def test_box_means_are_means_of_what_is_valid_around(
    values: np.ndarray, valid: np.ndarray, reach: int
) -> None:
    found = box_mean(values, valid, reach)
    for row in range(7):
        for col in range(9):
            rows = slice(max(0, row - reach), row + reach + 1)
            cols = slice(max(0, col - reach), col + reach + 1)
            around = values[rows, cols][valid[rows, cols]]
            expected = around.mean() if around.size else np.nan
            assert np.isclose(found[row, col], expected, equal_nan=True)


@given(st.integers(0, 11), st.integers(1, 12))
def test_enlarged_rows_are_those_of_the_whole(start: int, length: int) -> None:
    values = np.arange(12).reshape(4, 3)
    whole = values.repeat(3, axis=0).repeat(3, axis=1)
    rows = slice(start, min(start + length, 12))
    assert np.array_equal(enlarge(values, 3, rows), whole[rows])
