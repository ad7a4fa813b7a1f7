"""Where a scene shows no ground: no data, cloud and its shadow; and where snow lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.warp import transform

from benforge.core.grid import Grid
from benforge.core.sensor import Sensor
from benforge.mapping.plan import CELL, MapPlan, Shares
from benforge.patches.cut import Mosaics, nodata_shares
from benforge.patches.plan import PatchRecipe, plan_patches
from benforge.quality.classification import classify_codes
from benforge.quality.pixels import (
    BANDS,
    CLOUD,
    NODATA,
    PIXEL_SIZE,
    SHADOW,
    SNOW,
    Kinds,
    cells_of_light,
    classify_pixels,
)
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.shadows import settle_shadows

CLASSIFIED, BY_BANDS, NOT_LOOKED = "scene classification", "bands", "not looked for"
"""What clouds were told by."""

_STRIP = 60
"""Rows of 20 m that are looked at together: their numbers stay in a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Shares of each window of a map, row by row, 0 to 1.

    Args:
        nodata: of cells of 60 m with a pixel that is 0 in any decoded band.
        cloud: of pixels of 20 m under cloud or its shadow.
        snow: likewise under snow.
        source: what told cloud and snow.
    """

    nodata: Shares
    cloud: Shares
    snow: Shares
    source: str

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """Windows that miss data anywhere: the model has seen none like them."""
        return np.asarray(self.nodata > 0)

    def clouded(self, recipe: ScreenRecipe) -> npt.NDArray[np.bool_]:
        """Windows with so much cloud and shadow that a screening would propose to drop them."""
        return np.asarray((self.cloud >= recipe.minimum_cloud) & ~self.empty)


def find_cover(
    plan: MapPlan,
    mosaics: Mosaics,
    sensor: Sensor,
    codes: npt.NDArray[np.uint8] | None,
    recipe: ScreenRecipe,
) -> Cover:
    """What covers each window.

    Clouds are told by the scene classification; without one by indices of the bands, and by none
    where these bands were not decoded.

    Args:
        plan: the windows.
        mosaics: the whole scene.
        sensor: the decoded bands.
        codes: the scene classification at 20 m, or None.
        recipe: the thresholds of `ben screen`.
    """
    cells = plan_patches(plan.tile, PatchRecipe(edge=CELL))
    nodata = nodata_shares(mosaics, cells).reshape(cells.rows, cells.columns) > 0
    told = plan.window_shares(nodata.view(np.uint8))
    if codes is not None:
        kinds, source = classify_codes(codes, recipe), CLASSIFIED
    elif {band.name for band in sensor.patch_bands} >= set(BANDS):
        kinds, source = _from_bands(plan.tile, mosaics, sensor, recipe), BY_BANDS
    else:
        return Cover(told, np.zeros_like(told), np.zeros_like(told), NOT_LOOKED)
    hidden = _window_shares(plan, (kinds == CLOUD) | (kinds == SHADOW))
    return Cover(told, hidden, _window_shares(plan, kinds == SNOW), source)


def _window_shares(plan: MapPlan, mask: npt.NDArray[np.bool_]) -> Shares:
    """The share of each window, by way of the count in each cell of 60 m."""
    per = CELL // PIXEL_SIZE
    rows, columns = (n // per for n in mask.shape)
    blocks = mask.view(np.uint8).reshape(rows, per, columns, per)
    return plan.window_shares(blocks.sum(axis=(1, 3), dtype=np.uint8), per**2)


def _from_bands(tile: Grid, mosaics: Mosaics, sensor: Sensor, recipe: ScreenRecipe) -> Kinds:
    """What each pixel of 20 m is, `row col`, looked at in strips; shadows by the whole scene."""
    kinds, light = [], []
    sizes = {sensor.band(name).pixel_size for name in BANDS}
    for top in range(0, mosaics[PIXEL_SIZE].shape[1], _STRIP):
        strip = {}
        for size in sizes:
            first, last = (row * PIXEL_SIZE // size for row in (top, top + _STRIP))
            strip[size] = mosaics[size][None, :, first:last]
        kinds.append(classify_pixels(strip, sensor, recipe)[0])
        light.append(cells_of_light(strip, sensor)[0])
    found = np.concatenate(kinds)
    square = _as_square(found, NODATA)
    place = np.zeros((1, 2), np.int64)
    lit = _as_square(np.concatenate(light), 0)
    settle_shadows(square[None], lit[None], place, _latitude(tile), recipe)
    return square[: found.shape[0], : found.shape[1]]


def _as_square(field: npt.NDArray[Any], fill: int) -> npt.NDArray[Any]:
    """The field, made square to the right or below."""
    edge = max(field.shape)
    room = np.full((edge, edge), fill, field.dtype)
    room[: field.shape[0], : field.shape[1]] = field
    return room


def _latitude(tile: Grid) -> float:
    """Of the tile's middle, degrees north."""
    left, bottom, right, top = tile.bounds
    _, [latitude] = transform(tile.crs, "EPSG:4326", [(left + right) / 2], [(bottom + top) / 2])
    return float(latitude)
