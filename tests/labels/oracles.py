"""Independent ways to the same results: shapely's intersections, one patch at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from benforge.core.grid import Grid


def cells_of(grid: Grid, patch_pixels: int) -> npt.NDArray[np.object_]:
    """The patches as boxes, row by row."""
    return shapely.box(*np.array([tuple(b.bounds) for b in grid.split(*[patch_pixels] * 2)]).T)


def shares_by_intersection(
    polygons: npt.NDArray[np.object_], codes: npt.ArrayLike, grid: Grid, patch_pixels: int
) -> dict[int, npt.NDArray[np.float64]]:
    """Code to share of each patch."""
    cells, codes = cells_of(grid, patch_pixels), np.asarray(codes)
    in_cell, in_polygon = shapely.STRtree(polygons).query(cells, predicate="intersects")
    areas = shapely.area(shapely.intersection(polygons[in_polygon], cells[in_cell]))
    shares = areas / (patch_pixels * grid.pixel_size) ** 2
    return {
        int(code): np.bincount(in_cell, shares * (codes[in_polygon] == code), minlength=len(cells))
        for code in np.unique(codes)
    }
