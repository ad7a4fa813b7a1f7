import geopandas as gpd
import numpy as np
import pytest
import shapely

from benforge.archive.footprints import centres, footprints, to_wkb
from benforge.errors import GridError


def test_footprints_equal_those_of_geopandas() -> None:
    ulx, uly = np.array([300000.0, 408600.0]), np.array([5400000.0, 5291400.0])
    ours = footprints("EPSG:32633", ulx, uly, 1200)
    squares = shapely.box(ulx, uly - 1200, ulx + 1200, uly)
    theirs = gpd.GeoSeries(squares, crs="EPSG:32633").to_crs("OGC:CRS84").to_numpy()
    assert shapely.equals_exact(shapely.normalize(ours), shapely.normalize(theirs), 1e-12).all()
    assert shapely.is_ccw(shapely.get_exterior_ring(ours)).all()
    lon, lat = centres(ours)
    assert shapely.contains_xy(theirs, lon, lat).all()
    assert shapely.equals(shapely.from_wkb(to_wkb(ours)), ours).all()


def test_a_crs_that_is_none_is_named() -> None:
    with pytest.raises(GridError, match="EPSG:1: there is no such CRS"):
        footprints("EPSG:1", np.zeros(1), np.zeros(1), 120)
