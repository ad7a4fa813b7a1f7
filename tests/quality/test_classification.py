from __future__ import annotations

import numpy as np

from benforge.quality.classification import classify_codes
from benforge.quality.pixels import CLEAR, CLOUD, NODATA, SHADOW, SNOW, kind_shares
from benforge.quality.recipe import ScreenRecipe

CODES = np.arange(12, dtype=np.uint8)
"""The numbers of the scene classification, as ESA counts them."""


def test_each_class_is_one_kind():
    found = classify_codes(CODES, ScreenRecipe())
    kinds = {0: NODATA, 3: SHADOW, 8: CLOUD, 9: CLOUD, 10: CLOUD, 11: SNOW}
    assert found.tolist() == [kinds.get(code, CLEAR) for code in range(12)]


def test_thin_cirrus_may_be_left_out():
    found = classify_codes(CODES, ScreenRecipe(classes_cloud=(8, 9)))
    assert found[10] == CLEAR
    assert found[9] == CLOUD


def test_shares_are_of_all_pixels():
    codes = np.array([[[11, 11], [11, 0]], [[8, 10], [3, 4]]], np.uint8)
    found = kind_shares(classify_codes(codes, ScreenRecipe()))
    assert found.tolist() == [[0.75, 0, 0, 0.25], [0, 0.5, 0.25, 0]]
