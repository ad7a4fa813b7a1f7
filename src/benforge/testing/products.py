"""Small products and maps for tests: noise in the right places, written in a blink."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from benforge.core.grid import Grid
from benforge.core.sensor import load_sensor
from benforge.scenes.safe_write import QUALITY_CHECKS, SafeProduct, write_safe

TILE = "33UUP"
GRID = Grid("EPSG:32633", 300000, 5400000, 10, 4 * 120 + 60, 4 * 120 + 60)
"""4 x 4 patches and a margin of half a patch."""

CODES = (112, 211, 231, 312, 512)


def noise(grid: Grid = GRID, *, seed: int = 0, empty: int = 0) -> dict[str, npt.NDArray[np.uint16]]:
    """All kept bands of a scene: band name to `row col` of noise at native size.

    Args:
        grid: the tile, 10 m pixels.
        seed: of the noise.
        empty: columns of 60 m at the left edge that hold no data.
    """
    rng = np.random.default_rng(seed)
    bands = {}
    for band in load_sensor().patch_bands:
        pixels = rng.integers(1, 10000, grid.resized(band.pixel_size).shape, np.uint16)
        pixels[:, : empty * 60 // band.pixel_size] = 0
        bands[band.name] = pixels
    return bands


def write_small_product(
    folder: Path,
    *,
    date: datetime = datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC),
    bands: Mapping[str, npt.NDArray[np.uint16]] | None = None,
    grid: Grid = GRID,
    tile: str = TILE,
    level: str = "L2A",
    baseline: str = "02.05",
    checks: Mapping[str, str] | None = None,
) -> Path:
    """A SAFE product of `noise`, called simulated; the folder's name comes from the arguments."""
    product = SafeProduct(
        spacecraft="S2A",
        level=level,
        sensing_time=date,
        generated=date + timedelta(minutes=6),
        baseline=baseline,
        orbit=22,
        tile=tile,
        grid=grid,
        quality_checks=checks or dict.fromkeys(QUALITY_CHECKS, "PASSED"),
        simulated_by="benforge.testing",
    )
    seed = int(date.timestamp())
    classes = np.full(grid.resized(20).shape, 4, np.uint8) if level == "L2A" else None
    return write_safe(folder, product, bands or noise(grid, seed=seed), classes)


def write_small_map(path: Path, grid: Grid = GRID, *, codes: tuple[int, ...] = CODES) -> Path:
    """A land-cover map of vertical stripes, one a code, over the grid and a margin; EPSG:3035."""
    left, bottom, right, top = grid.bounds
    edges = np.linspace(left - 500, right + 500, len(codes) + 1)
    stripes = [
        shapely.box(west, bottom - 500, east, top + 500) for west, east in pairwise(edges.tolist())
    ]
    frame = gpd.GeoDataFrame({"Code_18": [str(c) for c in codes]}, geometry=stripes, crs=grid.crs)
    frame.to_crs("EPSG:3035").to_file(path, driver="GPKG")
    return path
