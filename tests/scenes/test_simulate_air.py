"""The air of simulated products is that of 6S, run again here."""

from __future__ import annotations

import numpy as np
import pytest
from tools.air import AIR

from benforge.core.sensor import load_sensor
from benforge.correction.geometry import Geometry
from benforge.correction.sixs_run import Light, run_sixs
from benforge.correction.tables import to_top
from benforge.scenes.simulate_air import veil


@pytest.mark.parametrize("band", ["B02", "B09", "B12"])
@pytest.mark.parametrize("zenith", [30.0, 62.5])
def test_the_ground_is_seen_as_6s_sees_it(band: str, zenith: float) -> None:
    light = Light(geometry=Geometry(sun_zenith=zenith, sun_azimuth=150), month=6, day=13)
    passage = run_sixs(band, light, AIR)
    ground = np.array([0.02, 0.3, 0.9])
    seen = veil(band, zenith).at_the_top((10_000 * ground).astype(np.float32))
    expected = [10_000 * to_top(float(one), passage) for one in ground]
    assert seen == pytest.approx(expected, abs=5)


def test_every_band_has_its_air_and_a_low_sun_sees_more_of_it() -> None:
    for band in load_sensor().bands:
        high, low = veil(band.name, 10), veil(band.name, 70)
        assert 0 <= low.gas <= high.gas <= 1
        assert low.path > high.path
        assert low.transmittance < high.transmittance


def test_a_sun_lower_than_6s_was_run_for_stands_at_the_lowest() -> None:
    assert veil("B02", 89) == veil("B02", 80)
