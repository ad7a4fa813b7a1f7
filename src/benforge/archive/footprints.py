"""Footprints of patches on the globe."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from pyproj.exceptions import ProjError

from benforge.errors import GridError

Floats = npt.NDArray[np.float64]


def footprints(crs: str, ulx: Floats, uly: Floats, edge: float) -> npt.NDArray[np.object_]:
    """The footprints of square patches as polygons in longitude and latitude (OGC:CRS84).

    Args:
        crs: CRS of the corners, "EPSG:32633".
        ulx: eastings of the upper-left corners, m.
        uly: northings of the same, m.
        edge: edge of a patch, m.

    Returns:
        one shapely polygon a patch: corners joined by straight lines, counter-clockwise.

    Raises:
        GridError: there is no such CRS.
    """
    steps = np.array([(0, 0), (0, -1), (1, -1), (1, 0), (0, 0)]) * edge
    xy = np.stack([ulx, uly], axis=-1)[:, None, :] + steps
    lon, lat = _to_degrees(crs).transform(xy[..., 0], xy[..., 1])
    return np.asarray(shapely.polygons(np.stack([lon, lat], axis=-1)), object)


def centres(polygons: npt.NDArray[np.object_]) -> tuple[Floats, Floats]:
    """Longitude and latitude of the centre of each footprint."""
    points = shapely.centroid(polygons)
    return shapely.get_x(points), shapely.get_y(points)


def to_wkb(polygons: npt.NDArray[np.object_]) -> Sequence[bytes]:
    """The polygons as little-endian WKB, the same bytes on every machine."""
    found: Sequence[bytes] = shapely.to_wkb(polygons, byte_order=1).tolist()
    return found


@lru_cache(maxsize=64)
def _to_degrees(crs: str) -> Transformer:
    try:
        return Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    except ProjError as error:
        raise GridError("there is no such CRS", where=crs) from error
