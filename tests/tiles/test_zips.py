import stat
import zipfile
from pathlib import Path

import pytest

from benforge.tiles.zips import flaw_of
from tests.tiles.server import product_zip

ONE = "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608"
ROOT = f"{ONE}.SAFE"


def zipped(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, how)
    return path


def test_a_product_has_none(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(product_zip(ONE))
    assert flaw_of(path, ROOT) == ""
    assert "not all of it lies in its folder" in flaw_of(path, ROOT.replace("T33UUP", "T33UWP"))


def test_any_damaged_byte_of_the_content_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    data = bytearray(product_zip(ONE))
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "does not have its CRC" in flaw_of(path, ROOT)
    path.write_bytes(data[:-30])
    assert flaw_of(path, ROOT) == "is no zip of this product"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../evil", "not all of it lies"),
        ("/etc/evil", "not all of it lies"),
        ("other/x", "not all of it lies"),
        (f"{ROOT}/../evil", "lead elsewhere"),
        (f"{ROOT}/a/../../evil", "lead elsewhere"),
        (f"{ROOT}//etc/evil", "lead elsewhere"),
        (f"{ROOT}/..\\\\evil", "lead elsewhere"),
    ],
)
def test_names_that_lead_out(tmp_path: Path, name: str, told: str) -> None:
    members = {f"{ROOT}/MTD_MSIL1C.xml": b"<x/>", name: b"evil"}
    assert told in flaw_of(zipped(tmp_path / "x.zip", members), ROOT)


def test_a_link(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(f"{ROOT}/MTD_MSIL1C.xml", b"<x/>")
        link = zipfile.ZipInfo(f"{ROOT}/GRANULE")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
    assert "lead elsewhere" in flaw_of(tmp_path / "x.zip", ROOT)


def test_a_bomb(tmp_path: Path) -> None:
    members = {f"{ROOT}/MTD_MSIL1C.xml": b"<x/>", f"{ROOT}/x": bytes(20_000_000)}
    path = zipped(tmp_path / "x.zip", members, zipfile.ZIP_DEFLATED)
    assert "says it holds 20,000,004, as no product does" in flaw_of(path, ROOT)


@pytest.mark.parametrize("name", ["manifest.safe", "GRANULE/MTD_MSIL1C.xml", "MTD_TL.xml"])
def test_without_metadata(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "x.zip", {f"{ROOT}/{name}": b"<x/>"})
    assert "MTD_MSIL*.xml are missing" in flaw_of(path, ROOT)
