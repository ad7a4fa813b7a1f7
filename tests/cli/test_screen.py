from __future__ import annotations

import json

import pytest

from benforge.cli.main import run
from benforge.quality.review import Review
from benforge.testing.archives import make_scene, write_archive


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path / "archive", make_scene(seed=1))


def test_a_screening_is_told_in_json_and_listed(archive, capsys):
    assert run(["screen", str(archive), "--json", "--set", "screen.use_classification=false"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["patches"], found["screened"], found["simulated"]) == (6, 6, True)
    assert found["sources"] == {"bands": 6}
    assert set(found["proposed"]) == {"seasonal_snow", "cloud_or_shadow"}
    assert run(["info", str(archive), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["screenings"], told["reviews"]) == (["screen"], [])
    Review(archive, "ours").decide("Ada", [], ["x"])
    assert run(["info", str(archive), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reviews"] == ["ours"]
    assert run(["check", str(archive)]) == 0


def test_a_screening_is_told_to_people(archive, capsys):
    assert run(["screen", str(archive), "--name", "mine"]) == 0
    out = capsys.readouterr().out
    assert "as mine" in out
    assert "6, simulated" in out
    assert "proposed seasonal snow" in out
    assert "from scene classification" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--name", "../x"], "no name for screenings"),
        (["--set", "screen.snow=1"], "unknown field `snow`"),
        (["--set", "screen.classes_cloud=[99]"], "classes_cloud"),
        (["--set", "train.epochs=1"], "there is no table 'train'"),
        (["--recipe", "none.toml"], "no such recipe"),
        (["--set", "screen.minimum_snow=0.9"], "--replace"),
    ],
)
def test_what_cannot_be_done_is_one_line(archive, capsys, words, message):
    assert run(["screen", str(archive)]) == 0
    capsys.readouterr()
    assert run(["screen", str(archive), *words]) == 1
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_no_archive_is_told(tmp_path, capsys):
    assert run(["screen", str(tmp_path)]) == 1
    assert "not an archive" in capsys.readouterr().err
