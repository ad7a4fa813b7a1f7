from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as hnp

from benforge.archive.archive import Archive
from benforge.statistics.pictures import css_color, paint, picture_of, stretch


@given(hnp.arrays(np.uint16, (3, 6, 6)))
def test_any_pixels_become_a_picture_and_no_data_stay_black(bands):
    picture = stretch(bands)
    assert picture.shape == (6, 6, 3)
    assert picture.dtype == np.uint8
    assert (picture[(bands == 0).any(axis=0)] == 0).all()


def test_dark_is_black_and_bright_is_white():
    ramp = np.tile(np.linspace(1, 10_000, 100).astype(np.uint16), (3, 10, 1))
    picture = stretch(ramp)
    assert (picture[:, 0] == 0).all()
    assert (picture[:, -1] == 255).all()


def test_noise_of_open_water_is_not_blown_up():
    water = np.random.default_rng(0).integers(100, 120, (3, 50, 50), np.uint16)
    assert stretch(water).max() < 60


def test_a_patch_is_shown_red_green_blue(simulated: Archive):
    patch = simulated[0]
    bands = np.stack([patch.band(name) for name in ("B04", "B03", "B02")])
    assert (picture_of(patch) == stretch(bands)).all()


def test_codes_are_painted_and_unknown_ones_white():
    picture = paint(np.array([[1, 2]]), {1: (10, 20, 30)})
    assert picture.tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_a_colour_as_style_sheets_write_it():
    assert css_color((230, 0, 77)) == "#e6004d"
