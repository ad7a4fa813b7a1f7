"""`ben evaluate` and `ben compare`: their tables, their JSON, their exit status."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from benforge.cli.main import run
from benforge.core.predictions import Predictions
from benforge.evaluation.compare import compare_all
from benforge.evaluation.evaluate import evaluate
from benforge.evaluation.files import read_predictions, write_predictions
from tests.evaluation.made import drawn, made

FACTS = {"model": "S-CNN-All", "nomenclature": "ben-19", "simulated": True}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with predictions of two models, and of validation patches."""
    monkeypatch.chdir(tmp_path)
    a = drawn(1, skill=4.0, **FACTS)
    write_predictions(Path("a.parquet"), a)
    write_predictions(Path("b.parquet"), drawn(2, skill=1.0, simulated=True))
    other = Predictions.of([f"v{i}" for i in range(60)], a.scores, a.targets, a.classes, a.facts)
    write_predictions(Path("v.parquet"), other)
    return tmp_path


def test_evaluation_for_people(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "a.parquet"]) == 0
    text, sample = capsys.readouterr().out, evaluate(drawn(1, skill=4.0)).sample
    assert text.startswith("S-CNN-All: 60 patches, 5 classes\n")
    row = next(line for line in text.splitlines() if line.startswith("sample"))
    assert row.split()[1:4] == [
        f"{100 * sample.precision:.2f}",
        f"{100 * sample.recall:.2f}",
        f"{sample.f1:.4f}",
    ]
    assert "simulated" in text
    assert "0.5000, fixed" in text
    assert "class 3" not in text
    assert run(["evaluate", "a.parquet", "--per-class"]) == 0
    assert "class 3" in capsys.readouterr().out


def test_evaluation_as_json(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "a.parquet", "--json", "--threshold", "0.25"]) == 0
    found = json.loads(capsys.readouterr().out)
    for average in ("sample", "micro", "macro", "weighted"):
        assert set(found[average]) == {"precision", "recall", "f1", "f2", "f0.5"}
    assert {"hamming_loss", "subset_accuracy", "one_error", "coverage", "lrap"} <= set(found)
    assert set(found["average_precision"]) == {"micro", "macro"}
    assert found["per_class"][0]["name"] == "class 0"
    assert (found["threshold"], found["threshold_from"]) == (0.25, "fixed")
    assert (found["patches"], found["labels"], found["simulated"]) == (60, 5, True)
    assert (found["nomenclature"], found["model"]) == ("ben-19", "S-CNN-All")


def test_thresholds_are_tuned(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "a.parquet", "--tune", "v.parquet"]
    assert run([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["threshold_from"] == "tuned on validation"
    assert found["sample"]["f1"] > evaluate(drawn(1, skill=4.0)).sample.f1
    assert run([*words, "--json", "--per-class-thresholds"]) == 0
    assert len(json.loads(capsys.readouterr().out)["threshold"]) == 5
    assert run([*words, "--per-class-thresholds"]) == 0
    assert "one a class" in capsys.readouterr().out


def test_comparison(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "a.parquet", "b.parquet", "--resamples", "99"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("sample-f1 of 60 patches (simulated)\n")
    assert max(map(len, shown.out.splitlines())) <= 100
    assert "4 tiles are few" in shown.err
    words = ["compare", "a.parquet", "b.parquet", "--resamples", "99", "--figure", "micro-f1"]
    assert run([*words, "--json", "--plain"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["figure"], found["tiles"], found["resamples"]) == ("micro-f1", None, 99)
    assert [test["units"] for test in found["tests"]] == ["patches", "patches"]


def test_three_models_are_compared_with_holms_correction(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["a.parquet", "b.parquet", "c.parquet"]
    write_predictions(Path("c.parquet"), drawn(3, skill=2.0, model="Third", simulated=True))
    assert run(["compare", *names, "--resamples", "99", "--json", "--plain"]) == 0
    found = json.loads(capsys.readouterr().out)
    told = [read_predictions(Path(name)) for name in names]
    every = compare_all(told, resamples=99, clustered=False)
    assert found == msgspec.json.decode(msgspec.json.encode(every))
    assert all(test["p_holm"] >= test["p"] for pair in found for test in pair["tests"])
    assert run(["compare", *names, "--resamples", "99", "--plain"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "sample-f1 of 60 patches (simulated)" in shown
    assert "corrected by Holm's method" in shown
    for first, second in (("a", "b"), ("a", "c"), ("b", "c")):
        assert f"{first} − {second} " in shown
    assert f"{every[1].difference:+.4f}" in shown
    write_predictions(Path("b.parquet"), drawn(2, skill=1.0, model="Second"))
    assert run(["compare", *names, "--resamples", "99"]) == 0
    shown = capsys.readouterr()
    assert "S-CNN-All − Second " in " ".join(shown.out.split())
    assert shown.err.count("tiles are few") == 1


def test_the_json_of_two_models_is_one_comparison(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", "a.parquet", "b.parquet", "--resamples", "9", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [test["p_holm"] for test in found["tests"]] == [None] * 4


@pytest.mark.parametrize(("told", "warned"), [(7, True), (0, False), (None, False), ("x", False)])
def test_patches_that_were_trained_on(
    files: Path, capsys: pytest.CaptureFixture[str], told: object, warned: bool
) -> None:
    write_predictions(Path("t.parquet"), drawn(1, skill=4.0, extra={"trained_on": told}))
    for words in ([], ["--json"]):
        assert run(["evaluate", "t.parquet", *words]) == 0
        shown = capsys.readouterr()
        assert ("7 of the 60 patches were trained on" in shown.err) == warned
    assert json.loads(shown.out)["trained_on"] == (None if told == "x" else told)


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["evaluate"], 2, "FILE.parquet"),
        (["evaluate", "none.parquet"], 1, "none.parquet: no such file"),
        (["evaluate", "."], 1, "is a folder. Name a Parquet file of predictions, such as a.parq"),
        (["compare", "a.parquet"], 2, "name two files of predictions or more"),
        (["evaluate", "a.parquet", "--threshold", "2"], 2, "threshold"),
        (["evaluate", "a.parquet", "--threshold", "0.5", "--tune", "v.parquet"], 2, "not both"),
        (["evaluate", "a.parquet", "--per-class-thresholds"], 2, "--tune"),
        (["evaluate", "a.parquet", "--tune", "a.parquet"], 1, "a.parquet: thresholds would be"),
        (["compare", "a.parquet", "v.parquet"], 1, "in the first predictions alone"),
        (["compare", "a.parquet", "b.parquet", "--figure", "f7"], 2, "no figure is called"),
        (["compare", "v.parquet", "v.parquet"], 1, "clustered tests need"),
        (["compare", "a.parquet", "a.parquet", "--resamples", "0"], 2, "resamples"),
    ],
)
def test_wrong_input(
    files: Path, words: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == status
    shown = capsys.readouterr().err
    assert line in " ".join(shown.replace("│", "").split())
    assert "Traceback" not in shown


def test_no_label_at_all(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_predictions(Path("none.parquet"), made([[0.2, 0.9]], [[0, 0]]))
    assert run(["evaluate", "none.parquet"]) == 0
    assert "micro –, macro –; 0 of 2 classes occur" in capsys.readouterr().out
    assert run(["evaluate", "none.parquet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["average_precision"]["macro"] is None
