import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import ConflictError, InputError
from benforge.labels.countries import outline_of
from benforge.pipeline.tiles import COAST
from benforge.tiles.choose import choose
from benforge.tiles.entry import Entry
from benforge.tiles.ground import square_of
from benforge.tiles.named import named_selection, wish_for
from benforge.tiles.wish import Period, Wish
from tests.tiles.catalogues import (
    cdse_item,
    decoys,
    earth_search_item,
    planetary_item,
    product_id,
    real,
)

UUP = "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608"
SEASONS = {"spring": 40, "autumn": 32, "summer": 31, "winter": 22}


def paper_wish(**changes: Any) -> Wish:
    """What the paper asked for."""
    countries = load_bigearthnet().countries
    fields: dict[str, Any] = {
        "level": "L1C",
        "area": outline_of(countries).buffer(COAST),
        "area_name": "ten countries",
        "period": Period.parse("2017-06-01/2018-05-31"),
        "cloud": 1.0,
        "baselines": ("02.05", "02.06"),
    }
    return Wish(**{**fields, **changes})


def entry(name: str = UUP, cloud: float | None = 0.5, **changes: str) -> Entry:
    found = Entry.parse(cdse_item(product_id(name, **changes), cloud))
    assert found
    return found


@pytest.fixture(scope="module")
def listed() -> list[tuple[str, float | None]]:
    """The 125 among 1,250 decoys, in no order."""
    found = [*real(), *decoys()]
    random.Random(7).shuffle(found)
    return found


@pytest.mark.parametrize("form", [cdse_item, earth_search_item, planetary_item])
def test_the_125_are_chosen_among_decoys(
    form: Callable[[str, float | None], dict[str, Any]], listed: list[tuple[str, float | None]]
) -> None:
    entries = [Entry.parse(form(name, cloud)) for name, cloud in listed]
    found = choose([e for e in entries if e], paper_wish())
    assert {e.name for e in found.entries} == set(load_bigearthnet().products)
    assert Counter(e.season for e in found.entries) == SEASONS
    assert dict(found.baselines) == {"02.05": 57, "02.06": 68}
    left = {step.what: step.left for step in found.steps}
    assert left["in the catalogue"] == len({name for name, _ in listed}) > 1300
    assert left["one a tile and season"] == 125


def test_a_named_selection_takes_its_own_of_a_catalogue(
    listed: list[tuple[str, float | None]],
) -> None:
    entries = [e for name, cloud in listed if (e := Entry.parse(cdse_item(name, cloud)))]
    found = choose(entries, wish_for("bigearthnet-2019", Wish()))
    assert {e.name for e in found.entries} == set(load_bigearthnet().products)
    again = choose(entries, wish_for("bigearthnet-2019", Wish(baselines=("05.00",))))
    assert {e.acquisition for e in again.entries} == {e.acquisition for e in found.entries}
    assert set(again.baselines) == {"05.00"}


def test_what_of_a_named_selection_could_not_be_had_is_told() -> None:
    entries = [entry(name) for name in load_bigearthnet().products[3:]]
    entries.append(entry(load_bigearthnet().products[0], baseline="0500"))
    found = choose(entries, wish_for("bigearthnet-2019", Wish()))
    assert len(found.entries) == 122
    told = {gap.why for gap in found.gaps}
    assert any("N0205_R022_T33UUP" in why and "none with baseline" in why for why in told)
    assert sum("none in the catalogue" in why for why in told) == 2


def test_the_published_selection_needs_no_catalogue() -> None:
    found = named_selection("bigearthnet-2019")
    assert {e.name for e in found.entries} == set(load_bigearthnet().products)
    assert dict(found.seasons) == SEASONS


def test_the_one_processed_last_is_taken_within_a_baseline() -> None:
    old, new = entry(cloud=0.1), entry(cloud=0.9, generated="20170620T000000")
    assert choose([new, old], Wish()).entries == choose([old, new], Wish()).entries == (new,)


def test_the_newest_baseline_is_taken_where_none_is_named() -> None:
    old, new = entry(), entry(baseline="0500", generated="20230101T000000")
    assert choose([old, new], Wish()).entries == (new,)
    assert choose([old, new], Wish(baselines=("02.05",))).entries == (old,)


def test_baselines_are_never_mixed_unseen() -> None:
    entries = [entry(), entry(time="20180213T101031", baseline="0500")]
    with pytest.raises(ConflictError, match=r"would be mixed: 02\.05 \(1\), 05\.00 \(1\)"):
        choose(entries, Wish())
    assert len(choose(entries, Wish(mix_baselines=True)).entries) == 2
    assert len(choose(entries, Wish(baselines=("02.05", "05.00"))).entries) == 2
    assert len(choose(entries, Wish(baselines=("05.00",))).entries) == 1


def test_of_a_tile_and_season_the_clearest_then_the_earliest_is_taken() -> None:
    first, second = entry(cloud=0.5), entry(time="20170614T101031", cloud=0.5)
    clear, unknown = entry(time="20170701T101031", cloud=0.1), entry(time="20170702T101031")
    unknown = entry(time="20170602T101031", cloud=None)
    assert choose([second, first, unknown], Wish()).entries == (first,)
    assert choose([second, first, clear], Wish()).entries == (clear,)


def test_clouds_that_nobody_tells_are_not_few() -> None:
    unknown = entry(cloud=None)
    assert choose([unknown], Wish()).entries == (unknown,)
    with pytest.raises(InputError, match=r"cloud cover at most 100 %.*none tells its clouds"):
        choose([unknown], Wish(cloud=100))


def test_what_could_not_be_had_is_told_by_tile_and_season() -> None:
    entries = [entry(), entry(time="20180213T101031", cloud=37.5)]
    wish = Wish(tiles=("33UUP", "33UWP"), cloud=1, period=Period.parse("2017-06-01/2018-02-28"))
    gaps = {(gap.tile, gap.season): gap.why for gap in choose(entries, wish).gaps}
    assert set(gaps) == {
        ("33UUP", "winter"),
        ("33UUP", "autumn"),
        *(("33UWP", season) for season in ("winter", "summer", "autumn")),
    }
    assert gaps["33UUP", "winter"] == "none with cloud cover at most 1 %, the least is 37.5 %"
    assert gaps["33UUP", "autumn"] == gaps["33UWP", "summer"] == "none in the catalogue"


def test_tiles_of_an_area_that_the_catalogue_has_nothing_of_are_told() -> None:
    area = square_of("33UWP").centroid.buffer(0.1).union(square_of("33UUP").centroid.buffer(0.1))
    wish = Wish(area=area, area_name="two squares", period=Period.parse("2017-06-13"))
    found = choose([entry()], wish)
    # 32UQU lies below 33UUP, at the edge of its zone.
    assert {gap.tile for gap in found.gaps} == {"32UQU", "33UWP"}
    assert {gap.why for gap in found.gaps} == {"none in the catalogue"}


def test_seasons_that_a_tile_lacks_for_one_reason_stand_in_one_row() -> None:
    found = choose([entry()], Wish(tiles=("33UUP", "33UWP")))
    rows = next(rows for title, _, rows in found.tables() if title == "Could not be had")
    assert rows == [
        ["33UUP", "winter, spring, autumn", "none in the catalogue"],
        ["33UWP", "winter, spring, summer, autumn", "none in the catalogue"],
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cloud": 0.1}, "cloud cover at most 0.1 %"),
        ({"period": Period.parse("2019-01-01/2019-12-31")}, "period 2019-01-01/2019-12-31"),
        ({"level": "L2A"}, "level L2A"),
        ({"tiles": ("31UDQ",)}, "tiles 31UDQ"),
        ({"area": outline_of(["Brazil"]), "area_name": "Brazil"}, "area Brazil"),
        ({"baselines": ("05.10",)}, "baseline 05.10"),
    ],
)
def test_where_nothing_is_left_the_condition_is_named(changes: dict[str, Any], told: str) -> None:
    entries = [entry(name) for name in load_bigearthnet().products]
    with pytest.raises(InputError) as caught:
        choose(entries, paper_wish(**changes))
    assert f"after the condition '{told}'" in str(caught.value)
    assert "in the catalogue 125" in str(caught.value)
    assert "the clearest has 0.5 % clouds" in str(caught.value)


def test_an_empty_catalogue_says_so() -> None:
    with pytest.raises(InputError, match="nothing to choose from"):
        choose([], Wish())


@settings(max_examples=40)
@given(most=st.integers(1, 130))
def test_seasons_are_balanced_where_there_are_too_many(most: int) -> None:
    found = choose(named_selection("bigearthnet-2019").entries, Wish(most=most))
    assert len(found.entries) == min(most, 125)
    counts = Counter(e.season for e in found.entries)
    for season, there in SEASONS.items():
        most_of_any = max(counts.values())
        assert counts[season] in {there, most_of_any, most_of_any - 1}


@settings(max_examples=40)
@given(st.permutations(range(20)))
def test_the_order_of_a_catalogue_is_of_no_consequence(order: list[int]) -> None:
    names = load_bigearthnet().products[:10]
    entries = [entry(n) for n in names] + [entry(n, generated="20190101T000000") for n in names]
    expected = choose(entries, Wish(most=7))
    assert choose([entries[i] for i in order], Wish(most=7)) == expected
