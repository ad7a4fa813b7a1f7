"""A map projection about a place, and the countries and squares on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

import numpy as np
import numpy.typing as npt
import pyogrio.raw
import shapely
from pyproj import Transformer

from benforge.labels.countries import SOURCE

Squares = npt.NDArray[np.float64]
"""`square corner xy`, metres on the map."""

Frame = tuple[float, float, float, float]
"""Left, bottom, right, top, metres on the map."""

DEGREES = "OGC:CRS84"
STEP = 1.0
"""Degrees between the points of an outline, so that long edges bend."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Lambert's azimuthal projection about a place, which keeps areas."""

    lon: float
    lat: float

    @property
    def crs(self) -> str:
        """As PROJ writes it."""
        return f"+proj=laea +lat_0={self.lat} +lon_0={self.lon} +datum=WGS84 +units=m"

    def squares(
        self, crs: str, left: npt.NDArray[np.float64], top: npt.NDArray[np.float64], edge: float
    ) -> Squares:
        """Squares on the ground of a CRS, as they look on the map.

        Args:
            crs: "EPSG:32633".
            left: eastings of their upper-left corners, m.
            top: northings of the same.
            edge: m.
        """
        xs = left[:, None] + np.array([0, 1, 1, 0]) * edge
        ys = top[:, None] - np.array([0, 0, 1, 1]) * edge
        transformer = Transformer.from_crs(crs, self.crs, always_xy=True)
        return np.stack(transformer.transform(xs, ys), axis=-1)

    def countries(self, frame: Frame) -> list[npt.NDArray[np.float64]]:
        """Outlines of the countries in a frame, `point xy` each; lakes and enclaves are filled."""
        around = shapely.box(*self._degrees(frame))
        near = shapely.intersection(_outlines(), around)
        bent = shapely.segmentize(near[~shapely.is_empty(near)], STEP)
        transformer = Transformer.from_crs(DEGREES, self.crs, always_xy=True)
        flat = shapely.transform(bent, lambda xy: np.stack(transformer.transform(*xy.T), axis=-1))
        seen = shapely.intersection(shapely.make_valid(flat), shapely.box(*frame))
        parts = [part for part in shapely.get_parts(seen) if part.geom_type == "Polygon"]
        return [shapely.get_coordinates(part.exterior) for part in parts]

    def _degrees(self, frame: Frame) -> Frame:
        """What of the globe a frame shows, and a little more; within 89 degrees of its middle."""
        left, bottom, right, top = frame
        xs, ys = np.meshgrid(np.linspace(left, right, 33), np.linspace(bottom, top, 33))
        transformer = Transformer.from_crs(self.crs, DEGREES, always_xy=True)
        lon, lat = transformer.transform(xs.ravel(), ys.ravel())
        east = (np.asarray(lon) - self.lon + 180) % 360 - 180
        found = np.array([east, lat])[:, np.isfinite(lon) & (np.abs(east) < 89)]
        (west, south), (far, north) = found.min(axis=1), found.max(axis=1)
        return self.lon + west - 2, max(-89.0, south - 2), self.lon + far + 2, min(89.0, north + 2)


def projection_about(lons: npt.ArrayLike, lats: npt.ArrayLike) -> Projection:
    """The projection about the middle of these places, degrees."""
    lon, lat = ((np.min(axis) + np.max(axis)) / 2 for axis in (lons, lats))
    return Projection(round(float(lon), 2), round(float(lat), 2))


@cache
def _outlines() -> npt.NDArray[np.object_]:
    """The parts of all countries in longitude and latitude, three times round the globe.

    A part that crosses the date line is read as going on beyond 180 degrees.
    """
    with as_file(files("benforge.labels") / SOURCE) as path:
        _, _, wkb, _ = pyogrio.raw.read(path, columns=[], layer="countries")
    parts = shapely.get_parts(shapely.from_wkb(wkb))
    left, _, right, _ = shapely.bounds(parts).T
    across = right - left > 180
    parts[across] = shapely.transform(
        parts[across], lambda xy: np.where([1, 0], xy % [360, 720], xy)
    )
    whole = shapely.make_valid(parts)
    return np.concatenate([_turned(whole, by) for by in (-360.0, 0.0, 360.0)])


def _turned(shapes: npt.NDArray[np.object_], by: float) -> npt.NDArray[np.object_]:
    """The same shapes so many degrees further east."""
    return np.asarray(shapely.transform(shapes, lambda xy: xy + np.array([by, 0])), object)
