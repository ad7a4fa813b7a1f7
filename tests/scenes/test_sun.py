from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest
from pysolar import solar

from benforge.scenes.sun import sun_position


@pytest.mark.parametrize("hour", [7, 10, 15])
@pytest.mark.parametrize(("latitude", "longitude"), [(41.96, 9.66), (-33.0, 18.0), (65.0, 25.0)])
def test_the_sun_is_where_pysolar_has_it(hour: int, latitude: float, longitude: float) -> None:
    time = datetime(2018, 4, 26, hour, 24, 58, tzinfo=UTC)
    zenith, azimuth = sun_position(time, latitude, longitude)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not know every leap second
        height = solar.get_altitude_fast(latitude, longitude, time)
        direction = solar.get_azimuth(latitude, longitude, time)
    # Its height is rough to tenths of a degree.
    assert zenith == pytest.approx(90 - height, abs=0.7)
    assert azimuth == pytest.approx(direction, abs=0.1)


def test_the_sun_stands_where_it_must() -> None:
    # Noon of an equinox on the equator; midsummer noon on the tropic; midnight.
    assert sun_position(datetime(2017, 3, 20, 12, 7, tzinfo=UTC), 0, 0)[0] < 1
    assert sun_position(datetime(2017, 6, 21, 12, 2, tzinfo=UTC), 23.44, 0)[0] < 1
    assert sun_position(datetime(2017, 6, 21, 0, 0, tzinfo=UTC), 45, 0)[0] > 90
    # From the southern hemisphere the sun stands in the north at noon.
    azimuth = sun_position(datetime(2017, 6, 21, 12, 2, tzinfo=UTC), -30, 0)[1]
    assert min(azimuth, 360 - azimuth) < 2
