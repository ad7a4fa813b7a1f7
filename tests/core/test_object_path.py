"""Addresses behave as paths do: pathlib on a folder of the same files is the oracle."""

from __future__ import annotations

import io
import pickle
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core import bucket, object_path
from benforge.core.files import write_atomic
from benforge.core.object_path import ObjectPath, parse_place, readable
from benforge.errors import InputError
from tests.s3 import Storage

NAMES = st.lists(st.text("abz._-", min_size=1).filter(lambda n: n not in (".", "..")), max_size=4)
FILES = {
    "archive.json": b"{}",
    "scenes/a.zarr/zarr.json": b"",
    "scenes/a.zarr/r10m/c/0/0/0": bytes(range(250)),
    "scenes/b.zarr/zarr.json": b"b",
    "splits/.draft.parquet": b"x",
    "splits/one.parquet": b"yy",
}


@given(NAMES, NAMES)
def test_names_are_joined_and_parted_as_those_of_files(first: list[str], more: list[str]) -> None:
    place, path = parse_place(f"s3://{'/'.join(['bucket', *first])}"), PurePosixPath("/", *first)
    assert isinstance(place, ObjectPath)
    both = place.joinpath(*more), path.joinpath(*more)
    assert str(both[0]) == f"s3://bucket{both[1]}".rstrip("/")
    assert both[0].key == str(both[1])[1:]
    assert both[0].relative_to(place).as_posix() == both[1].relative_to(path).as_posix()
    assert (both[0].name, both[0].stem) == (both[1].name or "bucket", both[1].stem or "bucket")
    if both[1].name:
        assert str(both[0].parent) == f"s3://bucket{both[1].parent}".rstrip("/")


@given(NAMES)
def test_the_same_address_is_the_same_path(names: list[str]) -> None:
    text = f"s3://{'/'.join(['bucket', *names])}"
    place = parse_place(text)
    for again in (
        parse_place(str(place)),
        parse_place(Path(text)),
        pickle.loads(pickle.dumps(place)),
    ):
        assert isinstance(again, ObjectPath)
        assert again == place
        assert hash(again) == hash(place)
        assert str(again) == text


def test_folders_are_plain_paths(tmp_path: Path) -> None:
    for place in (tmp_path, "archive", "./s3/x"):
        assert not isinstance(parse_place(place), ObjectPath)
    with pytest.raises(InputError, match="names no bucket"):
        parse_place("s3://")


@pytest.fixture
def both(address: str, storage: Storage, tmp_path: Path) -> tuple[ObjectPath, Path]:
    """The same files as objects and in a folder."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
        storage.client().put(f"{address.removeprefix('s3://bucket/')}/{name}", data)
    return ObjectPath(address), tmp_path


def below(paths: object, root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in paths)  # type: ignore[attr-defined]


def test_what_is_there_is_as_in_a_folder(both: tuple[ObjectPath, Path]) -> None:
    place, folder = both
    for name in (*FILES, ".", "scenes", "scenes/a.zarr", "scenes/a", "absent", "splits/one"):
        one, other = place / name, folder / name
        assert (one.exists(), one.is_file(), one.is_dir()) == (
            other.exists(),
            other.is_file(),
            other.is_dir(),
        ), name
        assert below(one.glob("*"), place) == below(other.glob("*"), folder)
    for pattern in ("*", "*.zarr", "[!.]*", "*.parquet"):
        for name in (".", "scenes", "splits"):
            found = below((place / name).glob(pattern), place)
            assert found == below((folder / name).glob(pattern), folder), (name, pattern)
    for pattern in ("*/*", "scenes/*/c/*", "*/*.zarr", "absent/*"):
        assert below(place.glob(pattern), place) == below(folder.glob(pattern), folder), pattern
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert below(place.rglob("*"), place) == below(files, folder)
    assert {str(p.relative_to(place)): p.stat().st_size for p in place.rglob("*")} == {
        name: len(data) for name, data in FILES.items()
    }


def test_bytes_are_those_of_the_file(both: tuple[ObjectPath, Path]) -> None:
    place, _ = both
    for name, data in FILES.items():
        assert (place / name).read_bytes() == data
        with (place / name).open("rb") as file:
            assert file.read() == data
    assert (place / "archive.json").read_text() == "{}"
    write_atomic(place / "new", b"new")
    assert (place / "new").read_bytes() == b"new"
    (place / "new").unlink()
    assert not (place / "new").exists()
    for read in (ObjectPath.read_bytes, ObjectPath.stat, lambda path: path.open("rb")):
        with pytest.raises(FileNotFoundError):
            read(place / "absent")


BLOCK = 1000


def test_a_large_object_is_read_as_a_file(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bucket, object_path):
        monkeypatch.setattr(module, "BLOCK", BLOCK)
    data = (bytes(range(256)) * 8)[: 2 * BLOCK - 7]
    place = ObjectPath(address) / "large"
    place.write_bytes(data)
    assert place.read_bytes() == data
    with place.open("rb") as file, io.BytesIO(data) as oracle:
        for offset, whence, count in (
            (10, io.SEEK_SET, 20),
            (-30, io.SEEK_END, 100),
            (BLOCK - 5, io.SEEK_SET, 10),
            (-2, io.SEEK_CUR, BLOCK + 100),
            (0, io.SEEK_SET, -1),
        ):
            assert file.seek(offset, whence) == oracle.seek(offset, whence)
            assert file.read(count) == oracle.read(count)
            assert file.tell() == oracle.tell()


def test_columns_of_a_table_come_by_ranges(address: str) -> None:
    table = pa.table({"a": range(1000), "b": ["text"] * 1000})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    place = ObjectPath(address) / "table.parquet"
    place.write_bytes(sink.getvalue())
    assert pq.read_table(readable(place), columns=["a"]).equals(table.select(["a"]))


def test_what_only_folders_can_do_is_said(address: str, tmp_path: Path) -> None:
    place = ObjectPath(address) / "x"
    for ask in (
        lambda: open(place),  # noqa: PTH123, SIM115
        lambda: place.open("wb"),
        lambda: place.rename(tmp_path / "y"),
        lambda: place.touch(),
        lambda: place.rmdir(),
    ):
        with pytest.raises(InputError, match=r"cannot be done. Copy .*: ben copy"):
            ask()
    assert place.resolve() == place.absolute() == place
