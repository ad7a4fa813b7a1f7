"""`ben map` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benforge.cli.main import run as ben
from benforge.testing.products import write_small_product
from tests.inference.test_export import make_run
from tests.training.conftest import one_thread  # noqa: F401

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("cli-map") / "run", "scnn-rgb")


def test_a_product_is_mapped_and_left_alone_then(
    run: Path, tmp_path: Path, capsys: Capture
) -> None:
    product = write_small_product(tmp_path)
    words = ["map", str(run), str(product), "--out", str(tmp_path / "maps"), "--vector", "parquet"]
    assert ben([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    [one] = told["maps"]
    assert one["files"] == ["map.png", "patches.parquet", "scores.tif"]
    assert one["counts"]["windows"] == 16
    assert (one["simulated"], one["clouds_by"]) == ("product", "scene classification")
    assert ben(words) == 0
    out = capsys.readouterr().out
    assert "16 of 16 windows" in out
    assert "simulated product, left alone" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{run}", "gone.SAFE"], "gone.SAFE: there is no such product"),
        (["{run}", "{run}"], "run"),
        (["gone", "{product}"], "gone"),
        (["{run}", "{product}", "--stride", "50"], "a stride of 50 pixels. Give a multiple of 6"),
        (["{run}", "{product}", "--device", "tpu"], "tpu"),
    ],
)
def test_bad_requests_end_in_one_line(
    run: Path,
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    product = write_small_product(tmp_path)
    known = {"{run}": str(run), "{product}": product.name}
    assert ben(["map", *(known.get(word, word) for word in words), "--out", "maps"]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "maps").exists()
