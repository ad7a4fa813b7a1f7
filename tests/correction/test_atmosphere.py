from __future__ import annotations

import numpy as np
import pytest

from benforge.core.sensor import load_sensor
from benforge.correction.atmosphere import DEFAULT_AOT, DEFAULT_WATER, estimate_atmosphere
from benforge.correction.sixs_run import Air
from benforge.correction.tables import make_tables, to_top
from tests.correction.air import LIGHT, plain_air
from tests.correction.products import VEGETATION

TABLES = make_tables([b.name for b in load_sensor().patch_bands], LIGHT, run=plain_air)
NAMES = ("B02", "B04", "B8A", "B09", "B12")


def seen(air: Air, spectrum: dict[str, float] = VEGETATION) -> dict[str, np.ndarray]:
    shades = np.random.default_rng(1).uniform(0.7, 1.3, (40, 50)).astype(np.float32)
    return {n: to_top(spectrum[n] * shades, plain_air(n, LIGHT, air)) for n in NAMES}


@pytest.mark.parametrize("aot", [0.03, 0.15, 0.4, 0.8])
@pytest.mark.parametrize("water", [0.5, 2.0, 4.5])
def test_aerosol_and_water_over_vegetation_are_found(aot: float, water: float) -> None:
    land = np.ones((40, 50), np.bool_)
    found = estimate_atmosphere(seen(Air(aot=aot, water=water)), land, TABLES)
    assert (found.aot_source, found.water_source) == ("dark vegetation", "B09")
    assert found.aot == pytest.approx(aot, abs=0.05)
    assert np.allclose(found.water, water, rtol=0.08)


def test_what_is_not_clear_land_says_nothing() -> None:
    top, land = seen(Air(aot=0.15, water=2.0)), np.ones((40, 50), np.bool_)
    clear = estimate_atmosphere(top, land, TABLES)
    land[:, 30:] = False
    for pixels in top.values():
        pixels[:, 30:] = 0.6
    clouded = estimate_atmosphere(top, land, TABLES)
    assert clouded.aot == pytest.approx(clear.aot, abs=0.03)
    assert np.allclose(clouded.water, 2.0, rtol=0.1)


def test_without_vegetation_clean_air_is_taken() -> None:
    bare = dict.fromkeys(NAMES, 0.25)
    found = estimate_atmosphere(
        seen(Air(aot=0.3, water=2.0), bare), np.ones((40, 50), bool), TABLES
    )
    assert (found.aot, found.aot_source) == (DEFAULT_AOT, "default")


def test_aerosol_that_would_make_ground_darker_than_black_is_not_taken() -> None:
    # Red brighter than half of B12, as of young leaves, would be taken for aerosol.
    spectrum = VEGETATION | {"B04": 0.045, "B02": 0.008}
    found = estimate_atmosphere(
        seen(Air(aot=0.05, water=2.0), spectrum), np.ones((40, 50), bool), TABLES
    )
    assert found.aot_source == "darkest pixels"
    assert found.aot < 0.3


def test_a_scene_without_clear_land_takes_defaults() -> None:
    top = seen(Air(aot=0.3, water=2.0))
    found = estimate_atmosphere(top, np.zeros((40, 50), np.bool_), TABLES)
    assert (found.aot, found.aot_source) == (DEFAULT_AOT, "default")
    assert (found.water_source, float(found.water[0, 0])) == ("default", DEFAULT_WATER)


def test_places_without_land_take_the_scenes_water() -> None:
    land = np.zeros((40, 50), np.bool_)
    land[:10, :10] = True
    found = estimate_atmosphere(seen(Air(aot=0.1, water=3.0)), land, TABLES)
    assert found.water[-1, -1] == pytest.approx(3.0, rel=0.1)
