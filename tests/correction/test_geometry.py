from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from benforge.core.grid import Grid
from benforge.correction.geometry import read_geometry, reckon_geometry
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
