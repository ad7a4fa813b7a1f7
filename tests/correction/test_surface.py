from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.correction.sixs_run import Air
from benforge.correction.surface import WATER_LEVELS, correct_band, ground_table, water_levels
from benforge.correction.tables import to_ground, to_top
from tests.correction.air import LIGHT, plain_air

HAZY = plain_air("B02", LIGHT, Air(aot=0.3, water=1.0))


@given(st.integers(1, 65534))
def test_a_table_holds_the_formula_within_the_valid_numbers(number: int) -> None:
    expected = np.clip(np.rint(1e4 * to_ground(number / 1e4, HAZY)), 1, 65534)
    assert ground_table(HAZY)[number] == expected


def test_no_data_and_saturated_stay_and_dark_pixels_are_valid() -> None:
    top = np.full((12, 12), 1500, np.uint16)
    top[0, :3] = 0, 65535, 1
    found = correct_band(top, np.zeros((2, 2), np.uint8), [HAZY], 6)
    assert found[0, :3].tolist() == [0, 65535, 1]
    assert (found[1:] > 1).all()


def test_an_even_ground_comes_back() -> None:
    seen = round(1e4 * to_top(0.12, HAZY))
    top = np.full((60, 60), seen, np.uint16)
    found = correct_band(top, np.zeros((10, 10), np.uint8), [HAZY], 6)
    assert np.allclose(found, 1200, atol=1)


def test_light_from_around_is_taken_off() -> None:
    # Ground that the air brightens from around: seen = alone + spread (mean - alone) / (1 + spread)
    ground = np.where(np.arange(120) < 60, 0.05, 0.15)[None, :].repeat(120, axis=0)
    mixed = (ground + HAZY.spread * 0.1) / (1 + HAZY.spread)
    top = np.rint(1e4 * to_top(mixed, HAZY)).astype(np.uint16)
    found = correct_band(top.copy(), np.zeros((20, 20), np.uint8), [HAZY], 6)
    plain = 1e4 * to_ground(top / 1e4, HAZY)
    inner = found[60, [5, 115]]
    assert np.abs(inner - [500, 1500]).max() < np.abs(plain[60, [5, 115]] - [500, 1500]).max() / 3


def test_a_dark_pixel_beside_snow_keeps_half_of_itself() -> None:
    top = np.full((120, 120), 9000, np.uint16)
    top[60, 60] = round(1e4 * to_top(0.02, HAZY))
    found = correct_band(top, np.zeros((20, 20), np.uint8), [HAZY], 6)
    assert found[60, 60] == pytest.approx(100, abs=1)


def test_what_is_not_plain_lends_no_light_and_is_left() -> None:
    top = np.full((120, 120), round(1e4 * to_top(0.1, HAZY)), np.uint16)
    top[:, 60:] = 9000
    plain = np.arange(20)[None, :].repeat(20, axis=0) < 10
    found = correct_band(top.copy(), np.zeros((20, 20), np.uint8), [HAZY], 6, plain)
    assert np.abs(found[:, :60].astype(int) - 1000).max() <= 1
    assert (found[:, 60:] == ground_table(HAZY)[9000]).all()


def test_each_pixel_passes_the_water_that_is_over_it() -> None:
    passages = [plain_air("B09", LIGHT, Air(aot=0.1, water=water)) for water in WATER_LEVELS]
    water = np.linspace(0.3, 5.0, 20, dtype=np.float32).reshape(4, 5)
    levels = water_levels(water)
    ground = 0.3
    top = np.array([[1e4 * to_top(ground, passages[n]) for n in row] for row in levels])
    found = correct_band(np.rint(top).astype(np.uint16), levels, passages, 1)
    assert np.allclose(found, 3000, atol=15)


@given(st.floats(0.2, 5.5))
def test_levels_of_water_are_near(water: float) -> None:
    level = WATER_LEVELS[water_levels(np.array([[water]], np.float32))[0, 0]]
    assert (
        abs(level**0.5 - water**0.5)
        <= 0.5 * (WATER_LEVELS[1] ** 0.5 - WATER_LEVELS[0] ** 0.5) + 1e-4
    )


def test_water_outside_the_tables_takes_the_nearest_level() -> None:
    assert water_levels(np.array([[0.0, 99.0]], np.float32)).tolist() == [[0, 63]]
    assert pytest.approx((0.2, 5.5)) == (WATER_LEVELS[0], WATER_LEVELS[-1])
