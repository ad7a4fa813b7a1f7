"""`ben bench loader`, as a user types it."""

from __future__ import annotations

import json

import pytest

from benforge.archive.archive import Archive
from benforge.cli.main import run


def test_json_has_what_others_rely_on(
    imported_sample: Archive,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benforge.loading.stages.SECONDS", 0.01)
    words = ["bench", "loader", str(imported_sample.root), "--seconds", "0.1", "--bands", "rgb"]
    assert run([*words, "--shuffle", "blocks", "--batch-size", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"patches_per_second", "share_of_memory_copy", "waiting_share", "bound_by"} <= set(found)
    assert found["patches_per_second"] > 0
    assert run(words) == 0
    told = capsys.readouterr().out
    assert "bound by" in told
    assert "page cache" in told


def test_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "loader", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err
    assert run(["bench", "loader", "nowhere", "--pixels", "tape"]) == 2
    assert run(["bench", "loader", "nowhere", "--seconds", "inf"]) == 2
