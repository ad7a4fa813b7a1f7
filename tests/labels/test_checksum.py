"""One fingerprint for a map's content, not for its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benforge.labels.checksum import content_sha256

PARTS = {"map.shp": b"shapes", "map.dbf": b"codes", "map.prj": b"crs"}


@pytest.mark.parametrize("name", ["map.shp", "."])
def test_every_part_counts(tmp_path: Path, name: str) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    for part, content in PARTS.items():
        (first / part).write_bytes(content)
    shutil.copytree(first, second)
    assert content_sha256(first / name) == content_sha256(second / name)
    (second / "map.dbf").write_bytes(b"other")
    assert content_sha256(first / name) != content_sha256(second / name)


def test_neighbours_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "map.gpkg").write_bytes(b"map")
    before = content_sha256(tmp_path / "map.gpkg")
    (tmp_path / "map.gpkg-wal").write_bytes(b"")
    assert content_sha256(tmp_path / "map.gpkg") == before
