from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from benforge.labels.countries import countries_of
from benforge.statistics.projection import Projection, projection_about

HERE = Projection(13.0, 52.0)


def test_areas_are_kept():
    squares = HERE.squares("EPSG:32633", np.array([300000.0]), np.array([5400000.0]), 109_800)
    area = shapely.area(shapely.polygons(squares))[0]
    assert area == pytest.approx(109_800**2, rel=2e-3)  # UTM itself is off by as much


def test_squares_lie_where_geopandas_puts_them():
    square = shapely.box(300000, 5290200, 409800, 5400000)
    expected = gpd.GeoSeries([square], crs="EPSG:32633").to_crs(HERE.crs)
    found = HERE.squares("EPSG:32633", np.array([300000.0]), np.array([5400000.0]), 109_800)
    assert shapely.polygons(found[0]).equals_exact(expected[0].normalize(), 1e9)
    assert shapely.area(shapely.symmetric_difference(shapely.polygons(found[0]), expected[0])) < 1


@pytest.mark.parametrize("place", [(13, 52), (-100, 40), (178, -17), (-179, 66), (25, 68)])
def test_land_is_land_and_sea_is_sea(place):
    """Points of a frame are on land exactly where they touch a country of the map."""
    view = Projection(*place)
    rings = view.countries((-1.5e6, -1.5e6, 1.5e6, 1.5e6))
    land = shapely.union_all([shapely.buffer(shapely.polygons(ring), 0) for ring in rings])
    assert 0 < land.area < 9e12
    frame = shapely.box(-1.5e6, -1.5e6, 1.5e6, 1.5e6)
    assert frame.buffer(1).covers(land)


def test_capitals_lie_on_land_and_the_north_sea_does_not():
    rings = HERE.countries((-2e6, -2e6, 2e6, 2.5e6))
    land = shapely.union_all([shapely.buffer(shapely.polygons(ring), 0) for ring in rings])
    places = gpd.GeoSeries(
        gpd.points_from_xy([13.4, 16.4, 25.5, 3.0, 19.5], [52.5, 48.2, 62.0, 56.5, 59.0], crs=4326)
    ).to_crs(HERE.crs)
    assert [land.contains(place) for place in places] == [True, True, True, False, False]
    assert countries_of([13.4], [52.5]) == ["Germany"]


def test_the_middle_is_that_of_the_extent():
    assert projection_about([10.0, 20.0, 11.0], [50.0, 60.0, 52.0]) == Projection(15.0, 55.0)
