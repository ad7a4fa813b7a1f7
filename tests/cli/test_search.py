"""The verbs that embed and search, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.cli.main import run
from tests.inference.test_export import make_run
from tests.training.conftest import one_thread  # noqa: F401


@pytest.fixture(scope="module")
def index(imported_sample: Archive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "index"
    assert run(["embed", "--statistics", str(imported_sample.root), "--out", str(out)]) == 0
    return out


def test_embed_by_a_run(
    imported_sample: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = make_run(tmp_path / "run", "scnn-rgb")
    words = ["embed", str(trained), str(imported_sample.root), "--out", str(tmp_path / "i")]
    assert run([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == "S-CNN-RGB and band statistics"
    assert (told["patches"], told["features"]) == (66, 65)
    assert run(["search", str(tmp_path / "i"), "--evaluate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metric"] == "euclidean"


def test_search(
    index: Path,
    imported_sample: Archive,
    v1_sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = imported_sample.record(7)
    page = tmp_path / "found.html"
    words = ["search", str(index), "--patch", record.patch_id, "--k", "3", "--json"]
    shown = ["--pictures", str(page), "--archive", str(imported_sample.root)]
    assert run([*words, *shown]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["rank"] for one in told["results"]] == [1, 2, 3]
    assert told["labels"] == list(record.labels)
    assert page.is_file()
    image = str(v1_sample / str(record.v1_name))
    assert run(["search", str(index), "--image", image]) == 0
    assert record.patch_id in capsys.readouterr().out
    assert run(["search", str(index), "--label", "Pastures", "--metric", "cosine"]) == 0
    assert "Nearest to Pastures (band statistics, cosine)" in capsys.readouterr().out
    assert run(["search", str(index), "--evaluate", "--k", "10", "--other-tiles"]) == 0
    assert "precision by chance" in capsys.readouterr().out


BAD = [
    ([], 2, "name one of --patch, --image, --label and --evaluate"),
    (["--patch", "a", "--evaluate"], 2, "name one of"),
    (["--label", "a", "--other-tiles"], 2, "--other-tiles goes with"),
    (["--evaluate", "--pictures", "a.png", "--archive", "a"], 2, "leave it out with --evaluate"),
    (["--patch", "a", "--pictures", "a.png"], 2, "go together"),
    (["--patch", "a", "--pictures", "a.gif", "--archive", "a"], 2, "ends in .html or .png"),
    (["--patch", "a", "--k", "0"], 2, "--k"),
    (["--patch", "a"], 1, "holds no such patch"),
    (["--label", "Sea"], 1, "The nearest that is there: 'Sea and ocean'"),
    (["--image", "none.tif"], 1, "none.tif: no such file or folder"),
]


@pytest.mark.parametrize(("words", "status", "said"), BAD, ids=[said for *_, said in BAD])
def test_bad_words(
    index: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    assert run(["search", str(index), *words]) == status
    told = capsys.readouterr().err
    assert said in " ".join(told.replace("│", " ").split())
    assert "Traceback" not in told


@pytest.mark.parametrize("words", [["a"], ["a", "b", "c"], ["a", "b", "--statistics"]])
def test_embed_wants_a_run_and_an_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert run(["embed", *words, "--out", str(tmp_path / "i")]) == 2
    assert "ARCHIVE" in capsys.readouterr().err
