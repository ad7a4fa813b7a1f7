from __future__ import annotations

import hashlib
import shutil
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.grid import Grid
from benforge.errors import BenError, InputError, ProductError
from benforge.scenes.port import SceneReader
from benforge.scenes.safe_reader import open_safe, reflectance_table
from benforge.testing.scene_reader import SceneReaderContract
from tests.scenes.safe_products import (
    BANDS,
    GRID,
    OFFSETS,
    Written,
    as_old,
    as_pilot,
    as_zip,
    edit,
    write_product,
)


@pytest.fixture(scope="module")
def l2a(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_product(tmp_path_factory.mktemp("l2a"))


@pytest.fixture(scope="module")
def l1c_new(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("l1c")
    return write_product(
        folder, "L1C", baseline="05.09", offsets={**OFFSETS, "B10": -1000}, simulated_by="benforge"
    )


@pytest.fixture
def copy(l2a: Written, tmp_path: Path) -> Written:
    """An L2A product that the test may damage."""
    folder = tmp_path / l2a.folder.name
    shutil.copytree(l2a.folder, folder)
    return Written(folder, l2a.product, l2a.bands, l2a.classification)


class TestL2AFolder(SceneReaderContract):
    @pytest.fixture
    def reader(self, l2a: Written) -> SceneReader:
        return open_safe(l2a.folder)


class TestL1CZip(SceneReaderContract):
    @pytest.fixture
    def reader(self, l1c_new: Written, tmp_path: Path) -> SceneReader:
        return open_safe(as_zip(l1c_new.folder, tmp_path / "a.zip", f"{l1c_new.folder.name}/"))


def assert_same_pixels(reader: SceneReader, written: Written) -> None:
    for name in BANDS:
        assert np.array_equal(reader.read_band(name), written.bands[name]), name
    classes = reader.read_classification()
    if written.classification is None:
        assert classes is None
    else:
        assert np.array_equal(classes, written.classification)


def test_what_was_written_is_read(l2a: Written) -> None:
    reader = open_safe(l2a.folder)
    assert_same_pixels(reader, l2a)
    about = reader.metadata
    assert about.product == l2a.product.id
    assert about.source == l2a.folder.name.removesuffix(".SAFE")
    assert about.grid == GRID
    assert about.sensing_time == datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC)
    assert (about.orbit, about.baseline, about.cloud_cover) == (22, "02.05", 0.75)
    assert about.quality_checks["GEOMETRIC_QUALITY"] == "PASSED"
    assert not about.simulated


@pytest.mark.parametrize("form", ["xml", "bare", "zip", "zip with folder", "stored zip"])
def test_every_form_of_delivery_is_the_same_scene(l2a: Written, tmp_path: Path, form: str) -> None:
    bare = tmp_path / l2a.folder.stem
    makes: dict[str, Callable[[], Path]] = {
        "xml": lambda: l2a.xml,
        "bare": lambda: Path(shutil.copytree(l2a.folder, bare)),
        "zip": lambda: as_zip(l2a.folder, tmp_path / "p.zip"),
        "zip with folder": lambda: as_zip(l2a.folder, tmp_path / "p.zip", "X.SAFE/"),
        "stored zip": lambda: as_zip(l2a.folder, tmp_path / "p.zip", method=zipfile.ZIP_STORED),
    }
    reader = open_safe(makes[form]())
    assert reader.metadata == open_safe(l2a.folder).metadata
    assert_same_pixels(reader, l2a)


def test_gdal_agrees_on_the_ground(l2a: Written) -> None:
    with rasterio.open(f"SENTINEL2_L2A:{l2a.xml}:10m:EPSG_32633") as gdal:
        grid = open_safe(l2a.folder).metadata.grid
        assert gdal.crs.to_epsg() == int(grid.crs.removeprefix("EPSG:"))
        assert tuple(gdal.transform)[:6] == grid.transform
        assert gdal.shape == grid.shape


# ---- radiometry


def test_offsets_make_baselines_comparable(l1c_new: Written) -> None:
    reader = open_safe(l1c_new.folder)
    assert reader.metadata.offsets == OFFSETS
    assert reader.metadata.simulated
    for name in BANDS:
        raw = l1c_new.bands[name].astype(int)
        expected = np.where(raw == 0, 0, np.where(raw == 65535, 65535, np.maximum(1, raw - 1000)))
        assert np.array_equal(reader.read_band(name, threads=2), expected), name


def test_offsets_are_taken_by_band_index(tmp_path: Path) -> None:
    offsets = {name: -1000 - 10 * number for number, name in enumerate(BANDS)}
    written = write_product(tmp_path, baseline="05.10", offsets=offsets)
    reader = open_safe(written.folder)
    assert reader.metadata.offsets == offsets
    assert reader.read_band("B8A")[5, 5] == max(1, int(written.bands["B8A"][5, 5]) - 1080)


def test_another_quantification_is_brought_to_10000(tmp_path: Path) -> None:
    written = write_product(tmp_path, "L1C", quantification=1000)
    reader = open_safe(written.folder)
    assert reader.metadata.quantification == 1000
    assert reader.read_band("B02")[0, :4].tolist() == [0, 10, 10_000, 10_010]


@given(st.integers(-5000, 5000), st.sampled_from([1000, 10_000, 20_000]), st.integers(1, 65534))
def test_a_valid_number_stays_valid(offset: int, quantification: int, raw: int) -> None:
    table = reflectance_table(offset, quantification, 10_000)
    exact = (raw + offset) * 10_000 / quantification
    assert table[0] == 0
    assert table[65535] == 65535
    assert abs(int(table[raw]) - min(max(exact, 1), 65534)) <= 0.5


# ---- older layouts


def test_the_pilot_products_of_2017_are_read(copy: Written, l2a: Written) -> None:
    expected = open_safe(l2a.folder).metadata
    reader = open_safe(as_pilot(copy))
    assert (reader.metadata.product, reader.metadata.source) == (expected.product, expected.source)
    assert_same_pixels(reader, copy)


@pytest.mark.parametrize("level", ["L1C", "L2A"])
@pytest.mark.parametrize("zipped", [False, True])
def test_the_layout_before_december_2016_is_read(tmp_path: Path, level: str, zipped: bool) -> None:
    written = write_product(tmp_path / "new", level)
    path = old = as_old(written, tmp_path / "old")
    if zipped:
        path = as_zip(old, tmp_path / "old.zip", f"{old.name}/")
    reader = open_safe(path)
    assert reader.metadata.product == written.product.id
    assert reader.metadata.source == old.stem
    assert_same_pixels(reader, written)


def test_of_several_granules_one_is_named(l2a: Written, tmp_path: Path) -> None:
    old = as_old(l2a, tmp_path, ("33UUP", "33UUQ"))
    with pytest.raises(ProductError, match="33UUP, 33UUQ"):
        open_safe(old)
    with pytest.raises(ProductError, match=r"no tile 33UVP.*33UUP, 33UUQ"):
        open_safe(old, "33UVP")
    reader = open_safe(old, "33UUQ")
    assert str(reader.metadata.product).endswith("_T33UUQ")
    assert_same_pixels(reader, l2a)


def test_bands_are_found_when_the_metadata_name_them_wrongly(copy: Written) -> None:
    edit(copy.xml, ("/IMG_DATA/", "/../../../../elsewhere/"), ("_B02_10m", "_Bxx_10m"))
    assert_same_pixels(open_safe(copy.folder), copy)


# ---- bad input, one clear line each


def _truncate(file: Path, share: float) -> None:
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])


def _rewrite(file: Path, **changes: object) -> None:
    """The same image written with another size, type or ground."""
    with rasterio.open(file) as source:
        kept = ("crs", "transform", "height", "width", "dtype", "count")
        profile = {key: source.profile[key] for key in kept} | changes
    shape = (profile["count"], profile["height"], profile["width"])
    with rasterio.open(file, "w", driver="JP2OpenJPEG", REVERSIBLE="YES", **profile) as target:
        target.write(np.ones(shape, profile["dtype"]))


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]>\n<x>&c;</x>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>\n<x>&a;</x>'
VRT = '<VRTDataset rasterXSize="120" rasterYSize="180"><VRTRasterBand/></VRTDataset>'

DAMAGE: dict[str, tuple[Callable[[Written], object], str]] = {
    "missing band": (lambda p: p.image("B08", 10).unlink(), "R10m: no file of band B08"),
    "missing bands": (
        lambda p: shutil.rmtree(p.image("B05", 20).parent),
        "R20m: no file of band B05, B06, B07, B8A",
    ),
    "empty band": (lambda p: p.image("B04", 10).write_bytes(b""), "B04_10m.jp2: 0 bytes"),
    "not JPEG 2000": (lambda p: p.image("B04", 10).write_bytes(b"x" * 999), "not a JPEG 2000"),
    "VRT as JPEG 2000": (lambda p: p.image("B04", 10).write_text(VRT), "not a JPEG 2000"),
    "huge band": (lambda p: p.image("B01", 60).write_bytes(b"x" * 10**6), "1000000 bytes cannot"),
    "other size": (lambda p: _rewrite(p.image("B03", 10), width=114), "180 x 114 .* 180 x 120"),
    "other type": (lambda p: _rewrite(p.image("B03", 10), dtype="uint8"), "uint8"),
    "three bands": (lambda p: _rewrite(p.image("B03", 10), count=3), "3 band"),
    "other CRS": (lambda p: _rewrite(p.image("B03", 10), crs="EPSG:32632"), "EPSG:32632"),
    "other corner": (
        lambda p: _rewrite(p.image("B03", 10), transform=rasterio.Affine(10, 0, 0, 0, -10, 0)),
        "metadata announce",
    ),
    "two files of a band": (
        lambda p: (
            [
                shutil.copy(p.image("B02", 10), p.image("B02", 10).with_name(f"{c}_B02_10m.jp2"))
                for c in "ab"
            ]
            + [p.image("B02", 10).unlink()]
        ),
        "2 files of band B02",
    ),
    "lying size": (
        lambda p: edit(p.granule / "MTD_TL.xml", ("<NROWS>180<", "<NROWS>10980<")),
        "differ between the pixel sizes",
    ),
    "lying sizes": (
        lambda p: edit(
            p.granule / "MTD_TL.xml",
            ("<NROWS>180<", "<NROWS>360<"),
            ("<NROWS>90<", "<NROWS>180<"),
            ("<NROWS>30<", "<NROWS>60<"),
        ),
        "announce",
    ),
    "size not of 60 m": (
        lambda p: edit(p.granule / "MTD_TL.xml", ("<NROWS>180<", "<NROWS>181<")),
        "whole number",
    ),
    "no size": (lambda p: edit(p.granule / "MTD_TL.xml", ("NROWS", "NR")), "no Size NROWS"),
    "size not a number": (
        lambda p: edit(p.granule / "MTD_TL.xml", ("<NROWS>180<", "<NROWS>many<")),
        "'many', not a number",
    ),
    "negative size": (
        lambda p: edit(p.granule / "MTD_TL.xml", ("<NROWS>180<", "<NROWS>-180<")),
        "empty",
    ),
    "south-up": (lambda p: edit(p.granule / "MTD_TL.xml", (">-10<", ">10<")), "north-up"),
    "wrong CRS": (lambda p: edit(p.granule / "MTD_TL.xml", ("32633", "3035")), "not a UTM"),
    "other tile": (lambda p: edit(p.granule / "MTD_TL.xml", ("33UUP", "33UUQ")), "tile 33UUQ"),
    "no tile": (lambda p: edit(p.granule / "MTD_TL.xml", ("_T33UUP", "")), "no MGRS tile"),
    "other level": (lambda p: edit(p.xml, (">Level-2A<", ">Level-1B<")), "are of Level-1B"),
    "no baseline": (
        lambda p: edit(p.xml, ("PROCESSING_BASELINE", "X")),
        "no PROCESSING_BASELINE",
    ),
    "no offsets from 04.00 on": (lambda p: edit(p.xml, (">02.05<", ">04.00<")), "no BOA_ADD"),
    "baseline of another form": (
        lambda p: edit(p.xml, (">02.05<", ">99.x<")),
        "PROCESSING_BASELINE is '99.x', not of the form",
    ),
    "sensed at no time": (
        lambda p: edit(
            p.xml, ("<DATATAKE_SENSING_START>2017-06", "<DATATAKE_SENSING_START>2017-66")
        ),
        "sensing time, 2017-66-13.*, is none",
    ),
    "URI of no time": (
        lambda p: edit(p.xml, (p.product.name, p.product.name.replace("T101031", "T991031"))),
        "called S2A.*, but its metadata are of S2A",
    ),
    "URI of another product": (
        lambda p: edit(p.xml, (p.product.name, p.product.name.replace("R022", "R065"))),
        "called S2A.*R022.*, but its metadata are of S2A.*R065",
    ),
    "empty manifest": (
        lambda p: (p.folder / "manifest.safe").write_bytes(b""),
        r"manifest\.safe: an empty file",
    ),
    "link to nowhere": (
        lambda p: (p.image("B04", 10).unlink(), p.image("B04", 10).symlink_to("gone.jp2")),
        r"B04_10m\.jp2: a link to gone\.jp2, where there is nothing",
    ),
    "zero quantification": (lambda p: edit(p.xml, (">10000<", ">0<")), "QUANTIFICATION_VALUE is 0"),
    "XML bomb": (lambda p: p.xml.write_text(BOMB), "document type or entities"),
    "external entity": (lambda p: p.xml.write_text(EXTERNAL), "document type or entities"),
    "bomb in the granule": (lambda p: (p.granule / "MTD_TL.xml").write_text(BOMB), "entities"),
    "broken XML": (lambda p: _truncate(p.xml, 0.5), "not well-formed"),
    "no granule": (lambda p: shutil.rmtree(p.granule), "no granule"),
    "no metadata": (lambda p: p.xml.unlink(), "not a Sentinel-2"),
    "two main metadata": (
        lambda p: shutil.copy(p.xml, p.folder / "MTD_MSIL1C.xml"),
        "several main metadata",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_told_in_one_line(copy: Written, case: str) -> None:
    damage, message = DAMAGE[case]
    damage(copy)
    with pytest.raises(ProductError, match=message) as caught:
        open_safe(copy.folder)
    assert "\n" not in str(caught.value)


def test_a_folder_instead_of_the_manifest_is_told(copy: Written) -> None:
    (copy.folder / "manifest.safe").unlink()
    (copy.folder / "manifest.safe").mkdir()
    with pytest.raises(ProductError, match=r"manifest\.safe: a folder, not a file"):
        open_safe(copy.folder)


def test_an_id_of_no_time_is_told(copy: Written) -> None:
    wrong = copy.product.name.replace("20170613T101031", "20171313T101031")
    edit(copy.xml, (copy.product.name, wrong))
    with pytest.raises(ProductError, match=r"sensing time, .*, is none"):
        open_safe(copy.folder.rename(copy.folder.with_name("june")))


def test_links_to_a_store_elsewhere_are_followed(copy: Written, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    band, images = copy.image("B04", 10), copy.granule / "IMG_DATA"
    band.rename(store / "b04.jp2")
    band.symlink_to(store / "b04.jp2")
    assert_same_pixels(open_safe(copy.folder), copy)
    images.rename(store / "images")
    images.symlink_to(store / "images")
    (store / "images" / "round").symlink_to(images)  # a circle does no harm
    assert_same_pixels(open_safe(copy.folder), copy)
    copy.granule.rename(store / "granule")
    copy.granule.symlink_to(store / "granule")
    assert_same_pixels(open_safe(copy.folder), copy)


def test_a_stray_file_of_a_band_is_left_aside_where_the_metadata_list_one(copy: Written) -> None:
    band = copy.image("B04", 10)
    shutil.copy(copy.image("B03", 10), band.with_name("XT33UUP_20170613T101031_B04_10m.jp2"))
    assert_same_pixels(open_safe(copy.folder), copy)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("LC08_L2SP_190026_20170613_20200903_02_T1", "Landsat"),
        ("S1A_IW_GRDH_1SDV_20170613T165043_20170613T165108_017018_01C59A_4EDC.SAFE", "Sentinel-1"),
        ("S3A_OL_1_EFR____20170613T093000.SEN3", "Sentinel-3"),
        ("S2A_OPER_PRD_MSIL1B_PDMC_20170613T120000_R022_V20170613T101031.SAFE", "below level 1C"),
    ],
)
def test_another_product_is_called_by_its_name(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ProductError, match=f"not a Sentinel-2 L1C or L2A product.*{kind}"):
        open_safe(tmp_path / name)


@pytest.mark.parametrize("share", [0.0005, 0.02, 0.3, 0.7, 0.99, 0.9999999])
@pytest.mark.parametrize("zipped", [False, True])
def test_truncation_is_never_missed(copy: Written, share: float, zipped: bool) -> None:
    _truncate(copy.image("B02", 10), share)
    path = as_zip(copy.folder, copy.folder.with_suffix(".zip")) if zipped else copy.folder
    with pytest.raises(ProductError, match="B02"):
        open_safe(path).read_band("B02")


def test_truncation_after_opening_is_found_by_the_read(copy: Written) -> None:
    reader = open_safe(copy.folder)
    _truncate(copy.image("SCL", 20), 0.5)
    with pytest.raises(ProductError, match="SCL"):
        reader.read_classification()
    copy.image("B02", 10).unlink()
    with pytest.raises(ProductError, match="B02"):
        reader.read_band("B02")


@pytest.mark.parametrize("threads", [1, 2])
def test_a_corrupt_tile_is_told_and_never_passed_on(copy: Written, threads: int) -> None:
    """Whole by its markers, but the packets of its tile are no packets."""
    file = copy.image("B02", 10)
    data = bytearray(file.read_bytes())
    start = data.index(b"\xff\x93") + 2
    data[start : len(data) - 2] = b"\xff" * (len(data) - 2 - start)
    file.write_bytes(data)
    (copy.folder / "manifest.safe").unlink()  # which would tell before the decoder
    reader = open_safe(copy.folder)
    with pytest.raises(ProductError, match=r"B02_10m\.jp2: cannot be decoded"):
        reader.read_band("B02", threads=threads)


def _flip(file: Path) -> None:
    """One bit amid the packets of the only tile."""
    data = bytearray(file.read_bytes())
    data[(data.index(b"\xff\x93") + len(data)) // 2] ^= 1
    file.write_bytes(data)


def _with_sha3(product: Written, *images: Path) -> None:
    """The manifest as in newer products."""
    for image in images:
        data = image.read_bytes()
        old = hashlib.md5(data, usedforsecurity=False).hexdigest()
        edit(
            product.folder / "manifest.safe",
            (f'"MD5">{old}', f'"SHA3-256">{hashlib.sha3_256(data).hexdigest()}'),
        )


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("newer", [False, True])
def test_a_changed_bit_is_told_before_decoding(copy: Written, newer: bool, zipped: bool) -> None:
    images = copy.image("B02", 10), copy.image("SCL", 20)
    if newer:
        _with_sha3(copy, *images)
    assert_same_pixels(open_safe(copy.folder), copy)
    for image in images:
        _flip(image)
    path = as_zip(copy.folder, copy.folder.with_suffix(".zip")) if zipped else copy.folder
    reader = open_safe(path)
    told = r"jp2: its checksum is not that of manifest\.safe\. Download the product again"
    with pytest.raises(ProductError, match=rf"B02_10m\.{told}"):
        reader.read_band("B02")
    with pytest.raises(ProductError, match=rf"SCL_20m\.{told}"):
        reader.read_classification()
    assert np.array_equal(reader.read_band("B03"), copy.bands["B03"])


def test_without_an_entry_of_a_known_kind_a_band_is_read_as_it_is(copy: Written) -> None:
    _flip(copy.image("B02", 10))
    edit(copy.folder / "manifest.safe", ('"MD5"', '"CRC32"'))
    changed = open_safe(copy.folder).read_band("B02")  # the decoder notices nothing
    assert not np.array_equal(changed, copy.bands["B02"])


def test_a_file_of_another_size_than_listed_is_told_when_opened(copy: Written) -> None:
    size = copy.image("B8A", 20).stat().st_size
    edit(copy.folder / "manifest.safe", (f'size="{size}"', f'size="{size + 1}"'))
    with pytest.raises(ProductError, match=rf"{size} bytes, but manifest\.safe lists {size + 1}"):
        open_safe(copy.folder)


@pytest.mark.parametrize(
    "name", ["../evil.xml", "/etc/evil", "a/../../evil", "C:/evil", "a\\evil", "a//b", "./a"]
)
def test_a_zip_with_an_unsafe_name_is_refused(copy: Written, name: str) -> None:
    path = as_zip(copy.folder, copy.folder.with_suffix(".zip"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(ProductError, match="unsafe name"):
        open_safe(path)


def test_bad_zips_are_refused(copy: Written, tmp_path: Path) -> None:
    path = as_zip(copy.folder, tmp_path / "a.zip", method=zipfile.ZIP_STORED)
    data = path.read_bytes()
    file = tmp_path / "b.zip"

    with zipfile.ZipFile(file, "w"):
        pass
    with pytest.raises(ProductError, match="not a Sentinel-2"):
        open_safe(file)

    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(ProductError, match="a zip that breaks off, or none"):
        open_safe(file)

    # One byte of a band changed: only the zip's checksum can tell.
    image = copy.image("B02", 10).read_bytes()
    middle = data.index(image) + len(image) // 2
    file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    with pytest.raises(ProductError, match=r"B02_10m\.jp2: cannot be read"):
        open_safe(file).read_band("B02")


def test_an_encrypted_zip_is_refused(copy: Written, tmp_path: Path) -> None:
    path = as_zip(copy.folder, tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8 : at + 10] = struct.pack("<H", 1)
        at += 4
    path.write_bytes(data)
    with pytest.raises(ProductError, match="encrypted"):
        open_safe(path)


def test_two_products_in_a_zip_are_refused(copy: Written, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("X.SAFE", "Y.SAFE"):
            archive.write(copy.xml, f"{name}/{copy.xml.name}")
    with pytest.raises(ProductError, match=r"several products: X\.SAFE, Y\.SAFE"):
        open_safe(path)


def test_a_zip_that_holds_another_zip_or_text_is_no_product(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("hello")
    with pytest.raises(ProductError, match="neither a product folder nor a zip"):
        open_safe(file)


def test_a_band_that_is_not_kept_is_refused(l1c_new: Written) -> None:
    with pytest.raises(InputError, match="B10"):
        open_safe(l1c_new.folder).read_band("B10")


def test_a_grid_of_any_size_is_read(tmp_path: Path) -> None:
    written = write_product(tmp_path, grid=Grid("EPSG:32733", 600_000, 9_000_000, 10, 6, 66))
    assert_same_pixels(open_safe(written.folder), written)


def test_every_error_is_one_of_ours(copy: Written) -> None:
    """Any byte of the granule's metadata may be lost: never a traceback."""
    xml = copy.granule / "MTD_TL.xml"
    text = xml.read_bytes()
    for at in range(0, len(text), max(1, len(text) // 60)):
        xml.write_bytes(text[:at] + text[at + 9 :])
        try:
            open_safe(copy.folder)
        except BenError as error:
            assert "\n" not in str(error)  # noqa: PT017
