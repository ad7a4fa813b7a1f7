"""The simulated map is a valid coverage in the manner of CORINE."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely

from benforge.core.grid import Grid
from benforge.core.nomenclature import load_nomenclature
from benforge.errors import InputError
from benforge.scenes.simulate_facts import load_spectra
from benforge.scenes.simulate_land_cover import simulate_land_cover, write_land_cover


def tile(pixels: int) -> Grid:
    return Grid("EPSG:32633", 300_000, 5_400_000, 10, pixels, pixels)


@pytest.fixture(scope="module")
def small() -> geopandas.GeoDataFrame:
    return simulate_land_cover(tile(1200), 1)


@pytest.fixture(scope="module")
def large() -> geopandas.GeoDataFrame:
    return simulate_land_cover(tile(3600), 7, 1200)


@pytest.mark.parametrize("name", ["small", "large"])
def test_neighbours_fit(name: str, request: pytest.FixtureRequest) -> None:
    land_cover = request.getfixturevalue(name)
    outlines = land_cover.geometry.to_numpy()
    assert shapely.is_valid(outlines).all()
    assert (shapely.get_type_id(outlines) == shapely.GeometryType.POLYGON).all()
    assert shapely.coverage_is_valid(outlines)
    whole = shapely.coverage_union_all(outlines)
    assert shapely.area(outlines).sum() == pytest.approx(whole.area, rel=1e-9)
    assert not shapely.get_num_interior_rings(shapely.get_parts(whole)).any()


@pytest.mark.parametrize("name", ["small", "large"])
def test_polygons_are_those_of_corine(name: str, request: pytest.FixtureRequest) -> None:
    land_cover = request.getfixturevalue(name)
    assert land_cover.crs == "EPSG:3035"
    assert list(land_cover.columns) == ["Code_18", "ID", "Area_Ha", "geometry"]
    assert land_cover.Area_Ha.min() >= 25
    np.testing.assert_allclose(land_cover.Area_Ha, land_cover.area / 10_000)
    assert {int(code) for code in land_cover.Code_18} <= set(load_nomenclature("clc-43").codes)
    assert land_cover.ID.is_unique


def test_map_reaches_over_the_tile(small: geopandas.GeoDataFrame) -> None:
    ground = shapely.box(*tile(1200).bounds)
    covered = small.to_crs("EPSG:32633").union_all().buffer(1)
    assert covered.contains(ground)


def test_as_many_polygons_as_asked(large: geopandas.GeoDataFrame) -> None:
    assert len(large) == pytest.approx(1200, rel=0.02)


def test_class_mix_is_that_of_the_paper(large: geopandas.GeoDataFrame) -> None:
    images = load_spectra().images
    wanted = {code: count / sum(images.values()) for code, count in images.items()}
    area = large.groupby(large.Code_18.astype(int)).Area_Ha.sum() / large.Area_Ha.sum()
    for code, share in wanted.items():
        assert float(area.get(code, 0)) == pytest.approx(share, abs=0.03)
    assert len(area) >= 33


def test_outlines_are_as_detailed_as_real_ones(small: geopandas.GeoDataFrame) -> None:
    # Real CORINE polygons have about 125 vertices where they have 150 ha.
    assert 60 <= shapely.get_num_coordinates(small.geometry.to_numpy()).mean() <= 250


def test_same_seed_same_map(small: geopandas.GeoDataFrame) -> None:
    assert simulate_land_cover(tile(1200), 1).equals(small)
    assert not simulate_land_cover(tile(1200), 2).equals(small)


def test_gap_leaves_the_east_bare() -> None:
    whole = simulate_land_cover(tile(1200), 3)
    gapped = simulate_land_cover(tile(1200), 3, gap=0.4)
    share = gapped.Area_Ha.sum() / whole.Area_Ha.sum()
    assert share == pytest.approx(0.6, abs=0.12)
    assert gapped.total_bounds[2] < whole.total_bounds[2]
    assert gapped.total_bounds[0] == whole.total_bounds[0]


def test_impossible_maps() -> None:
    with pytest.raises(InputError, match="do not fit"):
        simulate_land_cover(tile(360), 1, 10_000)
    with pytest.raises(InputError, match="gap"):
        simulate_land_cover(tile(360), 1, gap=1.0)


def test_geopackage_is_the_same_bytes_and_says_what_it_is(
    small: geopandas.GeoDataFrame, tmp_path: Path
) -> None:
    first = write_land_cover(small, tmp_path / "a" / "map.gpkg")
    second = write_land_cover(small, tmp_path / "b" / "map.gpkg")
    assert first.read_bytes() == second.read_bytes()
    about = pyogrio.read_info(first)
    assert about["crs"] == "EPSG:3035"
    assert about["layer_metadata"]["SIMULATED_BY"].startswith("benforge ")
    assert pyogrio.read_dataframe(first).geometry.equals(small.geometry)
    assert [path.name for path in first.parent.iterdir()] == ["map.gpkg"]
