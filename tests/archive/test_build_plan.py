from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benforge.archive.build_plan import Candidate, Held, inputs_of, plan_build
from benforge.archive.build_recipe import ProductRecipe
from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.sensor import load_sensor
from benforge.errors import ConflictError, ProductError
from benforge.scenes.port import SceneMetadata


def candidate(
    tile: str = "33UUP",
    date: str = "20170613",
    baseline: str = "02.05",
    level: str = "L2A",
    checks: dict[str, str] | None = None,
    fingerprint: str = "a",
    folder: str = "products",
) -> Candidate:
    product = ProductId("S2A", level, f"{date}T101031", baseline.replace(".", ""), 22, tile)
    meta = SceneMetadata(
        product=product,
        source=f"{product}_20170613T101608",
        level=level,
        baseline=baseline,
        sensing_time=datetime(2017, 6, 13, tzinfo=UTC),
        orbit=22,
        tile=tile,
        grid=Grid("EPSG:32633", 300000, 5400000, 10, 10980, 10980),
        sensor=load_sensor(),
        quantification=10000,
        offsets={},
        cloud_cover=0.5,
        quality_checks=checks or {},
        fingerprint=fingerprint,
        simulated=False,
    )
    return Candidate(Path(folder) / f"{product}.SAFE", meta)


def held(one: Candidate, land_cover: str = "map") -> dict[str, Held]:
    meta = one.metadata
    return {one.scene: Held(meta.level, meta.baseline, inputs_of(one, land_cover))}


def test_products_of_one_tile_are_built_together_in_a_fixed_order() -> None:
    found = [
        candidate("33UUP", "20171001"),
        candidate("29UPA"),
        candidate("33UUP", "20170613"),
    ]
    plan = plan_build(found, {}, "map", ProductRecipe())
    assert [[c.scene[-5:] for c in tile] for tile in plan.tiles] == [["29UPA"], ["33UUP", "33UUP"]]
    assert plan == plan_build(found[::-1], {}, "map", ProductRecipe())


def test_what_is_held_with_the_same_input_is_skipped() -> None:
    one, other = candidate(), candidate("29UPA")
    plan = plan_build([one, other], held(one), "map", ProductRecipe())
    assert plan.held == (one.scene,)
    assert plan.tiles == ((other,),)


@pytest.mark.parametrize(
    ("change", "land_cover", "what"),
    [({"fingerprint": "b"}, "map", "another product"), ({}, "other", "another land_cover")],
)
def test_what_is_held_with_other_input_is_refused(
    change: dict[str, str], land_cover: str, what: str
) -> None:
    one = candidate()
    with pytest.raises(ConflictError, match=what):
        plan_build([candidate(**change)], held(one), land_cover, ProductRecipe())


def test_baselines_are_mixed_only_by_word() -> None:
    old, new = candidate(baseline="02.06"), candidate("29UPA", baseline="05.09")
    with pytest.raises(ConflictError, match=r"02\.06 in .*05\.09 in .*mix_baselines=true"):
        plan_build([old, new], {}, "map", ProductRecipe())
    with pytest.raises(ConflictError, match="mixed"):
        plan_build([new], held(old), "map", ProductRecipe())
    assert len(plan_build([old, new], {}, "map", ProductRecipe(mix_baselines=True)).tiles) == 2


def test_the_papers_two_baselines_count_as_one() -> None:
    both = [candidate(baseline="02.05"), candidate("29UPA", baseline="02.06")]
    assert len(plan_build(both, {}, "map", ProductRecipe()).tiles) == 2


def corrected(tile: str, origin: str, baseline: str = "00.06") -> Candidate:
    one = candidate(tile, baseline=baseline)
    return replace(one, metadata=replace(one.metadata, origin_baseline=origin))


def test_corrected_products_are_mixed_only_by_word_where_their_sources_differ() -> None:
    old, older, new = (
        corrected("33UUP", "02.06"),
        corrected("29UPA", "02.05"),
        corrected("29UPB", "05.00"),
    )
    assert len(plan_build([old, older], {}, "map", ProductRecipe()).tiles) == 2
    with pytest.raises(ConflictError, match=r"00\.06 of 02\.06 in .*00\.06 of 05\.00 in "):
        plan_build([old, new], {}, "map", ProductRecipe())
    there = {old.scene: Held("L2A", "00.06", inputs_of(old, "map"), "02.06")}
    with pytest.raises(ConflictError, match=r"02\.06 in .*05\.00 in "):
        plan_build([new], there, "map", ProductRecipe())
    assert len(plan_build([old, new], {}, "map", ProductRecipe(mix_baselines=True)).tiles) == 2


def test_levels_are_never_mixed() -> None:
    one = candidate(level="L1C")
    with pytest.raises(ProductError, match=r"products\.level=L1C"):
        plan_build([one], {}, "map", ProductRecipe())
    with pytest.raises(ConflictError, match="another level"):
        plan_build([candidate("29UPA")], held(one), "map", ProductRecipe())


def test_failed_products_are_left_out_where_the_recipe_says_so() -> None:
    bad = candidate(checks={"GEOMETRIC_QUALITY": "FAILED", "SENSOR_QUALITY": "PASSED"})
    assert plan_build([bad], {}, "map", ProductRecipe()).left_out == {}
    plan = plan_build([bad], {}, "map", ProductRecipe(drop_failed=True))
    assert plan.left_out == {bad.scene: "failed GEOMETRIC_QUALITY"}
    assert plan.tiles == ()


def test_two_products_of_one_scene_are_refused() -> None:
    one = candidate()
    again = replace(one, path=Path("elsewhere") / one.path.name)
    with pytest.raises(ConflictError, match="two products"):
        plan_build([one, again], {}, "map", ProductRecipe())
