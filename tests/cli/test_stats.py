from __future__ import annotations

import json
from pathlib import Path

import pytest

from benforge.cli.main import run
from benforge.statistics import describe
from benforge.statistics.figures import FIGURES
from benforge.testing.archives import make_scene, write_archive


@pytest.fixture(autouse=True)
def _one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb is tested here; tests/statistics draw them all."""
    monkeypatch.setattr(describe, "FIGURES", {"fig-2-dates": FIGURES["fig-2-dates"]})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "archive", make_scene())


def test_an_archive_is_described(archive: Path, tmp_path: Path, capsys):
    out = tmp_path / "out"
    assert run(["stats", str(archive), "--out", str(out), "--html"]) == 0
    said = capsys.readouterr().out
    assert f"Described archive in {out}" in said
    assert "simulated" in said
    assert str(out / "statistics.html") in said
    assert (out / "tables/table-2-classes.tex").is_file()
    assert (out / "figures/fig-2-dates.svg").is_file()


def test_as_json_for_programs(archive: Path, tmp_path: Path, capsys):
    words = ["stats", str(archive), "--out", str(tmp_path / "out"), "--json", "--no-pixels"]
    assert run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["numbers"]["patches"] == "6"
    assert "seasons" in found["tables"]
    assert found["page"] is None
    assert found["patches_per_second"] is None
    assert not (tmp_path / "out/tables/bands.csv").exists()


@pytest.mark.parametrize("where", ["itself", "another", "within", "through a link"])
def test_nothing_is_written_into_an_archive(where: str, archive: Path, tmp_path: Path, capsys):
    other = write_archive(tmp_path / "other", make_scene())
    link = tmp_path / "link"
    link.symlink_to(other)
    places = {"itself": archive, "another": other, "within": other / "scenes/new"}
    out = places.get(where, link / "new")
    before = sorted(tmp_path.rglob("*"))
    assert run(["stats", str(archive), "--out", str(out), "--no-pixels"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ben: {out}: ")
    assert "--out" in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("what", ["empty", "nowhere", "no lists"])
def test_bad_input_is_one_clear_line(what: str, tmp_path: Path, capsys):
    place = {
        "empty": [str(write_archive(tmp_path / "empty", make_scene(kept=0.0)))],
        "nowhere": [str(tmp_path / "nowhere")],
        "no lists": ["--metadata", str(tmp_path)],
    }[what]
    assert run(["stats", *place, "--out", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ben: {place[-1]}: ")
    assert what != "no lists" or "--metadata" in line
    assert not (tmp_path / "out").exists()


def test_the_archive_stands_in_one_pair_of_brackets(capsys):
    assert run(["stats", "--help"]) == 0
    assert "[OPTIONS] [ARCHIVE]" in " ".join(capsys.readouterr().out.split())
