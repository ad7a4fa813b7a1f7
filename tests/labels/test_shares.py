"""Shares are exact, whatever the polygons."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benforge.core.grid import Grid
from benforge.errors import LandCoverError
from benforge.labels.draw import draw_labels
from benforge.labels.edges import polygon_edges
from benforge.labels.port import TileLabels
from benforge.labels.projection import ToGrid
from tests.labels.maps import GRID, partition
from tests.labels.oracles import shares_by_intersection


def draw(polygons: np.ndarray, classes: np.ndarray, codes: tuple[int, ...]) -> TileLabels:
    to_grid = ToGrid(pyproj.CRS(GRID.crs), GRID, "map")
    edges = polygon_edges(polygons, to_grid)
    return draw_labels([edges], classes, codes, GRID, 120, where="map")


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 60))
def test_partition_gives_exact_areas(seed: int, count: int) -> None:
    """Polygons with holes, islands and sides on patch borders: every share as shapely has it."""
    polygons = partition(seed, count)
    classes = np.random.default_rng(seed).integers(0, 4, len(polygons))
    shares = draw(polygons, classes, (1, 2, 3, 4)).fractions.shares
    expected = shares_by_intersection(polygons, classes, GRID, 120)
    for number, column in expected.items():
        assert np.abs(shares[:, number] - column).max() < 1e-9
    assert np.abs(shares.sum(axis=1) - 1).max() < 1e-9
    assert (shares.sum(axis=1) <= 1 + 1e-9).all()


CORNERS = st.sampled_from([-600, 0, 600, 1200, 1800, 2400, 3600, 4800, 6000])


@settings(max_examples=60)
@given(x=st.tuples(CORNERS, CORNERS), y=st.tuples(CORNERS, CORNERS), turn=st.booleans())
@example(x=(0, 1200), y=(0, 1200), turn=False)
@example(x=(-600, 6000), y=(-600, 6000), turn=True)
def test_sides_on_borders(x: tuple[int, int], y: tuple[int, int], turn: bool) -> None:
    """Rectangles along the patch borders leave no trace in the patches beyond."""
    if x[0] == x[1] or y[0] == y[1]:
        return
    left, top = GRID.ulx, GRID.uly
    box = shapely.box(left + min(x), top - max(y), left + max(x), top - min(y), ccw=turn)
    expected = shares_by_intersection(np.array([box]), [0], GRID, 120).get(0)
    if expected is None or not expected.any():
        with pytest.raises(LandCoverError, match="does not cover the tile"):
            draw(np.array([box]), np.array([0]), (1,))
        return
    shares = draw(np.array([box]), np.array([0]), (1,)).fractions.shares[:, 0]
    assert np.abs(shares - expected).max() < 1e-12
    assert ((shares > 0) == (expected > 0)).all()


def test_rings_in_any_direction() -> None:
    shell = shapely.box(*GRID.bounds).exterior
    hole = shapely.box(601_000, 5_397_000, 602_000, 5_398_000).exterior
    expected = GRID.height * GRID.width * 100 - 1_000_000
    for outer in (shell, shapely.reverse(shell)):
        for inner in (hole, shapely.reverse(hole)):
            polygon = np.array([shapely.polygons(outer, holes=[inner])])
            shares = draw(polygon, np.array([0]), (1,)).fractions.shares
            assert shares.sum() * 1200**2 == pytest.approx(expected, rel=1e-12)


def test_overlap_is_refused() -> None:
    box = shapely.box(*GRID.bounds)
    patch = shapely.box(601_200, 5_398_700, 601_300, 5_398_800)
    with pytest.raises(LandCoverError, match="overlap: in the patch at column 1, row 1"):
        draw(np.array([box, patch]), np.array([0, 1]), (1, 2))


def test_tiny_overlap_goes_to_the_later_polygon() -> None:
    """As in GDAL; 2 cm2 round a pixel's centre are no reason to refuse a map."""
    box = shapely.box(*GRID.bounds)
    dot = shapely.box(600_004.99, 5_399_994.99, 600_005.005, 5_399_995.005)
    first = draw(np.array([box, dot]), np.array([0, 1]), (7, 9))
    assert first.reference_map[0, 0] == 9
    assert (first.reference_map == 7).sum() == GRID.height * GRID.width - 1
    assert first.fractions.pixels[0].tolist() == [14_399, 1]
    second = draw(np.array([dot, box]), np.array([1, 0]), (7, 9))
    assert (second.reference_map == 7).all()


def test_slivers_are_shared_out_in_proportion() -> None:
    """Real maps have a few; the shares of a patch still sum to 1."""
    box = shapely.box(*GRID.bounds)
    sliver = shapely.box(600_000, 5_398_800, 600_001, 5_400_000)
    shares = draw(np.array([box, sliver]), np.array([0, 1]), (7, 9)).fractions.shares[0]
    assert shares == pytest.approx([1 / (1 + 1 / 1200), 1 / 1200 / (1 + 1 / 1200)])


def test_other_patch_sizes() -> None:
    """Nothing knows that a patch has 120 pixels of 10 m."""
    grid = Grid("EPSG:32633", 0, 90, 30, 3, 6)
    to_grid = ToGrid(pyproj.CRS(grid.crs), grid, "map")
    edges = polygon_edges(np.array([shapely.box(0, 0, 135, 45)]), to_grid)
    labels = draw_labels([edges], np.array([0]), (5,), grid, 3, where="map")
    assert labels.fractions.shares[:, 0] == pytest.approx([0.5, 0.25])
