"""The verbs that train, ask and export, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benforge.cli.main import run
from tests.training.conftest import few, one_thread  # noqa: F401

SMALL = ["--set", "model.third_pooling=true", "--set", "model.fc_width=8"]
FAST = ["--epochs", "1", "--set", "train.batch_size=6", *SMALL]


@pytest.fixture(scope="module")
def trained(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    out = tmp_path_factory.mktemp("cli") / "run"
    words = ["train", str(few), "--model", "scnn-rgb", "--split", "few", "--labels", "level2"]
    assert run([*words, *FAST, "--out", str(out), "--json"]) == 0
    return out


def test_train_predict_evaluate(
    few: Path,  # noqa: F811
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "test.parquet"
    words = ["predict", str(trained), str(few), "--split", "few", "--out", str(file)]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patches"] == 4
    table = pq.read_table(file)
    assert table.column_names == ["patch_id", "scores", "targets"]
    assert len(json.loads(table.schema.metadata[b"classes"])) == 15
    assert run(["evaluate", str(file), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"precision", "recall", "f1", "f2"} <= figures["sample"].keys()
    assert run(["compare", str(file), str(file), "--json", "--resamples", "50"]) == 0
    assert json.loads(capsys.readouterr().out)["difference"] == 0


def test_export_model(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export-model", str(trained), "--no-onnx", "--out", str(tmp_path / "model")]) == 0
    assert "README.md" in capsys.readouterr().out


def test_models_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"scnn-rgb", "scnn-all", "inception-v2-frozen", "resnet50"} <= found.keys()
    assert run(["models"]) == 0
    assert "fc_width=128" in capsys.readouterr().out


def test_an_experiment(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    words = ["experiment", "paper", str(few), "--split", "few", "--labels", "level1"]
    words += ["--seeds", "1", "--epochs", "1", "--set", "train.batch_size=6"]
    assert run([*words, "--out", str(tmp_path / "e"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 3


BAD = [
    (["--set", "training.epochs=3"], 1, "there is no table 'training'"),
    (["--set", "train.epoch=3"], 1, "unknown field `epoch`"),
    (["--set", "train.momentum=3"], 1, "docs/training.md lists names and values"),
    (["--epochs", "2", "--set", "train.epochs=1"], 1, "--epochs 2 and train.epochs=1. Name epochs"),
    (["--set", "epochs=3"], 1, "not of the form table.key=value"),
    (["--set", "model.widht=3"], 1, "no option is called 'widht'"),
    (["--model", "scnn-al"], 1, "The nearest that is known: 'scnn-all'"),
    (["--labels", "44"], 1, "no labels are called '44'"),
    (["--device", "tpu"], 1, "is no device"),
    (["--device", "cuda"], 1, "no GPU is at hand"),
    (["--epochs", "0"], 2, "--epochs"),
]


@pytest.mark.parametrize(("words", "status", "said"), BAD, ids=[said for *_, said in BAD])
def test_bad_words(
    few: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    said: str,
) -> None:
    plain = ["train", str(few), "--split", "few", "--out", str(tmp_path / "run")]
    assert run([*plain, *words]) == status
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


BAD_EXPERIMENTS = [
    (["--weights", "missing"], 1, "missing"),
    (["--weights", __file__], 1, "test_learn.py"),
    (["--labels", "44"], 1, "no labels are called '44'"),
    (["--labels", ","], 1, "there is nothing to learn"),
    (["--split", "none"], 1, "the archive has no splits of this name"),
    (["--split", "all"], 1, "the split all has no patch in validation"),
    (["--set", "train.epoch=3"], 1, "unknown field `epoch`"),
    (["--set", "model.dropout=0.5"], 1, "there is no table 'model'"),
    (["--epochs", "2", "--set", "train.epochs=1"], 1, "--epochs 2 and train.epochs=1"),
    (["--device", "tpu"], 1, "is no device"),
    (["--device", "cuda"], 1, "no GPU is at hand"),
]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    BAD_EXPERIMENTS,
    ids=[" ".join(words) for words, *_ in BAD_EXPERIMENTS],
)
def test_a_bad_experiment_leaves_nothing(
    few: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    said: str,
) -> None:
    plain = ["experiment", "paper", str(few), "--split", "few", "--labels", "level1"]
    assert run([*plain, "--out", str(tmp_path / "e"), *words]) == status
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--labels", "44"], "no labels are called '44'"),
        (["--set", "train.epoch=3"], "unknown field `epoch`"),
        (["--device", "tpu"], "is no device"),
    ],
)
def test_a_bad_simulated_experiment_simulates_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run(["experiment", "simulated", "--out", str(tmp_path / "s"), *words]) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
