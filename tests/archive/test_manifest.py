from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from benforge.archive.manifest import hash_manifest, read_manifest, scene_files, write_manifest
from benforge.errors import ArchiveError


def test_every_file_but_itself_is_listed_sorted(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "0").write_bytes(b"shard")
    (tmp_path / "a").write_bytes(b"")
    digest = write_manifest(tmp_path)
    assert scene_files(tmp_path) == ["a", "b/0"]
    assert read_manifest(tmp_path) == {
        "a": hashlib.sha256(b"").hexdigest(),
        "b/0": hashlib.sha256(b"shard").hexdigest(),
    }
    text = (tmp_path / "manifest.sha256").read_bytes()
    assert digest == hashlib.sha256(text).hexdigest()
    assert write_manifest(tmp_path) == digest


@pytest.mark.parametrize("text", [None, "not checksums\n", "ab  c\n"])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.sha256").write_text(text)
    with pytest.raises(ArchiveError, match=r"manifest\.sha256"):
        read_manifest(tmp_path)


def test_a_missing_manifest_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"manifest\.sha256: the scene's checksums cannot be"):
        hash_manifest(tmp_path)
