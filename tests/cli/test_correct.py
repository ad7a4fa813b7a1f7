from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from benforge.cli.main import run
from benforge.scenes.open import open_scene
from tests.correction.products import SENSED, write_l1c
from tests.correction.stand_in import write_stand_in
from tests.scenes.safe_products import write_product

Capture = pytest.CaptureFixture[str]


def test_l2a_products_are_taken_over(tmp_path: Path, capsys: Capture) -> None:
    product = write_product(tmp_path / "given").folder
    words = ["correct", str(product), "--processor", "none", "--out", str(tmp_path / "out")]
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["processor"], told["corrected"], told["left_alone"]) == ("none", 1, 0)
    assert run(words) == 0
    out = capsys.readouterr().out
    assert "left alone  1" in out
    assert str(tmp_path / "out" / product.name) in out


@pytest.mark.parametrize("relative", [False, True])
def test_sen2cor_is_taken_where_it_is_named(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    product = write_l1c(tmp_path / "given", simulated_by=None)
    stand_in = write_stand_in(tmp_path / "sen2cor").parent.parent
    monkeypatch.chdir(tmp_path)
    out = "out" if relative else str(tmp_path / "out")
    words = ["correct", str(product), "--sen2cor", str(stand_in), "--out", out]
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["version"] == "sen2cor 2.8.0"
    assert open_scene(Path(told["products"][0])).metadata.baseline == "99.99"
    assert [p.name for p in (tmp_path / "out").iterdir()] == [Path(told["products"][0]).name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.SAFE"], "gone.SAFE: there is no such product. Check the path"),
        (["{L2A}", "--processor", "sixs"], "an L2A product, whose atmosphere is taken off already"),
        (["{L1C}", "--processor", "none"], "an L1C product, whose atmosphere is still on"),
        (["{L1C}", "--processor", "sen2cor", "--sen2cor", "."], "there is no L2A_Process"),
        (["{L1C}", "--processor", "sixs", "--elevation", "9999"], "--elevation: the ground is not"),
        (["{L2A}", "--processor", "none", "--workers", "0"], "--workers: 0 workers do no work"),
    ],
)
def test_bad_requests_end_in_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    products = {
        "{L1C}": write_product(tmp_path, "L1C").folder.name,
        "{L2A}": write_product(tmp_path).folder.name,
    }
    given = [products.get(word, word) for word in words]
    assert run(["correct", *given, "--out", "out"]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--processor", "sixs", "--sen2cor", "x"],
        ["--processor", "none", "--sen2cor", "x"],
        ["--processor", "sixs", "--patience", "5"],
        ["--processor", "none", "--longest", "5"],
        ["--processor", "sen2cor", "--elevation", "0"],
        ["--sen2cor", "x", "--elevation", "420"],
    ],
)
def test_options_of_another_processor_are_wrong_usage(
    words: list[str], tmp_path: Path, capsys: Capture
) -> None:
    assert run(["correct", "p.SAFE", *words, "--out", str(tmp_path / "out")]) == 2
    assert f"{words[2]} means nothing to --processor" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_command_goes_on_with_what_is_left(
    how: signal.Signals, tmp_path: Path, capsys: Capture
) -> None:
    given = tmp_path / "given"
    made = [write_l1c(given, sensing_time=SENSED + timedelta(days=10 * n)) for n in range(2)]
    out = tmp_path / "out"
    words = ["correct", *map(str, made), "--processor", "sixs", "--workers", "1", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benforge.cli", *words], stderr=subprocess.PIPE, text=True
    )
    while not (first := list(out.glob("*.SAFE"))) or not list(out.glob(".*.part")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    _, told = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    assert "Traceback" not in told
    assert list(out.glob("*.SAFE")) == first
    assert (how == signal.SIGKILL) == any(out.glob(".*.part"))
    written = first[0].stat().st_mtime_ns

    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["corrected"], told["left_alone"]) == (1, 1)
    assert first[0].stat().st_mtime_ns == written
    assert sorted(path.name for path in out.iterdir()) == sorted(
        Path(path).name for path in told["products"]
    )
    assert all(open_scene(Path(path)).metadata.level == "L2A" for path in told["products"])
