"""Shadows are found where made-up clouds throw them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from benforge.quality import shadows
from benforge.quality.pixels import CELL, CLEAR, CLOUD, SHADOW
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.shadows import settle_shadows

PATCHES, EDGE = 8, 20
"""Patches along the edge of the scene, and cells along the edge of a patch."""

PLACES = np.stack(np.divmod(np.arange(PATCHES**2), PATCHES), axis=1)


def cut(mosaic):
    size = mosaic.shape[0] // PATCHES
    parts = mosaic.reshape(PATCHES, size, PATCHES, size).swapaxes(1, 2)
    return parts.reshape(PATCHES**2, size, size)


def scene(down, right, seed=0):
    """Kinds at 20 m, light, and where shade lies, of cells."""
    rng, size = np.random.default_rng(seed), PATCHES * EDGE
    field = gaussian_filter(rng.standard_normal((size, size)), 5, mode="wrap")
    cloud = field > np.quantile(field, 0.8)
    shade = np.roll(cloud, (down, right), axis=(0, 1)) & ~cloud
    parcels = rng.uniform(0.1, 0.4, (size // 8, size // 8)).repeat(8, axis=0).repeat(8, axis=1)
    light = np.where(shade, 0.35 * parcels, parcels).astype(np.float32)
    kinds = np.where(cloud, CLOUD, CLEAR).astype(np.uint8)
    return cut(kinds.repeat(CELL, axis=0).repeat(CELL, axis=1)), cut(light), cut(shade)


@pytest.mark.parametrize(
    ("down", "right", "latitude"), [(-14, -9, 48), (-20, -3, 65), (12, -10, -30), (5, -8, 5)]
)
def test_shade_is_found_at_any_distance_away_from_the_sun(down, right, latitude):
    kinds, light, shade = scene(down, right)
    settle_shadows(kinds, light, PLACES, latitude, ScreenRecipe())
    found = kinds[:, ::CELL, ::CELL] == SHADOW
    hit = (found & shade).sum()
    assert hit / found.sum() > 0.95
    assert hit / shade.sum() > 0.8  # clouds beyond the edges throw shade into the scene


def test_shade_towards_the_sun_is_none():
    kinds, light, shade = scene(14, 9)
    settle_shadows(kinds, light, PLACES, 48, ScreenRecipe())
    assert ((kinds[:, ::CELL, ::CELL] == SHADOW) & shade).sum() < 0.5 * shade.sum()


def test_without_clouds_dark_ground_is_no_shadow():
    kinds = np.full((1, 60, 60), SHADOW, np.uint8)
    light = np.full((1, 20, 20), 0.08, np.float32)
    settle_shadows(kinds, light, np.array([[3, 4]]), 48, ScreenRecipe())
    assert (kinds == CLEAR).all()


def test_dark_ground_stays_where_too_little_is_seen_to_tell():
    kinds = np.full((1, 60, 60), CLOUD, np.uint8)
    kinds[:, :2] = SHADOW
    before = kinds.copy()
    settle_shadows(
        kinds, np.full((1, 20, 20), 0.08, np.float32), np.array([[0, 0]]), 48, ScreenRecipe()
    )
    assert (kinds == before).all()


def test_empty_ground_between_patches_changes_nothing(monkeypatch):
    """Quarters of a scene far apart give the same shadows, whether or not the gaps are kept."""
    kinds, light, _ = scene(-14, -9)
    apart = PLACES + np.where(PLACES >= PATCHES // 2, 70, 0)
    near, far = kinds.copy(), kinds.copy()
    sizes = []
    real = shadows.find_throw

    def find_throw(cloud, *rest):
        sizes.append(cloud.shape)
        return real(cloud, *rest)

    monkeypatch.setattr(shadows, "find_throw", find_throw)
    settle_shadows(near, light, apart, 48, ScreenRecipe())
    monkeypatch.setattr(shadows, "_closer", lambda places, gap: places)
    settle_shadows(far, light, apart, 48, ScreenRecipe())
    assert (near == SHADOW).any()
    np.testing.assert_array_equal(near, far)
    assert sizes == [((PATCHES + 15) * EDGE,) * 2, ((PATCHES + 70) * EDGE,) * 2]
