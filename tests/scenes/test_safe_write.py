"""What is written is what GDAL's own drivers read, and the metadata of real products agree."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.grid import Grid
from benforge.errors import ConflictError, GridError, InputError, StorageError
from benforge.scenes.open import open_scene
from benforge.scenes.safe_write import SafeProduct, to_raw, write_safe

# A product as a whole has no corner in GDAL's eyes, only its subdatasets have.
pytestmark = pytest.mark.filterwarnings(
    "ignore::rasterio.errors.NotGeoreferencedWarning",
)

GRID = Grid("EPSG:32633", 300_000, 5_400_000, 10, 360, 360)
PRODUCT = SafeProduct(
    spacecraft="S2A",
    level="L2A",
    sensing_time=datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC),
    generated=datetime(2017, 6, 13, 10, 16, 8, tzinfo=UTC),
    baseline="02.05",
    orbit=22,
    tile="33UUP",
    grid=GRID,
    cloud_cover=12.5,
    simulated_by="a test",
)
NAME = "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE"


def random_bands(product: SafeProduct) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        band.name: rng.integers(
            0, 2**16, product.grid.resized(band.pixel_size).shape, dtype=np.uint16
        )
        for band in product.bands
        if band.name != "B10"
    }


SCL = np.random.default_rng(1).integers(0, 12, (180, 180), dtype=np.uint8)


@pytest.fixture(scope="module")
def l2a(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_safe(tmp_path_factory.mktemp("l2a"), PRODUCT, random_bands(PRODUCT), SCL)


@pytest.fixture(scope="module")
def l1c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    product = replace(
        PRODUCT,
        level="L1C",
        baseline="04.00",
        offsets={b.name: -1000 for b in PRODUCT.sensor.bands},
    )
    return write_safe(tmp_path_factory.mktemp("l1c"), product, random_bands(product))


def gdal_bands(folder: Path, driver: str) -> dict[str, np.ndarray]:
    """Every band as GDAL's SENTINEL2 driver gives it, by its name with two digits."""
    with rasterio.open(folder / f"MTD_{folder.name[4:10]}.xml") as product:
        assert product.driver == "SENTINEL2"
        subdatasets = [name for name in product.subdatasets if "m:EPSG_32633" in name]
    found = {}
    for name in subdatasets:
        assert name.startswith(driver)
        with rasterio.open(name) as dataset:
            assert dataset.crs == GRID.crs
            assert (dataset.transform.c, dataset.transform.f) == (GRID.ulx, GRID.uly)
            for index in dataset.indexes:
                band = dataset.tags(index)["BANDNAME"]
                band = f"B{int(band[1:]):02d}" if band[1:].isdigit() else band
                found[band] = dataset.read(index)
    return found


def test_name_is_that_of_a_real_product(l2a: Path) -> None:
    assert l2a.name == PRODUCT.name == NAME
    assert (l2a / "GRANULE/L2A_T33UUP_A010315_20170613T101608/MTD_TL.xml").is_file()
    files = {path.name for path in l2a.rglob("R20m/*")}
    assert "T33UUP_20170613T101031_B8A_20m.jp2" in files
    assert "T33UUP_20170613T101031_SCL_20m.jp2" in files


def test_gdal_reads_every_l2a_band_back(l2a: Path) -> None:
    found = gdal_bands(l2a, "SENTINEL2_L2A")
    for name, pixels in random_bands(PRODUCT).items():
        np.testing.assert_array_equal(found[name], pixels)


def test_gdal_reads_every_l1c_band_back(l1c: Path) -> None:
    found = gdal_bands(l1c, "SENTINEL2_L1C")
    for name, pixels in random_bands(replace(PRODUCT, level="L1C")).items():
        np.testing.assert_array_equal(found[name], pixels)
    assert not found["B10"].any()


def test_gdal_reads_the_metadata(l2a: Path) -> None:
    with rasterio.open(l2a / "MTD_MSIL2A.xml") as product:
        tags = product.tags()
    assert tags["CLOUD_COVERAGE_ASSESSMENT"] == "12.5"
    assert tags["BOA_QUANTIFICATION_VALUE"] == "10000"
    assert tags["PRODUCT_URI"] == NAME
    assert tags["SIMULATED_BY"] == "a test"
    assert tags["DATATAKE_1_SENSING_ORBIT_NUMBER"] == "22"


def test_classification_is_written_at_20_and_60_m(l2a: Path) -> None:
    for pixel_size, expected in ((20, SCL), (60, SCL[1::3, 1::3])):
        with rasterio.open(next(l2a.rglob(f"*SCL_{pixel_size}m.jp2"))) as dataset:
            assert dataset.dtypes == ("uint8",)
            assert dataset.res == (pixel_size, pixel_size)
            np.testing.assert_array_equal(dataset.read(1), expected)


@pytest.mark.parametrize("level", ["l1c", "l2a"])
def test_our_reader_reads_what_was_written(level: str, request: pytest.FixtureRequest) -> None:
    scene = open_scene(request.getfixturevalue(level))
    assert scene.metadata.grid == GRID
    assert scene.metadata.simulated
    assert scene.metadata.cloud_cover == 12.5
    assert set(scene.metadata.quality_checks.values()) == {"PASSED"}
    raw = random_bands(PRODUCT)["B8A"].astype(int)
    offset = -1000 if level == "l1c" else 0
    expected = np.where(raw == 0, 0, np.where(raw == 65535, 65535, np.maximum(raw + offset, 1)))
    np.testing.assert_array_equal(scene.read_band("B8A"), expected)


def elements(root: ElementTree.Element) -> set[str]:
    return {element.tag.split("}")[-1] for element in root.iter()}


def test_metadata_hold_nothing_that_real_ones_do_not(l1c: Path, shared_data: Path) -> None:
    real = next((shared_data / "sentinel2" / "l1c_metadata_T32TNM").glob("*.SAFE"))
    later = {"RADIO_ADD_OFFSET", "Radiometric_Offset_List", "quality_check", "SIMULATED_BY"}
    for pattern in ("MTD_MSIL1C.xml", "GRANULE/*/MTD_TL.xml"):
        ours = elements(ElementTree.parse(next(l1c.glob(pattern))).getroot())
        theirs = elements(ElementTree.parse(next(real.glob(pattern))).getroot())
        assert ours - theirs <= later


def test_manifest_names_every_file_with_its_checksum(l2a: Path) -> None:
    root = ElementTree.parse(l2a / "manifest.safe").getroot()
    named = {}
    for stream in root.iter("byteStream"):
        location, checksum = stream.find("fileLocation"), stream.find("checksum")
        assert location is not None
        assert checksum is not None
        named[location.attrib["href"][2:]] = checksum.text
    there = {p.relative_to(l2a).as_posix(): p for p in l2a.rglob("*.*") if p.is_file()}
    del there["manifest.safe"]
    assert named == {name: hashlib.md5(p.read_bytes()).hexdigest() for name, p in there.items()}


def test_same_input_same_bytes(l2a: Path, tmp_path: Path) -> None:
    again = write_safe(tmp_path, PRODUCT, random_bands(PRODUCT), SCL, threads=2)
    files = sorted(path.relative_to(l2a) for path in l2a.rglob("*"))
    assert files == sorted(path.relative_to(again) for path in again.rglob("*"))
    for path in files:
        if (l2a / path).is_file():
            assert (l2a / path).read_bytes() == (again / path).read_bytes()


def test_bands_are_asked_for_once_each(tmp_path: Path) -> None:
    asked = []

    class Counting(dict[str, np.ndarray]):
        def __getitem__(self, name: str) -> np.ndarray:
            asked.append(name)
            return super().__getitem__(name)

    bands = Counting(random_bands(PRODUCT))
    write_safe(tmp_path, PRODUCT, bands)
    assert sorted(asked) == sorted(band.name for band in PRODUCT.bands)


def without(name: str) -> Mapping[str, np.ndarray]:
    return {band: pixels for band, pixels in random_bands(PRODUCT).items() if band != name}


def test_missing_band_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no array for the bands B05"):
        write_safe(tmp_path, PRODUCT, without("B05"))


def test_wrong_size_leaves_nothing_behind(tmp_path: Path) -> None:
    wrong = {**random_bands(PRODUCT), "B12": np.zeros((360, 360), np.uint16)}
    with pytest.raises(GridError, match="B12"):
        write_safe(tmp_path, PRODUCT, wrong)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_grow_is_told_in_one_line(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            write_safe(tmp_path, PRODUCT, random_bands(PRODUCT))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_a_product_that_is_there_stays(l2a: Path) -> None:
    with pytest.raises(ConflictError, match="already there"):
        write_safe(l2a.parent, PRODUCT, random_bands(PRODUCT))


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.part" / "GRANULE").mkdir(parents=True)
    write_safe(tmp_path, PRODUCT, random_bands(PRODUCT))
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_l1c_has_no_classification(tmp_path: Path) -> None:
    product = replace(PRODUCT, level="L1C")
    with pytest.raises(InputError, match="no scene classification"):
        write_safe(tmp_path, product, random_bands(product), SCL)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"level": "L1B"}, InputError),
        ({"offsets": {"B99": -1000}}, InputError),
        ({"tile": "nowhere"}, InputError),
        ({"grid": Grid("EPSG:32633", 0, 0, 20, 60, 60)}, GridError),
        ({"grid": Grid("EPSG:32633", 0, 0, 10, 61, 60)}, GridError),
    ],
)
def test_impossible_products(change: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        replace(PRODUCT, **change)  # type: ignore[arg-type]


@given(st.integers(1, 20_000), st.sampled_from([0, -1000]))
def test_raw_numbers_carry_the_offset(reflectance: int, offset: int) -> None:
    pixels = np.array([0, reflectance], np.uint16)
    raw = to_raw(pixels, offset)
    assert raw[0] == 0
    assert int(raw[1]) + offset == reflectance
