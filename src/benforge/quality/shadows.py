"""Which dark pixels of a scene are shadows: those that lie where its clouds throw them.

Dark ground alone looks like shade: conifers, bogs and wet fields do. As in Fmask (Zhu and Woodcock
2012) the shape of the clouds decides, but without the sun's angles, which archives do not keep:
the clouds of the scene are moved as one over all distances, and stay where the ground below them
is darkest against the rest. One distance a scene: clouds of one height are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from benforge.quality.pixels import (
    CELL,
    CLEAR,
    CLOUD,
    NODATA,
    PIXEL_SIZE,
    SHADOW,
    SNOW,
    Kinds,
    Mask,
)
from benforge.quality.recipe import ScreenRecipe

_DARKEST = 0.005
"""Reflectance below which ground is not told apart."""

_FEWEST = 50
"""Cells below moved clouds that a distance must stand on."""

_MOST = 0.1
"""Likewise, of the ground that lies below them at the distance that has most of it: large clouds
hide most of their own shadows."""

_AROUND = 100
"""Cells on each side that the light of a cell is compared with, 6 km."""

_TROPIC = 23.5
"""Degrees of latitude within which the sun may stand north and south."""

Floats = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complexfloating[Any, Any]]
Field = TypeVar("Field", Mask, Floats)
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Throw:
    """How far the shadows of a scene lie from its clouds, in cells, and how dark they are.

    Args:
        down: rows towards the south.
        right: columns towards the east.
        contrast: how much darker, as a difference of natural logarithms.
    """

    down: int
    right: int
    contrast: float


def settle_shadows(
    kinds: Kinds, nir: Floats, places: Places, latitude: float, recipe: ScreenRecipe
) -> None:
    """Keep, add and drop shadows of one scene, in place.

    Without clouds there is no shadow. Where the throw of the clouds is found, shadows are the
    pixels below the moved clouds that are not brighter than most ground of the scene; where it is
    not found, what `classify_pixels` found dark stays.

    Args:
        kinds: `patch row col` at 20 m.
        nir: `patch row col`, reflectance in B8A of cells of `CELL` x `CELL` pixels.
        places: `patch 2`, row and column of each patch in the scene.
        latitude: of the scene, degrees north.
        recipe: the thresholds.
    """
    seen = int(np.count_nonzero(kinds != NODATA))
    if np.count_nonzero(kinds == CLOUD) < max(1, recipe.shadow_cloud * seen):
        kinds[kinds == SHADOW] = CLEAR
        return
    places = places - places.min(axis=0)
    reach = _reach(places, nir.shape[1], recipe)
    places = _closer(places, -(-(reach + _AROUND) // nir.shape[1]))
    cloud = _mosaic(_cells(kinds == CLOUD) > CELL * CELL // 2, places)
    light = _mosaic(nir, places)
    dry = light > recipe.shadow_nir_least
    bare = _mosaic(_cells((kinds == CLEAR) | (kinds == SHADOW)) == CELL * CELL, places) & dry
    snow = _mosaic(_cells(kinds == SNOW) == CELL * CELL, places)
    against = _against(light, bare) + _against(light, snow)
    throw = find_throw(cloud, bare | snow, against, reach, latitude)
    if throw is None or throw.contrast < recipe.shadow_contrast:
        return
    below = _moved(cloud, throw.down, throw.right)
    dark = against < np.where(snow, np.log(recipe.shadow_snow), np.log(recipe.shadow_darkness))
    _mark(kinds, _patches(below & dark, places, nir.shape[1]))


def _reach(places: Places, edge: int, recipe: ScreenRecipe) -> int:
    """Cells that clouds are moved at most: as far as the recipe says, or a third of the scene."""
    extent = int((places.max(axis=0) + 1).min()) * edge
    return min(recipe.shadow_reach * 1000 // (PIXEL_SIZE * CELL), max(1, extent // 3))


def _closer(places: Places, gap: int) -> Places:
    """The same with no more than `gap` empty rows and columns of patches in between.

    A few patches far apart would otherwise be looked at in a mosaic of the whole tile, most of it
    empty; across a gap that clouds and what they are compared with do not reach nothing changes.
    """
    closer = np.empty_like(places)
    for axis in (0, 1):
        there, which = np.unique(places[:, axis], return_inverse=True)
        steps = np.minimum(np.diff(there, prepend=there[0]), gap + 1)
        closer[:, axis] = np.cumsum(steps)[which]
    return closer


def find_throw(
    cloud: Mask, ground: Mask, against: Floats, reach: int, latitude: float
) -> Throw | None:
    """The distance at which the ground below moved clouds is most surely darker than around.

    Sentinel-2 passes in the morning, so shadows fall to the west; beyond the tropics also away
    from the equator.

    Args:
        cloud: `row col`, whether cells are cloud.
        ground: `row col`, whether cells show ground.
        against: `row col`, natural logarithm of light against that of most ground.
        reach: cells that a cloud is moved at most.
        latitude: degrees north.

    Returns:
        The distance, or None where too little ground lies below clouds, however moved.
    """
    if not ground.any():
        return None
    depth = _against_around(np.where(ground, np.clip(against, -1, 1), 0), ground)
    shape = _against_around(cloud.astype(np.float64), np.ones_like(cloud))
    sums = _MovedSums(cloud.shape, reach)
    seen = sums.spectrum(ground)
    counts = sums.of(sums.spectrum(cloud), seen)
    enough = _away_from_the_sun(reach, latitude) & (counts > max(_FEWEST, _MOST * counts.max()))
    if not enough.any():
        return None
    likeness = sums.of(sums.spectrum(shape), sums.spectrum(depth))
    likeness /= np.sqrt(np.maximum(sums.of(sums.spectrum(shape**2), seen), 1))
    place = np.unravel_index(int(np.argmin(np.where(enough, likeness, 0))), counts.shape)
    down, right = (int(step) - reach for step in place)
    below = _moved(cloud, down, right) & ground
    return Throw(down, right, -float(depth[below].mean()) if below.any() else 0.0)


def _away_from_the_sun(reach: int, latitude: float) -> Mask:
    """`down right`: whether shadows may lie at each distance up to `reach`."""
    steps = np.arange(-reach, reach + 1)
    west, north, south = (steps <= 0)[None, :], (steps <= 0)[:, None], (steps >= 0)[:, None]
    return west & (north | (latitude < _TROPIC)) & (south | (latitude > -_TROPIC))


def _against(light: Floats, which: Mask) -> Floats:
    """Natural logarithm of light against the median of some cells, `row col`; 0 elsewhere."""
    if not which.any():
        return np.zeros_like(light)
    depth = np.log(np.maximum(light, _DARKEST) / np.median(light[which]))
    return np.where(which, depth, 0).astype(np.float32)


def _against_around(field: npt.NDArray[np.float64], where: Mask) -> npt.NDArray[np.float64]:
    """A field less its mean in the squares around, `row col`; 0 elsewhere."""
    around = _box_sums(field) / np.maximum(_box_sums(where.astype(np.float64)), 1)
    return np.where(where, field - around, 0)


def _box_sums(field: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sums over squares of `_AROUND` cells on each side, cut at the edges."""
    for axis in (0, 1):
        run = np.cumsum(np.insert(field, 0, 0, axis=axis), axis=axis)
        place = np.arange(field.shape[axis])
        ends = np.minimum(place + _AROUND + 1, field.shape[axis])
        field = run.take(ends, axis=axis) - run.take(np.maximum(place - _AROUND, 0), axis=axis)
    return field


class _MovedSums:
    """Sums of fields, weighed by others that are moved over all distances up to `reach`."""

    def __init__(self, shape: tuple[int, ...], reach: int) -> None:
        self._reach, self._padded = reach, tuple(_good_size(n + reach) for n in shape)

    def spectrum(self, field: npt.NDArray[Any]) -> Spectrum:
        """A field, `row col`, as `of` takes it; in single precision, as masks need no more."""
        return np.asarray(np.fft.rfft2(field.astype(np.float32), self._padded))

    def of(self, moved: Spectrum, field: Spectrum) -> npt.NDArray[np.float32]:
        """`down right`: the sum at each distance."""
        sums = np.fft.irfft2(field * np.conj(moved), self._padded)
        steps = np.arange(-self._reach, self._reach + 1)
        return np.asarray(sums[np.ix_(steps, steps)], np.float32)


def _good_size(least: int) -> int:
    """The next number without a prime factor above 5, for which Fourier transforms are fast."""
    size = least
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1


def _cells(mask: Mask) -> npt.NDArray[np.uint8]:
    """`patch row col`: how many of each cell's pixels it holds."""
    pixels = mask.view(np.uint8)
    rows = pixels[:, 0::CELL] + sum(pixels[:, row::CELL] for row in range(1, CELL))
    return np.asarray(rows[..., 0::CELL] + sum(rows[..., col::CELL] for col in range(1, CELL)))


def _mosaic(patches: Field, places: Places) -> Field:
    """Patches side by side as they lie in the scene, `row col`; 0 where there is none."""
    _, height, width = patches.shape
    rows, columns = places.max(axis=0) + 1
    room = np.zeros((rows, columns, height, width), patches.dtype)
    room[places[:, 0], places[:, 1]] = patches
    mosaic: Field = room.swapaxes(1, 2).reshape(rows * height, columns * width)
    return mosaic


def _patches(mosaic: Mask, places: Places, edge: int) -> Mask:
    rows, columns = mosaic.shape[0] // edge, mosaic.shape[1] // edge
    return mosaic.reshape(rows, edge, columns, edge).swapaxes(1, 2)[places[:, 0], places[:, 1]]


def _moved(mask: Mask, down: int, right: int) -> Mask:
    """The mask moved; nothing comes in from beyond its edges."""
    out = np.zeros_like(mask)
    height, width = mask.shape
    to = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    of = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    out[to] = mask[of]
    return out


def _mark(kinds: Kinds, below: Mask) -> None:
    ground = (kinds == CLEAR) | (kinds == SHADOW) | (kinds == SNOW)
    kinds[kinds == SHADOW] = CLEAR
    kinds[ground & below.repeat(CELL, axis=1).repeat(CELL, axis=2)] = SHADOW
