from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.sensor import load_sensor
from benforge.correction.sixs_run import Air
from benforge.correction.tables import make_tables, to_ground, to_top
from tests.correction.air import LIGHT, plain_air

BANDS = [band.name for band in load_sensor().patch_bands]
TABLES = make_tables(BANDS, LIGHT, run=plain_air)


@given(st.sampled_from(BANDS), st.floats(0, 1), st.floats(0.01, 1), st.floats(0.2, 5.5))
def test_down_and_up_again_is_identity(band: str, ground: float, aot: float, water: float) -> None:
    passage = TABLES[band].passage(aot, water)
    assert to_ground(to_top(ground, passage), passage) == pytest.approx(ground, abs=1e-9)


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize(("aot", "water"), [(0.0, 0.2), (0.1, 1.2), (0.6, 5.5)])
def test_where_6s_ran_the_table_is_its_result(band: str, aot: float, water: float) -> None:
    passage = TABLES[band].passage(aot, water)
    expected = plain_air(band, LIGHT, Air(aot=aot, water=water))
    assert passage.gas == pytest.approx(expected.gas)
    assert passage.path == pytest.approx(expected.path)
    assert passage.albedo == pytest.approx(expected.albedo)
    assert passage.spread == pytest.approx(expected.spread)


def test_between_runs_the_table_is_near_and_beyond_them_it_stays() -> None:
    between = TABLES["B09"].passage(0.2, 1.7)
    assert between.gas == pytest.approx(plain_air("B09", LIGHT, Air(aot=0.2, water=1.7)).gas, 0.01)
    assert TABLES["B09"].passage(9, 99) == TABLES["B09"].passage(1.0, 5.5)


def test_elevation_and_threads_reach_the_runs() -> None:
    asked = []

    def run(band, light, air):  # type: ignore[no-untyped-def]
        asked.append((band, air))
        return plain_air(band, light, air)

    make_tables(
        ["B02", "B09"], LIGHT, 1500.0, aerosols=(0.1, 0.2), waters=(1, 2), threads=2, run=run
    )
    assert {air.elevation for _, air in asked} == {1500.0}
    # Water vapour leaves B02 alone, so no run is spent on it.
    assert sum(band == "B02" for band, _ in asked) == 2
    assert sum(band == "B09" for band, _ in asked) == 4
