from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.quality.pixels import (
    CLEAR,
    CLOUD,
    NODATA,
    SHADOW,
    SNOW,
    cells_of_light,
    classify_pixels,
    kind_shares,
)
from benforge.quality.recipe import ScreenRecipe
from tests.quality.real import SENSOR, barbellino, major_tom, slovenia, stack

RECIPE = ScreenRecipe()
NAMES = ("B02", "B03", "B04", "B8A", "B11", "B12")


def uniform(values):
    """One patch of 60 m of one reflectance x 10,000 a band."""
    return stack(
        {
            name: np.full((1, *(60 // SENSOR.band(name).pixel_size,) * 2), value, np.uint16)
            for name, value in zip(NAMES, values, strict=True)
        }
    )


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        # Medians of real patches of the sample, and of one shaded forest in it.
        (SNOW, (2960, 2560, 2450, 3250, 350, 370)),
        (SNOW, (1580, 1430, 1325, 2725, 725, 435)),  # half that snow, half conifers
        (CLEAR, (460, 920, 830, 3740, 2220, 1390)),  # fields
        (CLEAR, (1030, 1490, 1870, 3000, 3000, 2300)),  # beach
        (CLEAR, (240, 170, 110, 80, 60, 50)),  # sea
        (CLEAR, (130, 110, 90, 160, 120, 80)),  # brown lake
        (CLEAR, (150, 190, 270, 510, 1100, 900)),  # bog in winter
        (CLOUD, (2340, 2550, 2640, 4520, 3830, 3260)),
        (SHADOW, (110, 110, 50, 520, 220, 120)),
        (NODATA, (0, 0, 0, 0, 0, 0)),
        (CLEAR, (0, 0, 0, 0, 0, 1)),
    ],
)
def test_what_real_spectra_are(kind, values):
    assert (classify_pixels(uniform(values), SENSOR, RECIPE) == kind).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_shares_exclude_each_other_and_know_no_neighbours(seed, patches):
    rng = np.random.default_rng(seed)
    high = rng.choice([3, 2000, 12_000])
    pixels = {
        10: rng.integers(0, high, (patches, 4, 12, 12), np.uint16),
        20: rng.integers(0, high, (patches, 6, 6, 6), np.uint16),
    }
    kinds = classify_pixels(pixels, SENSOR, RECIPE)
    shares = kind_shares(kinds)
    assert (shares >= 0).all()
    assert shares.sum(axis=1).max() <= 1 + 1e-6
    for patch in range(patches):
        alone = {size: values[patch : patch + 1] for size, values in pixels.items()}
        assert (classify_pixels(alone, SENSOR, RECIPE) == kinds[patch]).all()


def test_light_is_the_mean_of_b8a():
    pixels = uniform((0, 0, 0, 3000, 0, 0))
    pixels[20][0, 3] = np.arange(9).reshape(3, 3) * 1000
    names = [band.name for band in SENSOR.bands_at(20)]
    assert names[3] == "B8A"
    assert cells_of_light(pixels, SENSOR).tolist() == [[[pytest.approx(0.4)]]]


def test_cloudy_dates_over_slovenia_are_told_from_clear_ones(shared_data):
    pixels = slovenia(shared_data / "sentinel2" / "eolearn_slovenia_l1c.npy")
    cloud = np.mean(classify_pixels(pixels, SENSOR, RECIPE) == CLOUD, axis=(1, 2))
    assert cloud[:2].min() > 0.95
    assert cloud[2:].max() < 0.06


@pytest.mark.parametrize("offset", [0, 1000])
def test_every_patch_of_a_cloudy_scene_is_cloud(shared_data, offset):
    """Whether the offset of this scene is still in its numbers is not told; it does not matter."""
    (folder,) = (shared_data / "sentinel2" / "majortom_S2L2A").glob("*/*/S2A_MSIL2A_20220706*")
    shares = kind_shares(classify_pixels(major_tom(folder, offset), SENSOR, RECIPE))
    assert shares[:, 1].min() > 0.9


def test_no_patch_of_a_clear_scene_is_cloud_or_snow(shared_data):
    (folder,) = (shared_data / "sentinel2" / "majortom_S2L2A").glob("*/*/S2B_MSIL2A_20200223*")
    shares = kind_shares(classify_pixels(major_tom(folder), SENSOR, RECIPE))
    assert shares[:, :2].max() < 0.03


def test_clouds_of_the_scene_classification_are_found_in_the_bands(shared_data):
    folder = shared_data / "sentinel2" / "sen2r_barbellino_pairs"
    pixels, codes = barbellino(folder, "20170703")
    cloud = classify_pixels(pixels, SENSOR, RECIPE) == CLOUD
    assert cloud[np.isin(codes, (8, 9))].all()
    assert cloud[codes == 4].mean() < 0.05
    assert cloud[codes == 6].mean() < 0.05
    pixels, codes = barbellino(folder, "20190723")
    assert not np.isin(codes, (3, 8, 9, 10, 11)).any()
    # The pale wall of a dam and rocks beside it, which the classification leaves open.
    assert (classify_pixels(pixels, SENSOR, RECIPE) == CLOUD).mean() < 0.07
