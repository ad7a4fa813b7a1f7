"""What covers windows: as the scene classification says, as ben screen sees, as zeros lie."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import rasterio

from benforge.mapping.clouds import BY_BANDS, CLASSIFIED, NOT_LOOKED, find_cover
from benforge.mapping.plan import plan_map
from benforge.mapping.reading import DecodedScene, decode_scene
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.screen import screen_archive
from benforge.quality.screening_files import read_screening
from benforge.scenes.open import open_scene
from benforge.testing.products import noise, write_small_product
from tests.mapping.conftest import World

RECIPE = ScreenRecipe()


def decoded(product: Path, bands: tuple[str, ...] = ("B02", "B11"), **words: bool) -> DecodedScene:
    return decode_scene(open_scene(product), bands, **{"clouds": True, **words})


def test_clouds_are_those_of_the_scene_classification(world: World) -> None:
    scene = decoded(world.product)
    assert [band.name for band in scene.sensor.patch_bands] == ["B02", "B11"]
    plan = plan_map(scene.metadata.grid, 120, 30)
    found = find_cover(plan, scene.mosaics, scene.sensor, scene.codes, RECIPE)
    [file] = world.product.rglob("*_SCL_20m.jp2")
    with rasterio.open(file) as source:
        hidden = np.isin(source.read(1), [3, 8, 9, 10])
    corners = (plan.corners // 2).tolist()
    shares = np.array([hidden[r : r + 60, c : c + 60].mean() for r, c in corners])
    assert found.source == CLASSIFIED
    assert np.abs(found.cloud - shares).max() < 1e-6
    assert (found.clouded(RECIPE) == (shares >= 0.5)).all()
    assert 0 < found.clouded(RECIPE).sum() < len(plan)


def test_without_one_clouds_are_those_that_ben_screen_sees(world: World) -> None:
    rules = msgspec.structs.replace(RECIPE, use_classification=False)
    screen_archive(world.archive, name="map", recipe=rules, replace=True, workers=1)
    table = read_screening(world.archive.root, "map").table
    ids = world.archive.index["patch_id"].to_pylist()
    rows = {row["patch_id"]: row for row in table.to_pylist()}
    scene = decoded(world.product, tuple(b.name for b in world.archive.meta.sensor.patch_bands))
    plan = plan_map(scene.metadata.grid, 120)
    found = find_cover(plan, scene.mosaics, scene.sensor, None, rules)
    assert found.source == BY_BANDS
    cloud = [rows[one]["cloud"] + rows[one]["shadow"] for one in ids]
    assert np.abs(found.cloud - np.array(cloud)).max() < 1e-6
    assert np.abs(found.snow - np.array([rows[one]["snow"] for one in ids])).max() < 1e-6
    assert max(cloud) > 0.3


def test_where_nothing_can_tell_none_is_told(world: World) -> None:
    scene = decoded(world.product, clouds=False)
    plan = plan_map(scene.metadata.grid, 120)
    found = find_cover(plan, scene.mosaics, scene.sensor, None, RECIPE)
    assert found.source == NOT_LOOKED
    assert not found.clouded(RECIPE).any()


def test_windows_that_miss_data_anywhere_are_empty(tmp_path: Path) -> None:
    product = write_small_product(tmp_path, bands=noise(empty=3))
    scene = decoded(product, ("B04",), clouds=False)
    plan = plan_map(scene.metadata.grid, 120, 12)
    found = find_cover(plan, scene.mosaics, scene.sensor, None, RECIPE)
    assert (found.empty == (plan.corners[:, 1] < 3 * 6)).all()
    assert found.empty.sum() == 2 * plan.rows
