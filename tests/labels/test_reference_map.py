"""The reference map is GDAL's rasterization."""

from __future__ import annotations

import numpy as np
import pyproj
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from benforge.labels.draw import draw_labels
from benforge.labels.edges import polygon_edges
from benforge.labels.port import GAP
from benforge.labels.projection import ToGrid
from tests.labels.maps import GRID, partition


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 40), left_out=st.integers(0, 3))
def test_equals_gdal(seed: int, count: int, left_out: int) -> None:
    polygons = partition(seed, count)[left_out:]
    codes = (111, 312, 523)
    classes = np.random.default_rng(seed).integers(0, 3, len(polygons))
    expected = rasterize(
        zip(polygons, np.array(codes)[classes], strict=True),
        out_shape=GRID.shape,
        fill=GAP,
        transform=rasterio.Affine(*GRID.transform),
        dtype="uint16",
    )
    edges = polygon_edges(polygons, ToGrid(pyproj.CRS(GRID.crs), GRID, "map"))
    labels = draw_labels([edges], classes, codes, GRID, 120, where="map")
    assert np.array_equal(labels.reference_map, expected)
    for number, code in enumerate(codes):
        blocks = (expected == code).reshape(3, 120, 4, 120).sum(axis=(1, 3))
        assert np.array_equal(labels.fractions.pixels[:, number], blocks.reshape(-1))
