import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.grid import Grid
from benforge.errors import GridError

TILE = Grid("EPSG:32633", 300000, 5400000, 10, 10980, 10980)


def test_a_tile_is_109800_m_square() -> None:
    assert tuple(TILE.bounds) == (300000, 5290200, 409800, 5400000)
    assert TILE.transform == (10, 0, 300000, 0, -10, 5400000)


def test_resized_keeps_the_ground() -> None:
    for size, pixels in ((20, 5490), (60, 1830)):
        assert TILE.resized(size).shape == (pixels, pixels)
        assert TILE.resized(size).bounds == TILE.bounds


def test_a_size_that_does_not_fit_is_refused() -> None:
    with pytest.raises(GridError, match="whole number"):
        TILE.resized(7)
    with pytest.raises(GridError, match="do not split"):
        next(TILE.split(120, 120))
    with pytest.raises(GridError, match="reaches over"):
        TILE.crop(10900, 0, 120, 120)


@pytest.mark.parametrize("crs", ["", "32633", "EPSG:", ":32633"])
def test_a_crs_is_an_authority_and_a_code(crs: str) -> None:
    with pytest.raises(GridError, match="AUTHORITY:CODE"):
        Grid(crs, 0, 0, 10, 1, 1)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(1, 9))
def test_blocks_tile_the_grid_without_overlap(rows: int, cols: int, high: int, wide: int) -> None:
    grid = Grid("EPSG:32633", 300000, 5400000, 10, rows * high, cols * wide)
    seen: set[tuple[float, float]] = set()
    for block in grid.split(high, wide):
        left, bottom, right, top = block.bounds
        cells = {
            (x, y)
            for x in range(int(left), int(right), 10)
            for y in range(int(bottom), int(top), 10)
        }
        assert not cells & seen
        seen |= cells
    assert len(seen) == grid.height * grid.width
