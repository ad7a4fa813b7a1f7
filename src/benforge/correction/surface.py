"""One band corrected: digital numbers through tables, then the light of the surroundings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benforge.correction.neighbours import Floats, block_mean, box_mean, enlarge
from benforge.correction.sixs_run import Passage
from benforge.correction.tables import WATERS, to_ground
from benforge.scenes.port import SATURATED

WATER_LEVELS: tuple[float, ...] = tuple(
    float(root) ** 2 for root in np.linspace(WATERS[0] ** 0.5, WATERS[-1] ** 0.5, 64)
)
"""Columns of water vapour that a table of digital numbers is made for, g/cm2: steps so small that
none shows, 2 % of B09 at most."""

_AROUND = 16
"""Pixels of 60 m to each side that light is scattered in from: 2 km across."""

_MOST = np.float32(0.5)
"""Share of a pixel that may be light from around: a dark pixel beside bright ones keeps half."""

_STRIP = 240


def water_levels(water: Floats) -> npt.NDArray[np.uint8]:
    """Index into `WATER_LEVELS` of the nearest level, same shape."""
    roots = np.sqrt(WATER_LEVELS)
    steps = (np.sqrt(water) - roots[0]) / (roots[1] - roots[0])
    levels: npt.NDArray[np.uint8] = np.rint(steps).clip(0, len(roots) - 1).astype(np.uint8)
    return levels


def correct_band(
    top: npt.NDArray[np.uint16],
    levels: npt.NDArray[np.uint8],
    passages: Sequence[Passage],
    factor: int,
    plain: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.uint16]:
    """Reflectance of the ground x 10,000; works in place.

    A valid pixel is at least 1, no data (0) and saturated (65,535) stay. Light that the air
    scatters in from the surroundings is taken off: the ground is
    `alone + spread x (alone - mean of alone around)` (after Vermote and others, 1997).

    Args:
        top: `row col`, reflectance at the top of the atmosphere x 10,000; changed.
        levels: `row col` at 60 m, index of the passage of each pixel.
        passages: one a level of water vapour.
        factor: pixels of the band along one of 60 m.
        plain: `row col` at 60 m, ground without snow and cloud, whose light is reckoned with;
            all if left out. Other pixels lend none and are left as they are alone.

    Returns:
        `top`.
    """
    used = np.unique(levels)
    places = np.zeros(256, np.int32)
    places[used] = np.arange(len(used)) << 16
    tables = np.stack([ground_table(passages[level]) for level in used]).ravel()
    starts = places[levels]
    for rows in _strips(top.shape[0]):
        part = top[rows]
        index = part + (enlarge(starts, factor, rows) if len(used) > 1 else np.int32(0))
        np.take(tables, index, out=part, mode="clip")
    _take_off_surroundings(top, passages[int(np.median(levels))].spread, factor, plain)
    return top


def ground_table(passage: Passage) -> npt.NDArray[np.uint16]:
    """Digital number to reflectance of the ground x 10,000: 65,536 values to look up."""
    top = np.arange(2**16) / 10_000
    table: npt.NDArray[np.uint16] = (
        np.rint(to_ground(top, passage) * 10_000).clip(1, SATURATED - 1).astype(np.uint16)
    )
    table[[0, SATURATED]] = 0, SATURATED
    return table


def _take_off_surroundings(
    ground: npt.NDArray[np.uint16],
    spread: float,
    factor: int,
    plain: npt.NDArray[np.bool_] | None,
) -> None:
    """Add `spread` times the difference to the mean around, half of a pixel at most; in place."""
    means = block_mean(ground, factor)
    valid = (means > 0) & (means < SATURATED - 1)
    around = box_mean(means, valid if plain is None else valid & plain, _AROUND)
    around[np.isnan(around)] = 0
    if plain is not None:
        around[~plain] = 0
    for rows in _strips(ground.shape[0]):
        part = ground[rows]
        own = part.astype(np.float32)
        mean = enlarge(around, factor, rows)
        change = np.float32(spread) * np.where(mean > 0, own - mean, np.float32(0))
        alone = own + np.maximum(change, -_MOST * own)
        changed = np.rint(alone).clip(1, SATURATED - 1).astype(np.uint16)
        np.copyto(part, changed, where=(part != 0) & (part != SATURATED))


def _strips(height: int) -> list[slice]:
    """Rows in portions: whole pixels of 60 m, small enough to stay in the cache."""
    return [slice(row, min(row + _STRIP, height)) for row in range(0, height, _STRIP)]
