from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.archive.check import check_archive
from benforge.archive.index import read_rows
from benforge.testing.archives import make_scene, write_archive

EVENT = {"id": "a", "time": "2026-11-26T00:40:00.123Z", "reviewer": "Ada"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive"), make_scene())


def put(root: Path, name: str, data: bytes) -> Path:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def found(whole: Path):
    """What `ben check` says after a file was put into the archive, which is taken out again."""
    paths = []

    def check(name: str, data: bytes) -> list[tuple[str, str]]:
        paths.append(put(whole, name, data))
        return [(f.severity, f.what) for f in check_archive(whole) if f.where == str(paths[-1])]

    yield check
    for path in paths:
        path.unlink(missing_ok=True)


def parquet(columns: dict[str, list[str]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


def lines(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_a_screening_and_a_review_of_the_archives_patches_are_no_finding(whole, found) -> None:
    patch = read_rows(whole / "patches.parquet")["patch_id"][0].as_py()
    assert found("screenings/screen.parquet", parquet({"patch_id": [patch]})) == []
    decided = EVENT | {"flags": [], "patches": [patch]}
    assert found("reviews/review.jsonl", lines(decided, EVENT | {"undo": "a"})) == []


def test_a_damaged_screening_is_an_error(found) -> None:
    ((severity, _),) = found("screenings/screen.parquet", parquet({"patch_id": ["x"]})[:-3])
    assert severity == "error"
    ((severity, _),) = found("screenings/screen.parquet", parquet({"other": ["x"]}))
    assert severity == "error"


def test_strangers_are_noted(found) -> None:
    note = "1 of 1 patches named are not in the archive"
    assert found("screenings/s.parquet", parquet({"patch_id": ["x"]})) == [("note", note)]
    assert found("reviews/r.jsonl", lines(EVENT | {"flags": [], "patches": ["x"]})) == [
        ("note", note)
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "a", "time": "2026-',
        b"[]",
        b"\xff",
        b"[" * 50_000,
        json.dumps({"id": "a"}).encode(),
        json.dumps(EVENT | {"flags": [], "patches": [1]}).encode(),
        json.dumps(EVENT | {"flags": [], "patches": None}).encode(),
        json.dumps(EVENT | {"flags": ["foo"], "patches": ["x"]}).encode(),
        json.dumps(EVENT | {"flags": "seasonal_snow", "patches": ["x"]}).encode(),
    ],
)
def test_lines_that_cannot_be_read_are_counted(found, line: bytes) -> None:
    data = line + b"\n\n" + lines(EVENT | {"undo": "a"})
    what = "1 of 2 lines cannot be read; the others hold"
    assert found("reviews/review.jsonl", data) == [("note", what)]
