"""Every kind of map keeps the contract, and agrees with independent oracles on real data."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from exactextract import exact_extract
from rasterio.features import rasterize
from rasterio.warp import Resampling, reproject

from benforge.core.grid import Grid
from benforge.core.nomenclature import load_nomenclature
from benforge.errors import LandCoverError, MissingError
from benforge.labels.port import GAP, LandCoverSource, TileLabels
from benforge.labels.sources import open_land_cover
from benforge.testing.land_cover import LandCoverSourceContract
from tests.labels.oracles import cells_of, shares_by_intersection

LANJARON = Grid("EPSG:32630", 453_000, 4_100_000, 10, 1920, 1200)
MALTA = Grid("EPSG:32633", 430_000, 3_995_000, 10, 2400, 3000)


@pytest.fixture(scope="session")
def lanjaron(shared_data: Path) -> Path:
    return shared_data / "corine/josesamos_lanjaron_vector2018"


class TestVectorContract(LandCoverSourceContract):
    @pytest.fixture
    def source(self, lanjaron: Path) -> LandCoverSource:
        return open_land_cover(lanjaron / "clc.gpkg")

    @pytest.fixture
    def grid(self) -> Grid:
        return LANJARON


class TestRasterContract(LandCoverSourceContract):
    @pytest.fixture
    def source(self, lanjaron: Path) -> LandCoverSource:
        return open_land_cover(lanjaron / "clc.tif")

    @pytest.fixture
    def grid(self) -> Grid:
        return LANJARON


class TestGridCodeRasterContract(LandCoverSourceContract):
    @pytest.fixture
    def source(self, shared_data: Path) -> LandCoverSource:
        return open_land_cover(shared_data / "corine/glaes_aachen_100m/clc-aachen_clipped.tif")

    @pytest.fixture
    def grid(self) -> Grid:
        return Grid("EPSG:32631", 709_560, 5_600_040, 10, 1200, 960)


def check_polygons(labels: TileLabels, polygons: gpd.GeoDataFrame, field: str, grid: Grid) -> None:
    """Shares against shapely's intersections, the map against GDAL's rasterization."""
    codes = polygons[field].astype(int)
    expected = shares_by_intersection(polygons.geometry.to_numpy(), codes, grid, 120)
    for code, shares in expected.items():
        found = labels.fractions.shares[:, labels.fractions.codes.index(code)]
        assert np.abs(found - shares).max() < 1e-6
    burnt = rasterize(
        zip(polygons.geometry, codes, strict=True),
        out_shape=grid.shape,
        fill=GAP,
        transform=rasterio.Affine(*grid.transform),
        dtype="uint16",
    )
    assert np.array_equal(labels.reference_map, burnt)


def test_real_polygons_of_spain(lanjaron: Path) -> None:
    polygons = gpd.read_file(lanjaron / "clc.gpkg", layer="clc").to_crs(LANJARON.crs)
    labels = open_land_cover(lanjaron / "clc.gpkg").read_labels(LANJARON, 120)
    check_polygons(labels, polygons, "CODE_18", LANJARON)
    assert labels.repaired == 0


def test_real_polygons_of_malta(shared_data: Path) -> None:
    path = shared_data / "corine/eea_malta_vector/clc2024_mt.gpkg"
    polygons = gpd.read_file(path, layer="clc24_mt")
    labels = open_land_cover(path, layer="clc24_mt").read_labels(MALTA, 120)
    check_polygons(labels, polygons, "code_24", MALTA)


def test_real_polygons_against_exactextract(lanjaron: Path) -> None:
    """The reverse of exactextract: our patches are its polygons, a fine raster its values."""
    grid = LANJARON.crop(480, 240, 600, 600)
    with rasterio.open(lanjaron / "clc.tif") as raster:
        cells = cells_of(grid, 120)
        in_raster = gpd.GeoSeries(cells, crs=grid.crs).to_crs(raster.crs).to_frame("geometry")
        found = exact_extract(raster, in_raster, ["unique", "frac"], output="pandas")
    labels = open_land_cover(lanjaron / "clc.tif").read_labels(grid, 120)
    for patch, (codes, shares) in enumerate(zip(found["unique"], found["frac"], strict=True)):
        ours = labels.fractions[patch].shares
        assert ours.keys() == {int(code) for code in codes}
        # exactextract's cells stay square in the raster's CRS, ours in the tile's: same ground.
        assert np.allclose([ours[int(c)] for c in codes], shares, atol=1e-5)


def test_raster_map_is_nearest_cell(lanjaron: Path) -> None:
    with rasterio.open(lanjaron / "clc.tif") as raster:
        expected = np.full(LANJARON.shape, GAP, dtype=np.uint16)
        reproject(
            raster.read(1).astype(np.uint16),
            expected,
            src_transform=raster.transform,
            src_crs=raster.crs,
            src_nodata=65535,
            dst_transform=rasterio.Affine(*LANJARON.transform),
            dst_crs=LANJARON.crs,
            dst_nodata=GAP,
            resampling=Resampling.nearest,
            tolerance=0,
        )
    found = open_land_cover(lanjaron / "clc.tif").read_labels(LANJARON, 120).reference_map
    # Centres that lie on a border of cells may fall to either side.
    assert (found != expected).mean() < 1e-3


def test_projection_keeps_straight_lines_straight(tmp_path: Path) -> None:
    """One square of 30 km in EPSG:3035 against the same, densified to 10 m by shapely."""
    square = shapely.box(4_300_000, 2_900_000, 4_330_000, 2_930_000)
    frame = gpd.GeoDataFrame({"Code_18": ["312"]}, geometry=[square], crs=3035)
    frame.to_file(tmp_path / "one.gpkg")
    dense = frame.set_geometry(frame.segmentize(10)).to_crs(32632)
    left, _, _, top = dense.total_bounds
    grid = Grid("EPSG:32632", left // 1200 * 1200, top // 1200 * 1200 + 1200, 10, 3600, 3600)
    labels = open_land_cover(tmp_path / "one.gpkg").read_labels(grid, 120)
    expected = shares_by_intersection(dense.geometry.to_numpy(), np.array([312]), grid, 120)[312]
    assert np.abs(labels.fractions.shares.sum(axis=1) - expected).max() < 1e-6


@pytest.mark.parametrize("name", ["map.shp", "map.gdb", "map.geojson"])
def test_formats(tmp_path: Path, name: str) -> None:
    ground = shapely.box(10.0, 50.0, 10.1, 50.1)
    driver = {"map.gdb": "OpenFileGDB"}.get(name)
    pyogrio.write_dataframe(
        gpd.GeoDataFrame({"CODE_12": np.array([211], np.int32)}, geometry=[ground], crs=4326),
        tmp_path / name,
        driver=driver,
    )
    source = open_land_cover(tmp_path / name)
    labels = source.read_labels(Grid("EPSG:32632", 573_000, 5_547_000, 10, 240, 240), 120)
    assert source.provenance["name"] == name
    assert labels.fractions.shares[:, labels.fractions.codes.index(211)].min() == pytest.approx(1)


def test_own_nomenclature(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": [19]}, geometry=[shapely.box(0, 0, 1200, 1200)], crs=32632)
    frame.to_file(tmp_path / "map.gpkg")
    source = open_land_cover(tmp_path / "map.gpkg", nomenclature="ben-19")
    labels = source.read_labels(Grid("EPSG:32632", 0, 1200, 10, 120, 120), 120)
    assert labels.fractions.codes == tuple(sorted(load_nomenclature("ben-19").codes))
    assert labels.fractions[0].shares == {19: pytest.approx(1)}


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no land-cover map"):
        open_land_cover(tmp_path / "none.gpkg")


def test_not_a_map(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a map")
    with pytest.raises(LandCoverError, match=r"notes\.txt: not a land-cover map"):
        open_land_cover(tmp_path / "notes.txt")
