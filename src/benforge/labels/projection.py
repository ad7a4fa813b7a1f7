"""The way from the CRS of a map to the pixels of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyproj

from benforge.core.grid import Bounds, Grid
from benforge.errors import LandCoverError

LONGEST_EDGE = 250.0
"""Metres: a longer edge is split before it is projected, so that it stays straight in its own CRS.

Between EPSG:3035 and UTM a straight line of 250 m bends by less than 1 mm.
"""
_METRES_PER_DEGREE = 111_320.0

Points = npt.NDArray[np.float64]
"""`axis point`: x, longitude or column first, then y, latitude or row."""


@dataclass(frozen=True, slots=True)
class ToGrid:
    """The way from the CRS of a map to the pixels of a grid.

    Args:
        crs: the map's CRS.
        grid: the goal.
        where: the map's name, for errors.
    """

    crs: pyproj.CRS
    grid: Grid
    where: str

    @property
    def is_shift(self) -> bool:
        """Whether map and grid share their CRS, so that nothing is projected."""
        return bool(self.crs == pyproj.CRS(self.grid.crs))

    @property
    def longest_edge(self) -> float:
        """How long an edge may be before it is split, in units of the map's CRS."""
        if self.is_shift:
            return np.inf
        if self.crs.is_geographic:
            return LONGEST_EDGE / _METRES_PER_DEGREE
        return LONGEST_EDGE / float(self.crs.axis_info[0].unit_conversion_factor)

    @property
    def bounds(self) -> Bounds:
        """A box in the map's CRS that holds the grid, with a margin for its bent sides.

        Raises:
            LandCoverError: the CRS cannot show the grid's ground.
        """
        if self.is_shift:
            return self.grid.bounds
        back = pyproj.Transformer.from_crs(self.grid.crs, self.crs, always_xy=True)
        box = self.grid.bounds
        found = back.transform_bounds(box.left, box.bottom, box.right, box.top, densify_pts=21)
        if not np.isfinite(found).all():
            raise LandCoverError(
                f"its CRS, {self.crs.name}, cannot show the tile",
                where=self.where,
                do="Use a map of this region",
            )
        left, bottom, right, top = found
        margin = (right - left) / 1000
        return Bounds(left - margin, bottom - margin, right + margin, top + margin)

    def __call__(self, points: Points) -> Points:
        """Columns and rows of points, fractional, counted from the grid's upper-left corner.

        Raises:
            LandCoverError: coordinates that lie outside their CRS.
        """
        x, y = points
        if not self.is_shift:
            way = pyproj.Transformer.from_crs(self.crs, self.grid.crs, always_xy=True)
            x, y = way.transform(x, y)
        found = np.stack([x - self.grid.ulx, self.grid.uly - y])
        if not np.isfinite(found).all():
            raise LandCoverError(
                f"its coordinates do not fit its CRS, {self.crs.name}",
                where=self.where,
                do="Give the map the CRS that its coordinates are in",
            )
        return found / self.grid.pixel_size
