from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from benforge.scenes.safe_checksum import ListedFile, has_checksum
from benforge.scenes.safe_files import open_files
from benforge.scenes.safe_manifest import parse_manifest, read_manifest
from tests.scenes.safe_products import as_zip, edit, write_product

ENTRY = (
    '<a><byteStream mimeType="x" size="12"><fileLocation locatorType="URL" href="./G/B02.jp2"/>'
    '<checksum checksumName="MD5">ABC1</checksum></byteStream></a>'
)


@pytest.fixture
def real(shared_data: Path) -> Path:
    [folder] = (shared_data / "sentinel2" / "l1c_metadata_T32TNM").iterdir()
    return folder


def test_the_real_manifest_lists_every_band(real: Path) -> None:
    files = open_files(real)
    listed = read_manifest(files)
    images = {name for name in files.sizes if "/IMG_DATA/" in name}
    assert len(images) == 14
    assert images < set(listed)
    [b02] = [name for name in images if name.endswith("_B02.jp2")]
    assert listed[b02] == ListedFile(59_303_569, "MD5", "1cb5d88cf61647671640ba0930f8c501")


def test_the_real_files_are_those_of_the_real_manifest(real: Path) -> None:
    """All but the bands and one report, which stand empty in this copy."""
    checked = 0
    for name, listed in read_manifest(open_files(real)).items():
        file = real / name
        if file.stat().st_size:
            assert file.stat().st_size == listed.size
            with file.open("rb") as stream:
                assert has_checksum(stream, listed), name
            checked += 1
    assert checked == 72


def test_a_written_product_lists_its_bands_in_folder_and_zip(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    listed = read_manifest(open_files(written.folder))
    assert (
        read_manifest(open_files(as_zip(written.folder, tmp_path / "a.zip", "X.SAFE/"))) == listed
    )
    b02 = written.image("B02", 10)
    entry = listed[b02.relative_to(written.folder).as_posix()]
    assert entry.size == b02.stat().st_size
    with b02.open("rb") as stream:
        assert has_checksum(stream, entry)


def test_an_entry_is_read() -> None:
    assert parse_manifest(fromstring(ENTRY)) == {"G/B02.jp2": ListedFile(12, "MD5", "abc1")}
    newer = fromstring(ENTRY.replace("MD5", "SHA3-256"))
    assert parse_manifest(newer) == {"G/B02.jp2": ListedFile(12, "SHA3-256", "abc1")}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"MD5"', '"CRC32"'),
        ("ABC1", " "),
        ('size="12"', ""),
        ('size="12"', 'size="many"'),
        ('checksumName="MD5"', ""),
        ("fileLocation", "elsewhere"),
        ("checksum", "x"),
    ],
)
def test_an_entry_that_tells_too_little_is_passed_over(old: str, new: str) -> None:
    assert old in ENTRY
    assert parse_manifest(fromstring(ENTRY.replace(old, new))) == {}


def test_a_manifest_that_is_missing_or_no_xml_lists_nothing(tmp_path: Path) -> None:
    written = write_product(tmp_path)
    manifest = written.folder / "manifest.safe"
    edit(manifest, ("</dataObjectSection>", ""))
    assert read_manifest(open_files(written.folder)) == {}
    manifest.write_text('<!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>')
    assert read_manifest(open_files(written.folder)) == {}
    manifest.unlink()
    assert read_manifest(open_files(written.folder)) == {}
