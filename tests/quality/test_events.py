from __future__ import annotations

import json
from pathlib import Path

import pytest

from benforge.archive.check import check_archive
from benforge.quality.events import decode_event
from benforge.quality.review import Review
from benforge.testing.archives import make_scene, write_archive

EVENT = {"id": "a", "time": "2026-11-26T00:40:00.123Z", "reviewer": "Ada", "patches": ["x"]}


@pytest.mark.parametrize("flags", [["foo"], ["seasonal_snow", "haze"], [""]])
def test_a_flag_that_is_none_does_not_pass_for_clear(tmp_path: Path, flags: list[str]) -> None:
    root = write_archive(tmp_path / "archive", make_scene())
    line = json.dumps(EVENT | {"flags": flags}).encode()
    assert decode_event(line) is None
    path = root / "reviews" / "review.jsonl"
    path.parent.mkdir()
    path.write_bytes(line + b"\n")
    review = Review(root)
    assert review.log.damaged == 1
    assert not review.ledger.decided()
    (finding,) = (one for one in check_archive(root) if one.where == str(path))
    assert "1 of 1 lines cannot be read" in finding.what


def test_flags_are_read_in_their_order_and_once() -> None:
    flags = ["cloud_or_shadow", "seasonal_snow", "cloud_or_shadow"]
    event = decode_event(json.dumps(EVENT | {"flags": flags}).encode())
    assert getattr(event, "flags", None) == ("seasonal_snow", "cloud_or_shadow")
