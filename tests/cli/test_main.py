import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benforge import __version__
from benforge.cli.main import run
from benforge.testing.products import write_small_map, write_small_product

VERBS = [
    "build",
    "check",
    "conform",
    "copy",
    "demo",
    "doubt",
    "explain",
    "export",
    "fetch",
    "flags",
    "import",
    "info",
    "inspect",
    "simulate",
    "split",
    "stats",
    "tiles",
    "view",
]


@pytest.mark.parametrize("verb", VERBS)
def test_help_teaches(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Usage: ben" in text
    assert len(text.splitlines()) > 8


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"benforge {__version__}\n"


def test_the_verbs_are_those_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])
    text = capsys.readouterr().out
    assert all(f"│ {verb} " in text for verb in VERBS)


@pytest.mark.parametrize(
    "words",
    [["bild"], ["build"], ["info"], ["build", "x", "--land-cover", "m", "--out", "o", "--zip"]],
)
def test_wrong_usage_exits_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert "Traceback" not in capsys.readouterr().err


def build_words(folder: Path) -> list[str]:
    """A build of a small product into `folder/archive`."""
    product, land_cover = write_small_product(folder), write_small_map(folder / "map.gpkg")
    out = folder / "archive"
    words = ["build", product, "--land-cover", land_cover, "--out", out, "--profile", "custom"]
    return [str(word) for word in words]


def test_an_archive_s_way_through_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "archive"
    assert run([*build_words(tmp_path), "--compression", "blosc", "--json"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert (built["patches"], built["scenes"], built["profile"]) == (16, 1, "custom")

    assert run(["info", str(out), "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert {"patches", "scenes", "profile", "nomenclature", "bytes"} <= set(info)
    assert info["patches"] == 16
    assert info["bytes"] == sum(p.stat().st_size for p in out.rglob("*") if p.is_file())

    assert run(["check", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "findings": []}

    assert run(["export", str(out), "--layout", "v1", "--out", str(tmp_path / "v1")]) == 0
    assert run(["import", str(tmp_path / "v1"), "--out", str(tmp_path / "again")]) == 0
    capsys.readouterr()
    assert run(["info", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patches"] == 16


def test_a_damaged_archive_fails_its_check_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "archive"
    assert run(build_words(tmp_path)) == 0
    (shard,) = out.glob("scenes/*/r10m/c/0/0/0")
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    capsys.readouterr()
    assert run(["check", str(out), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert "r10m/c/0/0/0" in found["findings"][0]["where"]


@pytest.mark.parametrize("words", [["--date", "yesterday"], ["--date", "2018-02-25:fog=1"]])
def test_a_date_that_is_none_is_one_line(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", "--out", str(tmp_path / "w"), *words]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "2018-02-25:snow=0.5,cloud=0.2" in line


def test_an_interrupted_build_says_how_to_go_on(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "benforge.cli", *build_words(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    while not (tmp_path / "archive/archive.json").exists():
        assert process.poll() is None, "the build ended before it could be interrupted"
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the build was quicker than the interrupt")
    assert process.returncode == 130
    assert text.splitlines()[-1].startswith("ben: stopped.")
