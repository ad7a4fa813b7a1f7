"""What belongs to an experiment: a file of another run is refused, one that is gone is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benforge.errors import InputError
from benforge.experiments.plan import PREDICTIONS, run_folder
from benforge.models.checkpoint import CONTRACT, WEIGHTS
from benforge.reports.folder import Folder, read_folder
from benforge.reports.measure import measure
from benforge.training.journal import LOG
from benforge.training.run import RUN

FILES = (LOG, RUN, CONTRACT, WEIGHTS)


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def read_all(experiment: Path) -> Folder:
    folder = read_folder(experiment)
    measure(folder, resamples=1)
    return folder


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("43/scnn-rgb/seed-1", "43/scnn-all/seed-1", "not predicted by scnn-all.*but by S-CNN-RGB"),
        ("43/scnn-all/seed-2", "43/scnn-all/seed-1", "not predicted by scnn-all.*seed-2"),
        ("43/no-batch-norm/seed-1", "43/scnn-all/seed-1", "not .* by the weights beside it"),
        ("level1/scnn-all/seed-1", "43/scnn-all/seed-1", "of clc-level-1, not clc-43"),
        ("43/scnn-all/seed-1", "43/conv-dropout/seed-1", "not .* by the weights beside it"),
        ("43/band-means/seed-1", "43/prior/seed-1", "not predicted by Class prior, but by Logis"),
        ("43/prior/seed-1", "43/scnn-rgb/seed-1", "not predicted by scnn-rgb.*by Class prior"),
    ],
)
def test_predictions_of_another_run(copy: Path, source: str, target: str, said: str) -> None:
    file = copy / "runs" / target / PREDICTIONS
    shutil.copy(copy / "runs" / source / PREDICTIONS, file)
    with pytest.raises(InputError, match=said) as caught:
        read_all(copy)
    assert caught.value.where == str(file)
    assert caught.value.do == "Remove the file and run the experiment again"


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        ("43/scnn-rgb/seed-1", "43/scnn-all/seed-1", RUN),
        ("43/scnn-all/seed-2", "43/scnn-all/seed-1", RUN),
        ("43/conv-dropout/seed-1", "43/no-batch-norm/seed-1", RUN),
        ("43/scnn-rgb/seed-1", "43/scnn-all/seed-1", WEIGHTS),
        ("43/scnn-all/seed-2", "43/scnn-all/seed-1", WEIGHTS),
        ("level1/scnn-all/seed-1", "43/scnn-all/seed-1", WEIGHTS),
    ],
)
def test_the_note_or_weights_of_another_run(
    copy: Path, source: str, target: str, name: str
) -> None:
    file = copy / "runs" / target / name
    shutil.copy(copy / "runs" / source / name, file)
    with pytest.raises(InputError, match=r"another (training|run)") as caught:
        read_folder(copy)
    assert caught.value.where == str(file)
    assert caught.value.do.startswith("Remove the folder of the run")


def test_other_weights_than_those_that_predicted(copy: Path) -> None:
    """Trained again after the predictions were made: the same run, other bits."""
    file = run_folder(copy, "43", "scnn-all", 1) / WEIGHTS
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match="not predicted by the weights beside it"):
        read_all(copy)


@pytest.mark.parametrize("emptied", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_finished_run_that_is_gone(copy: Path, name: str, emptied: bool) -> None:
    file = run_folder(copy, "43", "scnn-rgb", 2) / name
    file.write_bytes(b"") if emptied else file.unlink()
    expected = [f"scnn-rgb, labels 43, seed 2: predicted, but without {name}"]
    assert read_all(copy).missing() == expected


def test_predictions_alone(copy: Path) -> None:
    for name in FILES:
        (run_folder(copy, "43", "scnn-rgb", 2) / name).unlink()
    (said,) = read_all(copy).missing()
    assert said.endswith("without log.jsonl, run.json, model.safetensors and model.json")
