"""Windows tile the ground, and shares over them are plain means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.grid import Grid
from benforge.errors import GridError, InputError
from benforge.mapping.plan import plan_map

FULL = Grid("EPSG:32633", 300_000, 5_400_000, 10, 10_980, 10_980)


def test_a_full_tile_at_the_stride_of_patches() -> None:
    plan = plan_map(FULL, 120)
    assert (plan.shape, len(plan)) == ((91, 91), 8281)
    assert plan.grid == Grid("EPSG:32633", 300_000, 5_400_000, 1200, 91, 91)
    assert plan.corners[[0, 1, 91, -1]].tolist() == [[0, 0], [0, 120], [120, 0], [10800, 10800]]


@given(st.integers(120, 400), st.integers(120, 400), st.integers(1, 20))
def test_a_pixel_of_the_map_is_the_middle_of_its_window(height: int, width: int, step: int) -> None:
    tile = Grid("EPSG:32633", 300_000, 5_400_000, 10, height * 6, width * 6)
    plan = plan_map(tile, 120, step * 6)
    assert plan.rows == len(range(0, tile.height - 120 + 1, plan.stride))
    for index in (0, len(plan) // 2, len(plan) - 1):
        window = tile.crop(*plan.corners[index].tolist(), 120, 120).bounds
        row, col = divmod(index, plan.columns)
        pixel = plan.grid.crop(row, col, 1, 1).bounds
        assert (pixel.left - window.left) == (window.right - pixel.right)
        assert (window.top - pixel.top) == (pixel.bottom - window.bottom)
        assert pixel.right - pixel.left == plan.stride * 10


@given(st.integers(0, 2**16), st.sampled_from([6, 18, 60, 120]), st.integers(1, 9))
def test_shares_are_means_of_windows(seed: int, stride: int, most: int) -> None:
    tile = Grid("EPSG:32633", 300_000, 5_400_000, 10, 40 * 6, 33 * 6)
    plan = plan_map(tile, 120, stride)
    cells = np.random.default_rng(seed).integers(0, most + 1, (40, 33), np.uint8)
    found = plan.window_shares(cells, most)
    corners = (plan.corners // 6).tolist()
    means = [cells[r : r + 20, c : c + 20].mean() / most for r, c in corners]
    assert np.abs(found - means).max() < 1e-6


@pytest.mark.parametrize("stride", [0, -6, 7, 126, 240])
def test_a_stride_that_cannot_be(stride: int) -> None:
    with pytest.raises(InputError, match=r"Give a multiple of 6 \(60 m\) from 6 to 120"):
        plan_map(FULL, 120, stride)


def test_a_tile_smaller_than_a_window() -> None:
    with pytest.raises(GridError, match="holds no patch of 120 x 120"):
        plan_map(Grid("EPSG:32633", 0, 0, 10, 60, 600), 120)
