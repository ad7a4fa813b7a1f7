from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from pysolar import solar

from benforge.core.grid import Grid
from benforge.correction.geometry import read_geometry, reckon_geometry, sun_position
from benforge.errors import ProductError
from benforge.scenes.safe_files import open_files
from benforge.scenes.safe_xml import read_xml

GRID = Grid("EPSG:32632", 499_980, 4_700_040, 10, 10980, 10980)
TIME = datetime(2017, 2, 26, 10, 24, 58, tzinfo=UTC)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Element:
    [product] = (shared_data / "sentinel2/l1c_metadata_T32TNM").glob("*.SAFE")
    [name] = (p.relative_to(product) for p in product.glob("GRANULE/*/MTD_TL.xml"))
    return read_xml(open_files(product), name.as_posix())[0]


def test_a_real_granule_tells_its_mean_angles(real: Element) -> None:
    found = read_geometry(real, "MTD_TL.xml", GRID, TIME)
    assert found.source == "metadata"
    assert found.sun_zenith == pytest.approx(52.671, abs=1e-3)
    assert found.sun_azimuth == pytest.approx(159.614, abs=1e-3)
    assert found.view_zenith == pytest.approx(9.2, abs=0.2)
    assert found.view_azimuth == pytest.approx(287, abs=2)


def test_the_reckoned_sun_is_near_that_of_a_real_granule(real: Element) -> None:
    told, reckoned = read_geometry(real, "", GRID, TIME), reckon_geometry(GRID, TIME)
    # The time in a product is that of the datatake's start; the tile was seen minutes later.
    assert reckoned.sun_zenith == pytest.approx(told.sun_zenith, abs=0.4)
    assert reckoned.sun_azimuth == pytest.approx(told.sun_azimuth, abs=1.5)
    assert (reckoned.view_zenith, reckoned.source) == (0, "time")


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


def granule(*angles: tuple[str, float, float]) -> Element:
    body = "".join(
        f"<{tag}><ZENITH_ANGLE>{z}</ZENITH_ANGLE><AZIMUTH_ANGLE>{a}</AZIMUTH_ANGLE></{tag}>"
        for tag, z, a in angles
    )
    return fromstring(f"<root>{body}</root>")


def test_directions_around_north_average_to_north() -> None:
    view = "Mean_Viewing_Incidence_Angle"
    found = read_geometry(
        granule(("Mean_Sun_Angle", 30, 150), (view, 4, 359), (view, 6, 3)), "", GRID, TIME
    )
    assert (found.view_zenith, found.view_azimuth) == (5, pytest.approx(1))


def test_a_product_of_the_night_is_refused() -> None:
    with pytest.raises(ProductError, match="from the zenith"):
        read_geometry(granule(("Mean_Sun_Angle", 95, 0)), "MTD_TL.xml", GRID, TIME)
