from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from benforge.demo.pictures import average, data_uri, side_by_side


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
