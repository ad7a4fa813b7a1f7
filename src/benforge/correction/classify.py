"""A scene classification of simple rules, with the numbers of sen2cor's SCL.

The rules look at reflectance at the top of the atmosphere, in this order, a later one over an
earlier; `docs/correct.md` tells them with their thresholds. They know nothing of maps, elevation
or other dates, and are no match for sen2cor's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from benforge.correction.geometry import Geometry
from benforge.correction.neighbours import Floats, enlarge
from benforge.scenes.port import SATURATED

Mask = npt.NDArray[np.bool_]
Classes = npt.NDArray[np.uint8]


class Scl(IntEnum):
    """The numbers of the scene classification."""

    NO_DATA = 0
    SATURATED = 1
    DARK = 2
    SHADOW = 3
    VEGETATION = 4
    BARE = 5
    WATER = 6
    UNCLASSIFIED = 7
    CLOUD_MEDIUM = 8
    CLOUD_HIGH = 9
    CIRRUS = 10
    SNOW = 11


CLOUDS = (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS)
"""Classes that count as cloud cover."""

LOOKED_AT = ("B02", "B03", "B04", "B8A", "B11", "B12")
"""Bands that the rules look at beside B10."""

_STRIP = 300
_DARK, _VEGETATION, _WATER_SWIR = 0.10, 0.40, 0.06
_SNOW_NDSI, _SNOW_GREEN, _SNOW_NEAR = 0.42, 0.20, 0.15
_MEDIUM, _HIGH, _DOUBTFUL = 0.24, 0.32, 0.18
_WHITE, _CLOUD_SWIR = 0.6, 0.12
_CIRRUS = 0.012
_HEIGHTS = (300.0, 3000.0)
"""Metres of cloud above ground between which shadows are looked for."""


def classify(bands: Mapping[str, npt.NDArray[np.uint16]], geometry: Geometry) -> Classes:
    """The scene classification, `row col` at 20 m.

    Args:
        bands: B02, B03, B04, B8A, B11 and B12 at 20 m, B10 at 60 m; reflectance at the top of
            the atmosphere x 10,000, 0 where there are no data, 65535 where saturated.
        geometry: of the sun, for shadows.
    """
    height = bands["B8A"].shape[0]
    classes = np.empty(bands["B8A"].shape, np.uint8)
    for top in range(0, height, _STRIP):
        rows = slice(top, min(top + _STRIP, height))
        at_20 = {name: bands[name][rows] for name in LOOKED_AT}
        cirrus = enlarge(bands["B10"], 3, rows)
        classes[rows] = _classify_strip(at_20, cirrus)
    _cast_shadows(classes, geometry)
    return classes


def _classify_strip(
    at_20: Mapping[str, npt.NDArray[np.uint16]], cirrus: npt.NDArray[np.uint16]
) -> Classes:
    values = {name: band.astype(np.float32) / np.float32(10_000) for name, band in at_20.items()}
    blue, green, red, near, swir = (values[n] for n in ("B02", "B03", "B04", "B8A", "B11"))
    classes = np.full(blue.shape, Scl.BARE, np.uint8)
    classes[_index(near, red) > _VEGETATION] = Scl.VEGETATION
    classes[near < _DARK] = Scl.DARK
    classes[(green > near) & (swir < _WATER_SWIR) & (blue < _DOUBTFUL)] = Scl.WATER
    classes[cirrus > _CIRRUS * 10_000] = Scl.CIRRUS

    bright = np.minimum(blue, red)
    white = (np.abs(blue - red) < _WHITE * bright) & (swir > _CLOUD_SWIR)
    white &= _index(near, red) < _VEGETATION
    classes[white & (bright > _DOUBTFUL) & (blue >= red)] = Scl.UNCLASSIFIED
    classes[white & (bright > _MEDIUM)] = Scl.CLOUD_MEDIUM
    classes[white & (bright > _HIGH)] = Scl.CLOUD_HIGH
    snow = (_index(green, swir) > _SNOW_NDSI) & (green > _SNOW_GREEN) & (near > _SNOW_NEAR)
    classes[snow] = Scl.SNOW

    every = np.stack(list(at_20.values()))
    classes[(every == SATURATED).any(axis=0)] = Scl.SATURATED
    classes[(every == 0).any(axis=0)] = Scl.NO_DATA
    return classes


def _index(first: Floats, second: Floats) -> Floats:
    """Normalised difference, -1 to 1."""
    index: Floats = (first - second) / np.maximum(first + second, np.float32(1e-4))
    return index


def _cast_shadows(classes: Classes, geometry: Geometry) -> None:
    """Dark places that a cloud may shade, away from the sun, become shadows; in place."""
    opaque = np.isin(classes[1::3, 1::3], (Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH))
    if not opaque.any():
        return
    shaded = np.zeros(opaque.shape, np.bool_)
    for down, right in _shadow_steps(geometry):
        shaded |= _moved(opaque, down, right)
    for top in range(0, classes.shape[0], _STRIP):
        part = classes[top : top + _STRIP]
        below = enlarge(shaded, 3, slice(top, top + part.shape[0]))
        part[(part == Scl.DARK) & below] = Scl.SHADOW


def _shadow_steps(geometry: Geometry) -> list[tuple[int, int]]:
    """Pixels of 60 m down and right from a cloud to where its shadow may fall, near to far."""
    slope, azimuth = math.tan(math.radians(geometry.sun_zenith)), math.radians(geometry.sun_azimuth)
    near, far = (height * slope / 60 for height in _HEIGHTS)
    reaches = np.arange(near, far + 1)
    steps = {
        (round(float(r) * math.cos(azimuth)), round(float(-r) * math.sin(azimuth))) for r in reaches
    }
    return sorted(steps)


def _moved(mask: Mask, down: int, right: int) -> Mask:
    """The mask moved by whole pixels; what enters at the edges is empty."""
    moved = np.zeros_like(mask)
    height, width = mask.shape
    if abs(down) >= height or abs(right) >= width:
        return moved
    to_rows, from_rows = _overlap(down, height)
    to_cols, from_cols = _overlap(right, width)
    moved[to_rows, to_cols] = mask[from_rows, from_cols]
    return moved


def _overlap(step: int, size: int) -> tuple[slice, slice]:
    if step >= 0:
        return slice(step, size), slice(0, size - step)
    return slice(0, size + step), slice(-step, size)
