"""What hides a simulated ground from the sensor: snow, haze, clouds, shadows, an orbit's edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.scenes.simulate_noise import Floats, Noise, Octaves, Places

Mask = npt.NDArray[np.bool_]
Field = TypeVar("Field", Mask, npt.NDArray[np.uint8])

_SOFT = 0.35
"""How far above its threshold a cloud is opaque."""

_THINNEST = 0.25
"""Opacity at a cloud's edge."""

_SHADOW = (-900.0, -700.0)
"""Metres down and right from a cloud to its shadow: the sun stands in the south-east."""

_EDGE_SLANT = 0.2
"""Metres to the left per metre down of an orbit's edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """The sky over a tile and the snow on it.

    Args:
        cloud: `row col` at 20 m, opacity in percent, 0 where the sky is clear.
        shadow: `row col` at 20 m, whether a cloud's shadow falls there; also below clouds.
        snow: `row col` at 20 m, whether snow lies there; also below clouds.
        seen: `row col` at 60 m, whether the sensor saw the place. Whole pixels of 60 m, so that
            all bands end at the same line.
        hazes: the field that haze follows.
    """

    cloud: npt.NDArray[np.uint8]
    shadow: Mask
    snow: Mask
    seen: Mask
    hazes: Noise

    def cloud_at(self, pixel_size: int, rows: slice) -> Floats:
        """Opacity of clouds over some rows of pixels, 0 to 1, `row col`."""
        return _on_pixels(self.cloud, 20, pixel_size, rows).astype(np.float32) / np.float32(100)

    def shadow_at(self, pixel_size: int, rows: slice) -> Mask:
        """Whether some rows of pixels lie in a shadow, `row col`."""
        return _on_pixels(self.shadow, 20, pixel_size, rows)

    def snow_at(self, pixel_size: int, rows: slice) -> Mask:
        """Whether snow lies on some rows of pixels, `row col`."""
        return _on_pixels(self.snow, 20, pixel_size, rows)

    def seen_at(self, pixel_size: int, rows: slice) -> Mask:
        """Whether some rows of pixels have data, `row col`."""
        return _on_pixels(self.seen, 60, pixel_size, rows)

    def haze_at(self, ys: Places, xs: Places) -> Floats:
        """How haze is spread, 0 to 1, `row col`, for metres down and right of the corner."""
        field = np.float32(0.7) + np.float32(0.3) * self.hazes.at(ys, xs)
        return field.clip(0, 1)


def draw_weather(
    rng: np.random.Generator,
    grid: Grid,
    liking: Floats,
    *,
    cloud: float,
    snow: float,
    nodata: float,
) -> Weather:
    """Weather over a tile.

    Args:
        rng: where chance comes from.
        grid: the tile, any pixel size.
        liking: `row col` at 20 m, what each pixel's class adds to the snow field; -inf where
            snow cannot lie.
        cloud: share of the pixels seen that lie below clouds.
        snow: share of the pixels seen that lie below snow, clouds not regarded; less where the
            tile has too little ground that can bear snow.
        nodata: share of the tile beyond the orbit's edge.
    """
    ys, xs = centres(grid.resized(20))
    clouds = Octaves.draw(rng, [4000, 1300, 430, 140, 50], 0.55)
    snowfall = Octaves.draw(rng, [6000, 1500, 400, 110], 0.5)
    seen = _seen(grid.resized(60), nodata)
    opacity, shadow = _clouds(clouds, ys, xs, seen, cloud)
    snowy = np.zeros(opacity.shape, np.bool_)
    if snow > 0:
        field = snowfall.at(ys, xs) + liking
        snowy = field > _level(field[1::3, 1::3][seen], snow)
    return Weather(opacity, shadow, snowy, seen, Noise.draw(rng, 5000))


def centres(grid: Grid) -> tuple[Places, Places]:
    """Metres down and right of the tile's corner of every row and column of pixels."""
    size = grid.pixel_size
    return (np.arange(grid.height) + 0.5) * size, (np.arange(grid.width) + 0.5) * size


def _seen(grid: Grid, nodata: float) -> Mask:
    """`row col`: whether pixels lie this side of the orbit's edge."""
    ys, xs = centres(grid)
    across = xs[None, :] + _EDGE_SLANT * ys[:, None]
    if nodata <= 0:
        return np.ones(grid.shape, np.bool_)
    return np.asarray(across < np.quantile(across, 1 - nodata))


def _clouds(
    clouds: Octaves, ys: Places, xs: Places, seen: Mask, share: float
) -> tuple[npt.NDArray[np.uint8], Mask]:
    """Opacity in percent, and shadow, `row col` at 20 m."""
    if share <= 0:
        return np.zeros((len(ys), len(xs)), np.uint8), np.zeros((len(ys), len(xs)), np.bool_)
    field = clouds.at(ys, xs)
    level = _level(field[1::3, 1::3][seen], share)
    depth = (field - level) / np.float32(_SOFT)
    opacity = np.float32(_THINNEST) + np.float32(1 - _THINNEST) * np.clip(depth, 0, 1)
    percent = np.where(depth > 0, 100 * opacity, np.float32(0)).astype(np.uint8)
    down, right = _SHADOW
    return percent, clouds.at(ys - down, xs - right) > level


def _on_pixels(field: Field, field_size: int, pixel_size: int, rows: slice) -> Field:
    """Some rows of a field, for pixels that are a whole number of times larger or smaller."""
    if pixel_size < field_size:
        times = field_size // pixel_size
        first, last = rows.start // times, -(-rows.stop // times)
        part = field[first:last].repeat(times, axis=0).repeat(times, axis=1)
        return part[rows.start - first * times : rows.stop - first * times]
    step = pixel_size // field_size
    return field[step // 2 :: step, step // 2 :: step][rows]


def _level(field: Floats, share: float) -> np.float32:
    """The threshold that `share` of the field lies above."""
    bearing = field[np.isfinite(field)]
    if not bearing.size:
        return np.float32("inf")
    return np.float32(np.quantile(bearing, max(0.0, 1 - share * field.size / bearing.size)))
