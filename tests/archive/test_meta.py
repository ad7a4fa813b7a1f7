from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benforge.archive.meta import SceneEntry, read_meta, write_meta
from benforge.errors import ArchiveError, ArchiveVersionError, MissingError
from benforge.testing.archives import small_meta


def test_writing_then_reading_is_identity(tmp_path: Path) -> None:
    entry = SceneEntry(name="a", product="p", source="s", patches=3, manifest="0" * 64)
    meta = small_meta().with_scenes((entry,))
    write_meta(tmp_path, meta)
    assert read_meta(tmp_path) == meta


def test_the_file_tells_its_format_first_and_no_clock_or_path(tmp_path: Path) -> None:
    write_meta(tmp_path, small_meta())
    text = (tmp_path / "archive.json").read_text()
    facts = json.loads(text)
    assert list(facts)[:2] == ["format", "version"]
    assert facts["format"] == "benforge-archive"
    assert str(tmp_path) not in text
    write_meta(tmp_path, small_meta())
    assert (tmp_path / "archive.json").read_text() == text


def test_what_is_not_an_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such folder"):
        read_meta(tmp_path / "absent")
    with pytest.raises(ArchiveError, match="not an archive, it holds no archive"):
        read_meta(tmp_path)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ('{"format": "other", "version": 1}', ArchiveError, "not an archive of benforge"),
        ('{"format": "benforge-archive", "version": 1}', ArchiveError, "damaged, .*profile"),
        ('{"format": "benf', ArchiveError, "damaged"),
        ("[]", ArchiveError, "damaged"),
        (
            '{"format": "benforge-archive", "version": 2, "new": 1}',
            ArchiveVersionError,
            "written in format 2, this benforge reads up to 1.*pip install --upgrade",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, text: str, kind: type[ArchiveError], message: str
) -> None:
    (tmp_path / "archive.json").write_text(text)
    with pytest.raises(kind, match=message):
        read_meta(tmp_path)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"version": 0}, "there is no format 0"),
        ({"sensor": {"name": "x", "bands": [], "quantification": 1}}, "no band with pixels"),
    ],
)
def test_an_impossible_value_is_damage(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    write_meta(tmp_path, small_meta())
    path = tmp_path / "archive.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ArchiveError, match=rf"archive\.json: damaged, {what}"):
        read_meta(tmp_path)
