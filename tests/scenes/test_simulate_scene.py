"""A simulated scene shows what was asked for, in all bands and in its classification."""

from __future__ import annotations

from datetime import UTC, datetime

import geopandas
import numpy as np
import pytest
import shapely

from benforge.core.grid import Grid
from benforge.errors import InputError
from benforge.scenes.simulate_facts import load_spectra
from benforge.scenes.simulate_land_cover import simulate_land_cover
from benforge.scenes.simulate_scene import (
    CLOUD_HIGH,
    CLOUD_MEDIUM,
    NO_DATA,
    SHADOW,
    SNOW,
    WET,
    Conditions,
    simulate_scene,
)

GRID = Grid("EPSG:32633", 300_000, 5_400_000, 10, 600, 600)
SUMMER = Conditions(time=datetime(2017, 7, 9, 10, tzinfo=UTC))
HARD = Conditions(
    time=datetime(2018, 2, 25, 10, tzinfo=UTC), cloud=0.2, snow=0.3, haze=0.3, nodata=0.15
)


@pytest.fixture(scope="module")
def land_cover() -> geopandas.GeoDataFrame:
    return simulate_land_cover(GRID, 1)


def one_class(code: int) -> geopandas.GeoDataFrame:
    ground = shapely.box(*GRID.bounds)
    return geopandas.GeoDataFrame({"Code_18": [str(code)]}, geometry=[ground], crs=GRID.crs)


def test_bands_have_their_native_size(land_cover: geopandas.GeoDataFrame) -> None:
    scene = simulate_scene(land_cover, GRID, SUMMER, 1)
    shapes = {name: scene[name].shape for name in ("B02", "B8A", "B09")}
    assert shapes == {"B02": (600, 600), "B8A": (300, 300), "B09": (100, 100)}
    assert tuple(scene) == load_spectra().bands
    assert len(scene) == 12
    with pytest.raises(KeyError):
        scene["B10"]


def test_asking_for_a_band_s_name_paints_nothing(
    land_cover: geopandas.GeoDataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = simulate_scene(land_cover, GRID, SUMMER, 1)
    monkeypatch.setattr(type(scene), "__getitem__", None)
    assert "B8A" in scene
    assert "B10" not in scene


def test_l1c_has_b10_and_brighter_blue(land_cover: geopandas.GeoDataFrame) -> None:
    above = Conditions(time=SUMMER.time, level="L1C")
    scene = simulate_scene(land_cover, GRID, above, 1)
    assert len(scene) == 13
    assert scene["B10"].mean() < 100
    below = simulate_scene(land_cover, GRID, SUMMER, 1)
    assert scene["B01"].mean() > below["B01"].mean() + 500


def test_shares_are_those_asked_for(land_cover: geopandas.GeoDataFrame) -> None:
    scene = simulate_scene(land_cover, GRID, HARD, 1)
    scl = scene.classification
    assert scl.shape == (300, 300)
    seen = scl != NO_DATA
    assert (~seen).mean() == pytest.approx(0.15, abs=0.01)
    assert np.isin(scl[seen], [CLOUD_MEDIUM, CLOUD_HIGH]).mean() == pytest.approx(0.2, abs=0.01)
    assert scene.cloud_cover == pytest.approx(20, abs=1)
    assert (scl == SHADOW).any()
    only_snow = Conditions(time=HARD.time, snow=0.3)
    scl = simulate_scene(land_cover, GRID, only_snow, 1).classification
    assert (scl == SNOW).mean() == pytest.approx(0.3, abs=0.01)


def test_no_data_is_0_in_every_band_and_nowhere_else(land_cover: geopandas.GeoDataFrame) -> None:
    scene = simulate_scene(land_cover, GRID, HARD, 1)
    empty = scene.classification == NO_DATA
    for name in ("B02", "B03", "B04", "B08"):
        np.testing.assert_array_equal(scene[name] == 0, empty.repeat(2, 0).repeat(2, 1))
    for name in ("B05", "B06", "B07", "B8A", "B11", "B12"):
        np.testing.assert_array_equal(scene[name] == 0, empty)
    for name in ("B01", "B09"):
        np.testing.assert_array_equal(scene[name] == 0, empty[1::3, 1::3])


def test_clouds_and_snow_are_bright_and_snow_dark_beyond_1500_nm(
    land_cover: geopandas.GeoDataFrame,
) -> None:
    scene = simulate_scene(land_cover, GRID, HARD, 1)
    scl, blue, swir = scene.classification, scene["B02"][::2, ::2], scene["B11"]
    ground = ~np.isin(scl, [NO_DATA, SHADOW, CLOUD_MEDIUM, CLOUD_HIGH, SNOW, WET])
    for bright in (CLOUD_HIGH, SNOW):
        assert np.median(blue[scl == bright]) > 2 * np.median(blue[ground])
    assert np.median(swir[scl == SNOW]) < np.median(swir[scl == CLOUD_HIGH]) / 2


@pytest.mark.parametrize("code", [312, 211, 512, 112])
def test_spectra_are_those_of_the_facts(code: int) -> None:
    scene = simulate_scene(one_class(code), GRID, SUMMER, 5)
    facts = load_spectra().classes[code]
    for number, name in enumerate(scene):
        spread = np.sqrt((facts.modes[:, number] ** 2).sum())
        # One polygon has a mood of its own, of up to a spread or so.
        assert abs(scene[name].mean() - facts.mean[number]) < 2 * spread + 10


def test_ground_stays_when_the_sky_changes(land_cover: geopandas.GeoDataFrame) -> None:
    clear = simulate_scene(land_cover, GRID, SUMMER, 1)
    cloudy = simulate_scene(land_cover, GRID, Conditions(time=SUMMER.time, cloud=0.3), 1)
    hidden = np.isin(cloudy.classification, [SHADOW, CLOUD_MEDIUM, CLOUD_HIGH])
    np.testing.assert_array_equal(clear["B05"][~hidden], cloudy["B05"][~hidden])
    assert (clear["B05"][hidden] != cloudy["B05"][hidden]).mean() > 0.9


def test_leaves_fall_in_winter() -> None:
    winter = Conditions(time=datetime(2018, 1, 9, tzinfo=UTC))
    near_infrared = [
        simulate_scene(one_class(311), GRID, when, 1)["B08"].mean() for when in (SUMMER, winter)
    ]
    assert near_infrared[1] < 0.7 * near_infrared[0]


def test_neighbouring_bands_and_pixels_go_together(land_cover: geopandas.GeoDataFrame) -> None:
    scene = simulate_scene(land_cover, GRID, SUMMER, 1)
    red, green = scene["B04"].astype(float), scene["B03"].astype(float)
    assert np.corrcoef(red.ravel(), green.ravel())[0, 1] > 0.8
    assert np.corrcoef(red[:, 1:].ravel(), red[:, :-1].ravel())[0, 1] > 0.8


def test_offset_is_taken_off_again(land_cover: geopandas.GeoDataFrame) -> None:
    plain = simulate_scene(land_cover, GRID, HARD, 1)["B11"].astype(int)
    shifted = simulate_scene(land_cover, GRID, HARD, 1, offset=-1000)["B11"].astype(int)
    np.testing.assert_array_equal(np.where(plain == 0, 0, plain + 1000), shifted)


def test_same_seed_same_pixels(land_cover: geopandas.GeoDataFrame) -> None:
    scenes = [simulate_scene(land_cover, GRID, HARD, seed)["B04"] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(scenes[0], scenes[1])
    assert (scenes[0] != scenes[2]).any()


def test_a_gap_in_the_map_is_painted() -> None:
    gap = one_class(512).clip(shapely.box(*GRID.crop(0, 0, 600, 300).bounds))
    scene = simulate_scene(gap, GRID, SUMMER, 1)
    assert scene["B08"][:, 310:].mean() > 5 * scene["B08"][:, :290].mean()


def test_impossible_scenes() -> None:
    with pytest.raises(InputError, match="cloud is a share"):
        Conditions(time=SUMMER.time, cloud=1.5)
    with pytest.raises(InputError, match="no spectrum for the classes \\[335\\]"):
        simulate_scene(one_class(335), GRID, SUMMER, 1)
