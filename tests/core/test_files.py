from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from benforge.core.files import decoding, new_folder, read_json, storage_errors, write_atomic
from benforge.errors import ArchiveError, ConflictError, InputError, StorageError


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_clear_line(tmp_path: Path, code: int) -> None:
    line = re.escape(f"{tmp_path}: the disk is full. Free space and run the same command again")
    with pytest.raises(StorageError, match=line), storage_errors(tmp_path):
        raise OSError(code, "No space left on device")


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written, is a directory"):
        write_atomic(tmp_path, b"")


def test_errors_of_benforge_pass_through(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="other"), storage_errors(tmp_path):
        raise ArchiveError("other")


def test_a_file_is_replaced_whole_and_no_draft_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": 1}', b"\xff", b"[" * 200_000, b'["\xff"]'])
def test_a_damaged_note_is_one_line_with_advice(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "note.json"
    path.write_bytes(text)
    with pytest.raises(InputError, match=r"note\.json: cannot be read, .*\. Remove it$") as caught:
        read_json(path, list[str], do="Remove it")
    assert "\n" not in str(caught.value)


def test_a_note_is_read(tmp_path: Path) -> None:
    (tmp_path / "note.json").write_bytes(b'["a"]')
    assert read_json(tmp_path / "note.json", list[str], do="") == ["a"]


def test_a_note_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read, .*directory"):
        read_json(tmp_path, list[str], do="Remove it")


def test_errors_of_benforge_pass_through_a_decoder(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="other"), decoding("", do=""):
        raise ArchiveError("other")


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_is_whole_or_not_there(
    tmp_path: Path, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "new"
    if there:
        out.mkdir()
        monkeypatch.chdir(out)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(StorageError), new_folder(out) as draft:
        (draft / "a").rename(draft / "b" / "c")
    assert set(tmp_path.rglob("*")) == before
    with new_folder(Path() if there else out) as draft:
        (draft / "a").touch()
        assert not (out / "a").exists()
    assert set(tmp_path.rglob("*")) == {out, out / "a"}
    with pytest.raises(ConflictError, match="the folder holds other things"), new_folder(out):
        pass


def test_a_draft_of_a_killed_process_is_no_other_thing(tmp_path: Path) -> None:
    out = tmp_path / "new"
    (out / ".new.1").mkdir(parents=True)
    (out / ".new.1" / "a").touch()
    with new_folder(out) as draft:
        (draft / "b").touch()
    assert [path.name for path in out.iterdir()] == ["b"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="file: cannot be written, not a directory"),
        new_folder(tmp_path / "file"),
    ):
        pass


def test_a_draft_that_a_gone_process_of_this_number_left_is_written_anew(tmp_path: Path) -> None:
    with new_folder(tmp_path / "out") as draft:
        name = draft.name
    left = tmp_path / name.replace("out", "third")
    left.mkdir()
    (left / "half").write_bytes(b"half")
    with new_folder(tmp_path / "third") as draft:
        assert draft == left
        (draft / "whole").write_bytes(b"whole")
    assert [path.name for path in (tmp_path / "third").iterdir()] == ["whole"]
