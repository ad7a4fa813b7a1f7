from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, assume, event, given, reject, settings
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from benforge.core.grid import Grid
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, BenError, GridError, MissingError
from benforge.layouts import geotiff
from benforge.layouts.geotiff import encode_geotiff, read_geotiff
from benforge.layouts.geotiff_form import parse_form

GRID = Grid("EPSG:32633", 331_200, 5_331_600, 10, 120, 120)
QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def no_memory(monkeypatch):
    """Every test meets its headers for the first time."""
    monkeypatch.setattr(geotiff, "_forms", {})


def pixels_of(grid: Grid, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = rng.integers(0, 900, grid.shape).cumsum(axis=1)
    return (smooth + rng.integers(0, 9, grid.shape)).astype(np.uint16)


def gdal_bytes(pixels: np.ndarray, grid: Grid, **profile) -> bytes:
    with MemoryFile() as memory:
        form = {
            "driver": "GTiff",
            "count": 1,
            "dtype": pixels.dtype,
            "height": pixels.shape[0],
            "width": pixels.shape[1],
            "crs": grid.crs,
            "transform": Affine(*grid.transform),
        }
        with memory.open(**form | profile) as target:
            for band in range(1, target.count + 1):
                target.write(pixels, band)
        return bytes(memory.getbuffer())


def gdal_reads(path: Path) -> tuple[np.ndarray, tuple] | None:
    """The pixels that rasterio reads of a file, and what it says of it; None if it refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as source:
                assume(source.height * source.width < 1_000_000)
                crs = source.crs.to_epsg() if source.crs else None
                facts = (source.count, source.dtypes, crs, tuple(source.transform))
                return source.read(1), facts
    except (RasterioError, ValueError, KeyError):
        return None


profiles = st.fixed_dictionaries(
    {},
    optional={
        "compress": st.sampled_from(["deflate", "lzw", "packbits", "zstd", "none"]),
        "predictor": st.sampled_from([1, 2]),
        "tiled": st.booleans(),
        "blockxsize": st.sampled_from([16, 64]),
        "blockysize": st.sampled_from([16, 64]),
        "interleave": st.sampled_from(["pixel", "band"]),
        "endianness": st.sampled_from(["little", "big"]),
        "bigtiff": st.sampled_from(["yes", "no"]),
        "photometric": st.sampled_from(["minisblack", "miniswhite"]),
        "nodata": st.sampled_from([0, 65_535]),
        "sparse_ok": st.booleans(),
        "nbits": st.sampled_from([12, 16]),
        "count": st.sampled_from([1, 2]),
        "dtype": st.sampled_from(["uint8", "int16", "uint16", "float32"]),
        "GEOTIFF_KEYS_FLAVOR": st.sampled_from(["STANDARD", "ESRI_PE"]),
        "profile": st.sampled_from(["GDALGeoTIFF", "GeoTIFF", "BASELINE"]),
    },
)


@QUICK
@given(profiles, st.sampled_from([10, 20, 60]))
def test_any_profile_is_read_as_rasterio_reads_it_or_refused(tmp_path, profile, size):
    grid = Grid("EPSG:32633", 331_200, 5_331_600, size, 1200 // size, 1200 // size)
    path = tmp_path / "a.tif"
    pixels = pixels_of(grid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = gdal_bytes(pixels, grid, **profile)
        except (RasterioIOError, ValueError):
            reject()  # GDAL does not write every combination
    path.write_bytes(data)
    expected, (count, dtypes, crs, transform) = gdal_reads(path)
    fits = (count, dtypes[0], crs) == (1, "uint16", 32633) and transform[:6] == grid.transform
    for _ in range(2):  # by GDAL, then from memory where the header is plain
        if fits:
            assert np.array_equal(read_geotiff(path, grid), expected)
        else:
            with pytest.raises(ArchiveError):
                read_geotiff(path, grid)
    event(f"read {fits}, plain {parse_form(data) is not None}")


@QUICK
@given(st.data(), st.sampled_from(["none", "deflate"]), st.sampled_from([10, 20, 60]))
def test_a_damaged_file_is_read_as_rasterio_reads_it_or_refused(tmp_path, data, kind, size):
    grid = Grid("EPSG:32633", 331_200, 5_331_600, size, 1200 // size, 1200 // size)
    whole = encode_geotiff(pixels_of(grid), grid, compression=kind)
    path = tmp_path / "a.tif"
    path.write_bytes(whole)
    read_geotiff(path, grid)  # its header is in memory
    damaged = bytearray(whole)
    flips = st.tuples(st.integers(0, 500), st.integers(0, 255))
    for at, value in data.draw(st.lists(flips, max_size=4)):
        damaged[at] = value
    stop = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    path.write_bytes(bytes(damaged[:stop]) + data.draw(st.binary(max_size=3)))
    expected = gdal_reads(path)
    try:
        found = read_geotiff(path, grid)
    except BenError as error:
        found, said = None, str(error)
    if found is None:
        assert str(path) in said
        assert "\n" not in said
    else:
        assert expected is not None
        assert np.array_equal(found, expected[0])
        assert expected[1] == (1, ("uint16",), 32633, (*grid.transform, 0, 0, 1))


@pytest.mark.parametrize("kind", ["none", "deflate"])
def test_every_cut_of_a_file_is_refused(tmp_path, kind):
    grid = Grid("EPSG:32633", 331_200, 5_331_600, 60, 20, 20)
    whole = encode_geotiff(pixels_of(grid), grid, compression=kind)
    path = tmp_path / "a.tif"
    path.write_bytes(whole)
    read_geotiff(path, grid)
    for stop in range(0, len(whole), 7):
        path.write_bytes(whole[:stop])
        with pytest.raises(ArchiveError, match=r"corrupt|lies at"):
            read_geotiff(path, grid)


@pytest.mark.parametrize("kind", ["none", "deflate"])
def test_a_header_is_gdal_s_once(tmp_path, kind, monkeypatch):
    path = tmp_path / "a.tif"
    for seed in range(3):
        grid = Grid("EPSG:32633", 331_200 + 1200 * seed, 5_331_600, 10, 120, 120)
        pixels = pixels_of(grid, seed)
        path.write_bytes(encode_geotiff(pixels, grid, compression=kind))
        assert np.array_equal(read_geotiff(path, grid), pixels)
        monkeypatch.setattr(geotiff, "_read_with_gdal", None)


def test_another_corner_is_named_though_the_header_is_known(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(encode_geotiff(pixels_of(GRID), GRID))
    read_geotiff(path, GRID)
    with pytest.raises(ArchiveError, match=r"lies at EPSG:32633 331200 5331600 .* its patch at"):
        read_geotiff(path, Grid("EPSG:32633", 332_400, 5_331_600, 10, 120, 120))
    with pytest.raises(ArchiveError, match="its patch at EPSG:32634"):
        read_geotiff(path, Grid("EPSG:32634", 331_200, 5_331_600, 10, 120, 120))


def test_what_is_not_a_file_is_named(tmp_path):
    with pytest.raises(MissingError, match=r"a\.tif: the file is missing"):
        read_geotiff(tmp_path / "a.tif", GRID)
    (tmp_path / "b.tif").mkdir()
    with pytest.raises(ArchiveError, match=r"b\.tif: cannot be read, is a directory"):
        read_geotiff(tmp_path / "b.tif", GRID)


def test_other_systems_of_coordinates_are_named(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(gdal_bytes(pixels_of(GRID), GRID, crs="+proj=tmerc +lat_0=1 +lon_0=3"))
    with pytest.raises(ArchiveError, match="lies at a CRS without EPSG code"):
        read_geotiff(path, GRID)
    path.write_bytes(gdal_bytes(pixels_of(GRID), GRID, transform=Affine.rotation(3)))
    with pytest.raises(ArchiveError, match="lies at EPSG:32633 0 0"):
        read_geotiff(path, GRID)


@given(
    st.integers(166_020, 833_000),
    st.integers(0, 9_300_040),
    st.sampled_from([10, 20, 60]),
    st.integers(1, 60),
    st.sampled_from([None, 0, 65_535]),
    st.integers(0, 9),
)
@settings(max_examples=40)
def test_without_compression_the_bytes_are_gdal_s(ulx, uly, size, zone, nodata, seed):
    grid = Grid(f"EPSG:{32600 + zone}", ulx, uly, size, 1200 // size, 1200 // size)
    pixels = pixels_of(grid, seed)
    profile = {} if nodata is None else {"nodata": nodata}
    assert encode_geotiff(pixels, grid, nodata=nodata) == gdal_bytes(pixels, grid, **profile)


@pytest.mark.parametrize("size", [10, 20, 60])
@pytest.mark.parametrize("kind", ["none", "deflate"])
@pytest.mark.parametrize("nodata", [None, 0])
def test_gdal_makes_one_file_of_a_kind(size, kind, nodata, monkeypatch):
    grid = Grid("EPSG:32633", 331_200, 5_331_600, size, 1200 // size, 1200 // size)
    encode_geotiff(pixels_of(grid), grid, nodata=nodata, compression=kind)
    monkeypatch.setattr(geotiff, "_encode_with_gdal", None)
    for pixels in (pixels_of(grid, 1), np.zeros(grid.shape, np.uint16)):
        assert encode_geotiff(pixels, grid, nodata=nodata, compression=kind)


@pytest.mark.parametrize("size", [10, 20, 60])
@pytest.mark.parametrize("nodata", [None, 0])
def test_deflated_files_are_equal_to_gdal_s_through_rasterio(tmp_path, size, nodata):
    grid = Grid("EPSG:32633", 331_200, 5_331_600, size, 1200 // size, 1200 // size)
    for pixels in (pixels_of(grid), np.zeros(grid.shape, np.uint16), pixels_of(grid).T):
        profile = {} if nodata is None else {"nodata": nodata}
        theirs = gdal_bytes(pixels, grid, compress="deflate", predictor=2, **profile)
        ours = encode_geotiff(pixels, grid, nodata=nodata, compression="deflate")
        with MemoryFile(theirs).open() as first, MemoryFile(ours).open() as second:
            assert np.array_equal(second.read(1), pixels)
            assert first.profile == second.profile
            assert first.block_shapes == second.block_shapes
            assert first.tags() == second.tags()
            assert first.tags(ns="IMAGE_STRUCTURE") == second.tags(ns="IMAGE_STRUCTURE")
        assert len(ours) < 1.1 * len(theirs)


def test_grids_too_large_for_a_template_are_gdal_s(tmp_path):
    grid = Grid("EPSG:32633", 331_200, 5_331_600, 10, 40_000, 2)
    path = tmp_path / "a.tif"
    pixels = pixels_of(grid)
    path.write_bytes(encode_geotiff(pixels, grid, compression="deflate"))
    assert np.array_equal(read_geotiff(path, grid), pixels)


def test_pixels_of_another_shape_or_type_are_refused():
    with pytest.raises(GridError, match="shape"):
        encode_geotiff(np.ones((60, 60), np.uint16), GRID)
    with pytest.raises(GridError, match="pixels of int32"):
        encode_geotiff(np.ones((120, 120), np.int32), GRID)


def test_every_real_file_is_read_as_rasterio_reads_it(v1_sample):
    """66 patches of 12 files: those of 14 patches are as published, uncompressed."""
    sensor, kinds = load_sensor(), set()
    for folder in sorted(path for path in v1_sample.iterdir() if path.is_dir()):
        for band in sensor.patch_bands:
            path = folder / f"{folder.name}_{band.name}.tif"
            with rasterio.open(path) as source:
                crs, at = source.crs.to_string(), source.transform
                grid = Grid(crs, at.c, at.f, at.a, *source.shape)
                assert np.array_equal(read_geotiff(path, grid), source.read(1))
            form = parse_form(path.read_bytes())
            kinds.add((form.deflate, form.predictor))
    assert len(kinds) == 2
