from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benforge.errors import MissingError, ProductError
from benforge.scenes.safe_files import FolderFiles, ZipFiles, open_files, split_tile

FILES = {
    "MTD_MSIL2A.xml": b"<a/>",
    "GRANULE/L2A_T33UUP_A1_X/MTD_TL.xml": b"<b/>",
    "DATASTRIP/DS/MTD_DS.xml": b"<c/>",
}
NEEDED = {name: 4 for name in FILES if not name.startswith("DATASTRIP")}


def _folder(root: Path) -> Path:
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def _zip(file: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(prefix + name, data)
    return file


def test_a_folder_lists_what_is_needed(tmp_path: Path) -> None:
    files = open_files(_folder(tmp_path / "X.SAFE"))
    assert isinstance(files, FolderFiles)
    assert files.sizes == NEEDED
    assert files.name == "X.SAFE"
    assert files.head("MTD_MSIL2A.xml", 2) == b"<a"


def test_the_main_metadata_file_stands_for_its_folder(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "X.SAFE")
    assert open_files(folder / "MTD_MSIL2A.xml") == open_files(folder)


@pytest.mark.parametrize(("prefix", "name"), [("", "p"), ("X.SAFE/", "X.SAFE")])
def test_a_zip_with_and_without_its_folder(tmp_path: Path, prefix: str, name: str) -> None:
    files = open_files(_zip(tmp_path / "p.zip", prefix))
    assert isinstance(files, ZipFiles)
    assert files.sizes == dict.fromkeys(FILES, 4)
    assert files.name == name
    assert files.head("MTD_MSIL2A.xml", 99) == b"<a/>"


def test_other_folders_in_a_zip_are_left_aside(tmp_path: Path) -> None:
    file = _zip(tmp_path / "p.zip", "X.SAFE/")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("__MACOSX/X.SAFE/._MTD_MSIL2A.xml", b"")
    assert open_files(file).sizes == dict.fromkeys(FILES, 4)


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    file = _zip(tmp_path / "p.zip")
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("MTD_MSIL2A.xml", b"<other/>")
    with pytest.raises(ProductError, match="two members of one name"):
        open_files(file)


def test_a_zip_that_announces_less_than_it_holds_is_cut_or_refused(tmp_path: Path) -> None:
    """The directory's size is the limit of what is unpacked."""
    file = tmp_path / "p.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("MTD_MSIL2A.xml", b"x" * 10**6)
    data = bytearray(file.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    file.write_bytes(data)
    with pytest.raises(ProductError, match="cannot be read"):
        open_files(file).head("MTD_MSIL2A.xml", 10**7)


@pytest.mark.parametrize("path", ["a/X.SAFE", "X.zip", ".", "a#b/X.SAFE", "X#31TDH.SAFE"])
def test_a_tile_may_follow_the_path(path: str) -> None:
    assert split_tile(Path(f"{path}#32TNM")) == (Path(path), "32TNM")
    assert split_tile(Path(path)) == (Path(path), None)


@pytest.mark.parametrize("tail", ["", "#", "#T32TNM", "#32tnm", "#32TNM#", "#132TNM", "#2TNM"])
def test_another_tail_belongs_to_the_name(tail: str) -> None:
    assert split_tile(Path(f"X.SAFE{tail}")) == (Path(f"X.SAFE{tail}"), None)


def test_a_file_that_is_called_so_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "X.SAFE#32TNM")
    assert split_tile(folder) == (folder, None)


def test_a_path_that_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="cannot be read"):
        open_files(tmp_path / ("x" * 5000))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    files = open_files(_folder(tmp_path))
    (tmp_path / "MTD_MSIL2A.xml").unlink()
    with pytest.raises(ProductError, match="MTD_MSIL2A"):
        files.head("MTD_MSIL2A.xml", 1)
    with pytest.raises(MissingError):
        open_files(tmp_path / "MTD_MSIL2A.xml")
