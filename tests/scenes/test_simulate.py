"""A whole simulation: what it writes, that it goes on where it was, and what it refuses."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pyogrio
import pytest
import rasterio

from benforge.errors import ConflictError, RecipeError
from benforge.scenes.open import open_scene
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate

SUMMER = SimulateDate(date=date(2017, 6, 13))
WINTER = SimulateDate(date=date(2018, 2, 25), cloud=0.2, snow=0.3, nodata=0.1)
RECIPE = SimulateRecipe(size=360, seed=3, dates=(SUMMER, WINTER))


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "out"
    simulate(out, RECIPE)
    return out


def test_map_and_one_product_a_date(done: Path) -> None:
    simulated = simulate(done, RECIPE)
    assert simulated.land_cover == done / "land_cover.gpkg"
    assert "Code_18" in pyogrio.read_info(simulated.land_cover)["fields"]
    assert [path.name for path in simulated.products] == [
        "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE",
        "S2A_MSIL2A_20180225T101031_N0205_R022_T33UUP_20180225T101608.SAFE",
    ]


def test_products_open_and_say_that_they_are_simulated(done: Path) -> None:
    for path in simulate(done, RECIPE).products:
        metadata = open_scene(path).metadata
        assert metadata.simulated
        assert metadata.grid == RECIPE.grid
    assert metadata.cloud_cover == pytest.approx(20, abs=3)


def test_the_second_date_shows_its_weather(done: Path) -> None:
    summer, winter = (open_scene(path) for path in simulate(done, RECIPE).products)
    clear, scl = summer.read_classification(), winter.read_classification()
    assert clear is not None
    assert scl is not None
    assert set(np.unique(clear)) <= {4, 5, 6}
    assert {0, 8, 9, 11} <= set(np.unique(scl))
    assert (winter.read_band("B05") == 0).mean() == pytest.approx(0.1, abs=0.02)


def test_same_recipe_same_files_and_dates_may_come_later(done: Path, tmp_path: Path) -> None:
    simulate(tmp_path, msgspec.structs.replace(RECIPE, dates=(WINTER,)), threads=1)
    told: list[str] = []
    simulate(tmp_path, RECIPE, told.append)
    assert fingerprints(tmp_path) == fingerprints(done)
    assert len(told) == 1


def test_what_is_there_is_not_written_again(done: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*.jp2")}
    told: list[str] = []
    simulate(done, RECIPE, told.append)
    assert told == []
    assert before == {path: path.stat().st_mtime_ns for path in done.rglob("*.jp2")}


@pytest.mark.parametrize(
    "other",
    [
        msgspec.structs.replace(RECIPE, seed=4),
        msgspec.structs.replace(RECIPE, dates=(SimulateDate(date=date(2017, 6, 13), haze=1.0),)),
    ],
)
def test_another_recipe_is_refused(done: Path, other: SimulateRecipe) -> None:
    before = fingerprints(done)
    with pytest.raises(ConflictError, match="another recipe"):
        simulate(done, other)
    assert fingerprints(done) == before


def test_newer_baselines_carry_an_offset_that_readers_take_off(done: Path, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, dates=(SUMMER,), baseline="05.09")
    newer = simulate(tmp_path, recipe).products[0]
    older = simulate(done, RECIPE).products[0]
    scene = open_scene(newer)
    assert set(scene.metadata.offsets.values()) == {-1000}
    np.testing.assert_array_equal(scene.read_band("B03"), open_scene(older).read_band("B03"))
    with rasterio.open(next(newer.rglob("*_B03_10m.jp2"))) as dataset:
        assert dataset.read(1).min() > 1000


def test_l1c(tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, dates=(SUMMER,), level="L1C")
    scene = open_scene(simulate(tmp_path, recipe).products[0])
    assert scene.metadata.level == "L1C"
    assert scene.read_classification() is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 100},
        {"size": 361},
        {"size": 10_986},
        {"dates": ()},
        {"dates": (SUMMER, SUMMER)},
        {"dates": (SimulateDate(date=date(1969, 7, 20)),)},
        {"dates": (SimulateDate(date=date(2015, 6, 22)),)},
        {"dates": (SUMMER, SimulateDate(date=date(2101, 1, 1)))},
        {"seed": -1},
    ],
)
def test_impossible_recipes(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError):
        msgspec.structs.replace(RECIPE, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "L3"},
        {"tile": "x"},
        {"baseline": "five"},
        {"dates": (SimulateDate(date=date(2017, 6, 13), cloud=2.0),)},
        {"crs": "33"},
        {"polygons": 0},
        {"polygons": 10**6},
        {"gap": 1.0},
    ],
)
def test_impossible_products_are_refused_before_anything_is_written(
    wrong: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(RecipeError):
        simulate(tmp_path / "out", msgspec.structs.replace(RECIPE, **wrong))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("baseline", ["5.9", "abc", "05.9", "", "05.090"])
def test_a_baseline_of_another_form_is_named(baseline: str) -> None:
    with pytest.raises(RecipeError, match=r"^baseline: .* is no processing baseline.*NN\.NN"):
        SimulateRecipe(baseline=baseline)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="colour"):
        msgspec.json.decode(b'{"colour": 1}', type=SimulateRecipe)
