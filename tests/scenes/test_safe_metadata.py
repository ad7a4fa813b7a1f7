from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rasterio

from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.errors import ProductError
from benforge.scenes.safe_metadata import read_metadata
from tests.scenes.safe_products import BANDS, OFFSETS, as_old, as_zip, edit, write_product

REAL_2018 = "S2A_MSIL1C_20180101T105441_N0206_R051_T31TDH_20180101T124911"
REAL_2017 = "S2A_MSIL1C_20170226T102021_N0204_R065_T32TNM_20170226T102458"


@pytest.fixture
def product_2018(shared_data: Path) -> Path:
    return shared_data / "sentinel2" / "eodag_SAFE_T31TDH" / REAL_2018


@pytest.fixture
def product_2017(shared_data: Path) -> Path:
    return shared_data / "sentinel2" / "l1c_metadata_T32TNM" / f"{REAL_2017}.SAFE"


def test_the_real_product_of_2018(product_2018: Path) -> None:
    about = read_metadata(product_2018)
    assert about.product == ProductId("S2A", "L1C", "20180101T105441", "0206", 51, "31TDH")
    assert about.source == REAL_2018
    assert (about.level, about.baseline, about.orbit, about.tile) == ("L1C", "02.06", 51, "31TDH")
    assert about.sensing_time == datetime(2018, 1, 1, 10, 54, 41, tzinfo=UTC)
    assert about.grid == Grid("EPSG:32631", 399_960, 4_800_000, 10, 10_980, 10_980)
    assert (about.quantification, about.cloud_cover) == (10_000, 11.9204)
    assert about.offsets == dict.fromkeys(BANDS, 0)
    assert len(about.quality_checks) == 5
    assert set(about.quality_checks.values()) == {"PASSED"}
    assert about.quality_checks["GEOMETRIC_QUALITY"] == "PASSED"
    assert not about.simulated


def test_the_real_zip_of_2018_tells_the_same(shared_data: Path, product_2018: Path) -> None:
    zipped = shared_data / "sentinel2" / "eodag_SAFE_T31TDH" / "as_archive" / f"{REAL_2018}.zip"
    folder, packed = read_metadata(product_2018), read_metadata(zipped)
    # The two XML files differ by a few bytes, the product's content does not.
    for field in ("product", "source", "grid", "offsets", "cloud_cover", "quality_checks"):
        assert getattr(folder, field) == getattr(packed, field)


def test_the_real_product_of_2017_with_its_older_quality_flags(product_2017: Path) -> None:
    about = read_metadata(product_2017)
    assert str(about.product) == "S2A_MSIL1C_20170226T102021_N0204_R065_T32TNM"
    assert about.source == REAL_2017
    assert about.grid == Grid("EPSG:32632", 499_980, 4_700_040, 10, 10_980, 10_980)
    assert about.cloud_cover == 0.1491
    assert about.quality_checks["GEOMETRIC_QUALITY"] == "PASSED"
    assert "FORMAT_CORRECTNESS" in about.quality_checks
    assert read_metadata(product_2017 / "MTD_MSIL1C.xml") == about


@pytest.mark.parametrize("name", ["product_2017", "product_2018"])
def test_gdal_finds_the_real_products_on_the_same_ground(
    name: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(name)
    grid = read_metadata(folder).grid
    dataset = f"SENTINEL2_L1C:{folder / 'MTD_MSIL1C.xml'}:60m:{grid.crs.replace(':', '_')}"
    with rasterio.open(dataset) as gdal:
        assert f"EPSG:{gdal.crs.to_epsg()}" == grid.crs
        assert tuple(gdal.transform)[:6] == grid.resized(60).transform
        assert gdal.shape == grid.resized(60).shape


@pytest.mark.parametrize("baseline", ["02.04", "02.06", "03.01", "99.99"])
def test_before_04_00_there_are_no_offsets(tmp_path: Path, baseline: str) -> None:
    about = read_metadata(write_product(tmp_path, baseline=baseline).folder)
    assert about.baseline == baseline
    assert about.offsets == dict.fromkeys(BANDS, 0)


@pytest.mark.parametrize("level", ["L1C", "L2A"])
@pytest.mark.parametrize("baseline", ["04.00", "05.11", "99.99"])
def test_from_04_00_on_the_offsets_are_those_stated(
    tmp_path: Path, level: str, baseline: str
) -> None:
    written = write_product(tmp_path, level, baseline=baseline, offsets=OFFSETS)
    about = read_metadata(written.folder)
    assert about.offsets == OFFSETS
    assert about.quality_checks["SENSOR_QUALITY"] == "PASSED"


def test_a_band_without_offset_among_bands_with_one_is_refused(tmp_path: Path) -> None:
    written = write_product(tmp_path, baseline="05.00", offsets=OFFSETS)
    edit(written.xml, ('band_id="8"', 'band_id="88"'))
    with pytest.raises(ProductError, match="no BOA_ADD_OFFSET for B8A"):
        read_metadata(written.folder)


def test_a_failed_check_is_told(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    edit(written.xml, ("<GEOMETRIC_QUALITY_FLAG>PASSED", "<GEOMETRIC_QUALITY_FLAG>FAILED"))
    checks = read_metadata(written.folder).quality_checks
    assert [name for name, verdict in checks.items() if verdict != "PASSED"] == [
        "GEOMETRIC_QUALITY"
    ]


def test_cloud_cover_falls_back_to_the_granule_and_may_be_missing(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    edit(written.xml, ("Cloud_Coverage_Assessment", "X"))
    assert read_metadata(written.folder).cloud_cover == 0.75
    edit(written.granule / "MTD_TL.xml", ("CLOUDY_PIXEL_PERCENTAGE", "X"))
    assert read_metadata(written.folder).cloud_cover is None


def test_a_simulated_product_says_so(tmp_path: Path) -> None:
    assert read_metadata(write_product(tmp_path, simulated_by="benforge").folder).simulated


def test_the_id_of_a_renamed_product_is_that_of_its_metadata(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    renamed = written.folder.rename(tmp_path / "june")
    assert read_metadata(renamed).product == written.product.id


def test_an_old_product_without_a_uri_is_told_by_its_metadata(tmp_path: Path) -> None:
    written = write_product(tmp_path / "new", "L1C")
    old = as_old(written, tmp_path / "old")
    [xml] = old.glob("*.xml")
    edit(xml, (f"<PRODUCT_URI>{old.name}</PRODUCT_URI>", "<PRODUCT_URI/>"))
    about = read_metadata(old)
    assert about.product == written.product.id
    assert about.source == written.folder.name.removesuffix(".SAFE")


def test_metadata_that_make_no_id_are_refused(tmp_path: Path) -> None:
    old = as_old(write_product(tmp_path / "new", "L1C"), tmp_path / "old")
    [xml] = old.glob("*.xml")
    edit(xml, ("Sentinel-2A", "Landsat 8"))
    with pytest.raises(ProductError, match="make no product id"):
        read_metadata(old)


def test_the_bands_may_be_missing(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    shutil.rmtree(written.granule / "IMG_DATA")
    assert read_metadata(written.folder).product == written.product.id


def test_the_fingerprint_follows_metadata_and_sizes(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    first = read_metadata(written.folder).fingerprint
    assert read_metadata(as_zip(written.folder, tmp_path / "a.zip")).fingerprint == first
    with written.image("B02", 10).open("ab") as band:
        band.write(b"\0")
    second = read_metadata(written.folder).fingerprint
    edit(written.xml, (">0.75<", ">0.76<"))
    assert len({first, second, read_metadata(written.folder).fingerprint}) == 3


def test_the_fingerprint_follows_the_listed_checksums_of_bands_alone(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    manifest = written.folder / "manifest.safe"
    found = [read_metadata(written.folder).fingerprint]
    for file in (written.image("B02", 10), written.image("SCL", 20), written.xml):
        digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        edit(manifest, (digest, "0" * 32))
        found.append(read_metadata(written.folder).fingerprint)
    assert len(set(found[:3])) == 3
    assert found[3] == found[2]
    manifest.unlink()
    assert read_metadata(written.folder).fingerprint not in found


@pytest.mark.parametrize("zipped", [False, True])
def test_the_tile_may_be_named_after_the_path(tmp_path: Path, zipped: bool) -> None:
    path = as_old(write_product(tmp_path / "new"), tmp_path / "old", ("33UUP", "33UUQ"))
    if zipped:
        path = as_zip(path, tmp_path / "old.zip", f"{path.name}/")
    assert read_metadata(Path(f"{path}#33UUQ")).tile == "33UUQ"
    assert read_metadata(Path(f"{path}#33UUQ"), "33UUP").tile == "33UUP"
