"""Small maps of random polygons that fit each other, for laws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from benforge.core.grid import Grid
from benforge.labels.projection import Points

GRID = Grid("EPSG:32633", 600_000, 5_400_000, 10, 360, 480)


def partition(seed: int, count: int) -> npt.NDArray[np.object_]:
    """Polygons that cover `GRID` and more, without overlap; some have holes with another inside."""
    random = np.random.default_rng(seed)
    box = shapely.box(*GRID.bounds).buffer(700, join_style="mitre")
    left, bottom, right, top = box.bounds
    points = random.uniform((left, bottom), (right, top), (count, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=box))
    cells = shapely.intersection(cells, box)
    islands = shapely.buffer(shapely.point_on_surface(cells), random.uniform(5, 300, len(cells)))
    islands = shapely.intersection(islands, shapely.buffer(cells, -1))
    islands = islands[~shapely.is_empty(islands)]
    return np.concatenate([shapely.difference(cells, shapely.union_all(islands)), islands])


def in_pixels(points: Points) -> Points:
    """Coordinates of the CRS as columns and rows of `GRID`."""
    return np.stack([(points[0] - GRID.ulx) / 10, (GRID.uly - points[1]) / 10])
