from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.image import imread

from benforge.demo.pictures import average, css_color, data_uri, paint, side_by_side, stretch


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


def test_codes_are_painted_and_unknown_ones_white():
    picture = paint(np.array([[1, 2]]), {1: (10, 20, 30)})
    assert picture.tolist() == [[[10, 20, 30], [255, 255, 255]]]


@given(st.integers(1, 4))
def test_an_average_is_numpys_mean(factor):
    bands = np.random.default_rng(factor).integers(0, 60_000, (2, 12, 12), np.uint16)
    small = average(bands, factor)
    assert small[1, 0, 0] == round(float(bands[1, :factor, :factor].mean()))
    assert small.shape == (2, 12 // factor, 12 // factor)


def test_pictures_stand_side_by_side_in_full_rows():
    pictures = [np.full((2, 2, 3), i, np.uint8) for i in range(5)]
    wall = side_by_side(pictures, 2)
    assert wall[::2, ::2, 0].tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(("kind", "tolerance"), [("png", 0), ("jpeg", 12)])
def test_a_uri_holds_the_picture(kind, tolerance):
    picture = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    head, _, text = data_uri(picture, kind).partition(",")
    assert head == f"data:image/{kind};base64"
    read = imread(io.BytesIO(base64.b64decode(text)), format=kind)
    read = read * 255 if read.dtype.kind == "f" else read
    assert np.abs(read[..., :3].astype(float) - picture).max() <= tolerance


def test_a_colour_as_style_sheets_write_it():
    assert css_color((230, 0, 77)) == "#e6004d"
