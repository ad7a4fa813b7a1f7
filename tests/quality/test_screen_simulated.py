"""How many of the patches that simulated weather hides are proposed, from the bands alone."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from benforge.core.grid import Grid
from benforge.quality.pixels import BANDS, CELL, cells_of_light, classify_pixels, kind_shares
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.shadows import settle_shadows
from benforge.scenes.simulate_land_cover import simulate_land_cover
from benforge.scenes.simulate_scene import Conditions, simulate_scene
from tests.quality.real import SENSOR, stack

PATCHES = 16
GRID = Grid("EPSG:32633", 300_000, 5_400_000, 10, PATCHES * 120, PATCHES * 120)
PLACES = np.stack(np.divmod(np.arange(PATCHES**2), PATCHES), axis=1)
RECIPE = ScreenRecipe()
WINTER = Conditions(time=datetime(2018, 2, 25, 10, tzinfo=UTC), snow=0.5, cloud=0.2)
SUMMER = Conditions(time=datetime(2017, 7, 9, 10, tzinfo=UTC), cloud=0.5)


def cut(mosaic):
    size = mosaic.shape[0] // PATCHES
    parts = mosaic.reshape(PATCHES, size, PATCHES, size).swapaxes(1, 2)
    return parts.reshape(PATCHES**2, size, size)


@pytest.fixture(scope="module")
def seen():
    """Shares of snow, and of cloud or shadow, `patch 2`: true, and found in the bands."""
    truth, found = [], []
    land_cover = simulate_land_cover(GRID, 4)
    for conditions in (WINTER, SUMMER):
        scene = simulate_scene(land_cover, GRID, conditions, 4)
        weather = scene.weather
        hidden = (weather.cloud > 0) | weather.shadow
        masks = [weather.snow & ~hidden, hidden]
        truth.append(np.stack([cut(mask).mean(axis=(1, 2)) for mask in masks], axis=1))
        pixels = stack({name: cut(scene[name]) for name in BANDS})
        kinds = classify_pixels(pixels, SENSOR, RECIPE)
        light = cells_of_light(pixels, SENSOR)
        settle_shadows(kinds, light, PLACES, 48.0, RECIPE)
        shares = kind_shares(kinds)
        found.append(np.stack([shares[:, 0], shares[:, 1] + shares[:, 2]], axis=1))
    assert kinds.shape[1] == light.shape[1] * CELL
    return np.concatenate(truth), np.concatenate(found)


@pytest.mark.parametrize(("flag", "least"), [(0, RECIPE.minimum_snow), (1, RECIPE.minimum_cloud)])
def test_proposals_from_bands_are_right_and_few_are_missed(seen, flag, least):
    truth, found = (shares[:, flag] >= least for shares in seen)
    assert truth.sum() > 50
    assert (truth & found).sum() / found.sum() >= 0.95
    assert (truth & found).sum() / truth.sum() >= 0.95
