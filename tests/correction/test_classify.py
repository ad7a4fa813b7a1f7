from __future__ import annotations

import numpy as np
import pytest

from benforge.correction.classify import LOOKED_AT, Scl, classify
from benforge.correction.geometry import Geometry

SUN = Geometry(sun_zenith=45, sun_azimuth=135)
SPECTRA = {
    Scl.VEGETATION: (0.09, 0.09, 0.06, 0.32, 0.18, 0.09),
    Scl.BARE: (0.12, 0.13, 0.16, 0.24, 0.30, 0.26),
    Scl.WATER: (0.10, 0.08, 0.05, 0.03, 0.01, 0.01),
    Scl.DARK: (0.07, 0.05, 0.04, 0.07, 0.04, 0.03),
    Scl.UNCLASSIFIED: (0.21, 0.21, 0.20, 0.26, 0.24, 0.18),
    Scl.CLOUD_MEDIUM: (0.28, 0.27, 0.27, 0.33, 0.28, 0.22),
    Scl.CLOUD_HIGH: (0.60, 0.58, 0.58, 0.65, 0.45, 0.35),
    Scl.SNOW: (0.75, 0.74, 0.72, 0.70, 0.10, 0.08),
}
"""Reflectance at the top of the atmosphere in B02, B03, B04, B8A, B11, B12."""


def scene(kind: Scl = Scl.VEGETATION, size: int = 90) -> dict[str, np.ndarray]:
    numbers = [round(1e4 * value) for value in SPECTRA[kind]]
    bands = {
        n: np.full((size, size), v, np.uint16) for n, v in zip(LOOKED_AT, numbers, strict=True)
    }
    return bands | {"B10": np.full((size // 3, size // 3), 10, np.uint16)}


def paint(bands: dict[str, np.ndarray], rows: slice, cols: slice, kind: Scl) -> None:
    for name, value in zip(LOOKED_AT, SPECTRA[kind], strict=True):
        bands[name][rows, cols] = round(1e4 * value)


@pytest.mark.parametrize("kind", SPECTRA)
def test_typical_spectra_get_their_class(kind: Scl) -> None:
    found = classify(scene(kind), SUN)
    assert found.dtype == np.uint8
    assert (found == kind).all(), Scl(int(found[0, 0]))


def test_thin_cirrus_is_seen_in_b10_over_land() -> None:
    bands = scene()
    bands["B10"][2, 3] = 200
    found = classify(bands, SUN)
    assert (found[6:9, 9:12] == Scl.CIRRUS).all()
    assert (found == Scl.CIRRUS).sum() == 9


def test_no_data_and_saturation_come_first() -> None:
    bands = scene(Scl.SNOW)
    bands["B04"][0, 0], bands["B11"][1, 1] = 0, 65535
    bands["B02"][2, 2], bands["B03"][2, 2] = 0, 65535
    found = classify(bands, SUN)
    assert [found[0, 0], found[1, 1], found[2, 2]] == [Scl.NO_DATA, Scl.SATURATED, Scl.NO_DATA]


def test_dark_ground_away_from_the_sun_of_a_cloud_is_shadow() -> None:
    bands = scene(Scl.DARK, 180)
    paint(bands, slice(87, 93), slice(87, 93), Scl.CLOUD_HIGH)
    found = classify(bands, SUN)
    rows, cols = np.nonzero(found == Scl.SHADOW)
    # The sun stands in the south-east: shadows fall to the north-west, up and left.
    assert len(rows) > 0
    assert (rows < 90).all()
    assert (cols < 90).all()
    assert (found[100:, 100:] == Scl.DARK).all()


def test_without_clouds_dark_stays_dark() -> None:
    assert (classify(scene(Scl.DARK), SUN) == Scl.DARK).all()
