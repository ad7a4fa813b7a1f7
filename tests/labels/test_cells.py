"""Cells of a raster are polygons: the same shares, whichever way they are drawn."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from benforge.core.grid import Grid
from benforge.labels.cells import cell_edges
from benforge.labels.draw import draw_labels
from benforge.labels.edges import polygon_edges
from benforge.labels.projection import ToGrid

GRID = Grid("EPSG:32633", 600_000, 5_400_000, 10, 240, 240)
TRANSFORMS = {
    "north up": (90.0, 0.0, 599_800.0, 0.0, -90.0, 5_400_170.0),
    "south up": (90.0, 0.0, 599_800.0, 0.0, 90.0, 5_396_830.0),
    "rotated": (85.0, 30.0, 599_000.0, 30.0, -85.0, 5_400_000.0),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:3035"])
@settings(max_examples=3)
@given(seed=st.integers(0, 2**32 - 1))
def test_cells_are_polygons(transform: tuple[float, ...], crs: str, seed: int) -> None:
    if crs == "EPSG:3035":
        shift = pyproj.Transformer.from_crs(32633, 3035, always_xy=True)
        x, y = shift.transform(transform[2], transform[5])
        transform = (*transform[:2], x, *transform[3:5], y)
    random = np.random.default_rng(seed)
    classes = random.integers(-1, 3, (40, 40))
    to_grid = ToGrid(pyproj.CRS(crs), GRID, "map")
    found = draw_labels(
        [cell_edges(classes, transform, to_grid)], np.arange(3), (1, 2, 3), GRID, 120, where="map"
    )
    rows, cols = np.nonzero(classes >= 0)
    corners = [(cols + dx, rows + dy) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
    a, b, c, d, e, f = transform
    ring = [np.stack([a * col + b * row + c, d * col + e * row + f]) for col, row in corners]
    polygons = shapely.polygons(np.stack(ring).transpose(2, 0, 1))
    expected = draw_labels(
        [polygon_edges(polygons, to_grid)], classes[rows, cols], (1, 2, 3), GRID, 120, where="map"
    )
    assert np.abs(found.fractions.shares - expected.fractions.shares).max() < 1e-9
    assert np.array_equal(found.reference_map, expected.reference_map)


def test_large_cells_stay_straight() -> None:
    """A cell of 5 km, its sides split before they are projected."""
    x, y = pyproj.Transformer.from_crs(32633, 3035, always_xy=True).transform(600_200, 5_399_800)
    to_grid = ToGrid(pyproj.CRS(3035), GRID, "map")
    edges = cell_edges(np.array([[0]]), (5000.0, 0.0, x, 0.0, -5000.0, y), to_grid)
    dense = shapely.segmentize(shapely.box(x, y - 5000, x + 5000, y), 10)
    expected = polygon_edges(np.array([dense]), to_grid)
    shares = [
        draw_labels([one], np.array([0]), (1,), GRID, 120, where="map").fractions.shares
        for one in (edges, expected)
    ]
    assert len(edges) == 80
    assert np.abs(shares[0] - shares[1]).max() < 1e-6


def test_no_data_at_all() -> None:
    empty = np.full((3, 3), -1)
    edges = cell_edges(empty, TRANSFORMS["north up"], ToGrid(pyproj.CRS(32633), GRID, "map"))
    assert len(edges) == 0
