"""A patch in memory: its identity, its ground and its pixels at native sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.core.identity import PatchId
from benforge.core.sensor import Sensor
from benforge.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """One patch with all bands.

    Args:
        id: which patch.
        grid: its ground, in pixels of the finest size.
        sensor: names and order of the bands.
        arrays: pixel size (m) to an array `band row col`, uint16, reflectance x 10,000;
            for Sentinel-2 shapes (4, 120, 120), (6, 60, 60) and (2, 20, 20).

    Example:
        >>> patch = ben.open("archive")[0]
        >>> {size: array.shape for size, array in patch.arrays.items()}
        {10: (4, 120, 120), 20: (6, 60, 60), 60: (2, 20, 20)}
        >>> patch.band("B11").shape, patch.grid.crs
        ((60, 60), 'EPSG:32633')
    """

    id: PatchId
    grid: Grid
    sensor: Sensor
    arrays: Mapping[int, npt.NDArray[np.uint16]]

    def band(self, name: str) -> npt.NDArray[np.uint16]:
        """One band at its native size, `row col`, a view.

        Raises:
            InputError: the sensor has no such band, or archives leave it out.
        """
        size = self.sensor.band(name).pixel_size
        names = [band.name for band in self.sensor.bands_at(size)]
        if name not in names or size not in self.arrays:
            raise InputError(f"the patch holds no band {name}", where=str(self.id))
        view: npt.NDArray[np.uint16] = self.arrays[size][names.index(name)]
        return view
