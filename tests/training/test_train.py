"""Trainings of real patches: what they leave, that they go on to the same bits, that they learn."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_split
from benforge.core.split import Split
from benforge.errors import BenError, ConflictError, InputError, MissingError
from benforge.loading.inputs import DeviceInputs
from benforge.models.checkpoint import load_model, read_contract
from benforge.models.tensor_files import write_tensors
from benforge.training.journal import LOG, read_log
from benforge.training.processes import Processes
from benforge.training.run import RUN
from benforge.training.setup import set_up
from benforge.training.state import STATE, Standing, State
from benforge.training.train import train
from tests.training.conftest import request

TIMES = {"patches_per_second", "waiting", "seconds"}


def untimed(run: Path) -> list[dict[str, object]]:
    lines = [msgspec.to_builtins(line) for line in read_log(run)]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


@pytest.fixture(scope="module")
def trained(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run")
    train(few, request(), run)
    return run


def test_what_a_run_leaves(few: Path, trained: Path) -> None:
    assert {p.name for p in trained.iterdir()} == {
        "run.json", "log.jsonl", "model.json", "model.safetensors", "state.safetensors",
    }  # fmt: skip
    lines = read_log(trained)
    assert [line.epoch for line in lines] == [1, 2, 3]
    assert all(0 <= line.validation["f1"] <= 1 for line in lines)  # type: ignore[index]
    contract = read_contract(trained)
    assert (contract.title, contract.bands) == ("S-CNN-RGB", ("B04", "B03", "B02"))
    assert contract.classes[0] == "Artificial surfaces"
    assert not contract.simulated
    best = max(lines, key=lambda line: (line.validation["f1"], -line.epoch))  # type: ignore[index]
    assert contract.epoch == best.epoch
    assert json.loads((trained / "model.json").read_text())["epoch"] == contract.epoch
    assert str(few) not in (trained / "model.json").read_text() + (trained / "run.json").read_text()


def test_one_seed_one_result(few: Path, trained: Path, tmp_path: Path) -> None:
    train(few, request(), tmp_path / "again", pixels="device")
    weights = [(run / "model.safetensors").read_bytes() for run in (trained, tmp_path / "again")]
    assert weights[0] == weights[1]
    train(few, request(seed=2, epochs=1), tmp_path / "other")
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != weights[0]


class KilledError(Exception):
    """What stands for a kill."""


@pytest.mark.parametrize(("saves", "pixels"), [(1, "disk"), (3, "ram"), (5, "device")])
def test_a_killed_training_goes_on_to_the_same_bits(
    few: Path,
    trained: Path,
    tmp_path: Path,
    saves: int,
    pixels: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Saved after every step here; killed within the first epoch, at its end, in the second.

    It began with pixels on the disk, and goes on with them there or elsewhere.
    """
    often, done, save = request(save_minutes=1e-9), [], State.save

    def save_and_die(*arguments: Any) -> None:
        save(*arguments)
        done.append(None)
        if len(done) == saves:
            raise KilledError

    monkeypatch.setattr(State, "save", save_and_die)
    with pytest.raises(KilledError):
        train(few, often, tmp_path / "run")
    monkeypatch.undo()
    assert train(few, often, tmp_path / "run", pixels=pixels).epochs == 3
    assert untimed(tmp_path / "run") == untimed(trained)
    a, b = (load_model(run)[0].state_dict() for run in (trained, tmp_path / "run"))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_blocks_are_shuffled_as_they_were_before_the_kill(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = request(epochs=1, shuffle="blocks", save_minutes=1e-9)
    train(few, told, tmp_path / "one")
    save = State.save

    def save_and_die(*arguments: Any) -> None:
        save(*arguments)
        raise KilledError

    monkeypatch.setattr(State, "save", save_and_die)
    with pytest.raises(KilledError):
        train(few, told, tmp_path / "two")
    monkeypatch.undo()
    train(few, told, tmp_path / "two")
    a, b = ((tmp_path / n / "model.safetensors").read_bytes() for n in ("one", "two"))
    assert a == b


def test_each_process_holds_its_share_alone(few: Path, tmp_path: Path) -> None:
    """Two processes on their devices: together all of an epoch, and no patch in both."""
    asked = []
    for rank in range(2):
        processes = Processes(rank, 2, torch.device("cpu"))
        setup = set_up(few, request(), processes, tmp_path, pixels="device")
        assert isinstance(setup.inputs, DeviceInputs)
        assert len(setup.inputs.held.pixels[10]) == (12 + 4) / 2
        for epoch in range(3):
            mine = processes.share(setup.order(epoch), 4)
            batches = list(setup.inputs.batches(mine, 2))
            asked.append(np.concatenate([batch.positions for batch in batches]))
        list(setup.inputs.batches(processes.share(setup.parts["validation"], 4), 2))
    for epoch in range(3):
        assert sorted([*asked[epoch], *asked[epoch + 3]]) == list(range(12))
    assert set(asked[0]) == set(asked[1]) == set(asked[2])


def test_a_training_that_ended_is_left_alone(few: Path, trained: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in trained.iterdir()}
    summary = train(few, request(), trained)
    assert (summary.epochs, summary.patches_per_second) == (3, 0.0)
    kept = ("model.safetensors", "state.safetensors", "run.json")
    assert all((trained / name).stat().st_mtime_ns == before[name] for name in kept)


def test_another_run_in_the_folder(few: Path, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="holds a run with epochs 3, not 4"):
        train(few, request(epochs=4), trained)
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(ConflictError, match=r"other things, such as photo\.jpg"):
        train(few, request(), tmp_path)


def test_the_first_loss_is_that_of_knowing_nothing(few: Path, tmp_path: Path) -> None:
    """Every class at a half: -log(1/2) a label."""
    told = request(
        epochs=1, batch_size=32, learning_rate=1e-9, augment=False, keep="last",
        options={"batch_norm": False, "dropout": 0.0},
    )  # fmt: skip
    summary = train(few, told, tmp_path)
    assert summary.train_loss == pytest.approx(math.log(2), abs=0.15)


@pytest.mark.parametrize("model", ["kbranch", "inception-v2-frozen"])
def test_other_models_train_too(few: Path, tmp_path: Path, model: str) -> None:
    summary = train(few, request(model, epochs=1), tmp_path / "run", cache=tmp_path / "cache")
    assert summary.epochs == 1
    if model == "inception-v2-frozen":
        (features,) = (tmp_path / "cache").iterdir()
        assert np.load(features).shape == (16, 1024)
        contract = read_contract(tmp_path / "run")
        assert contract.title == "Inception-v2 (random weights)"


def test_accumulated_parts_are_one_batch(few: Path, tmp_path: Path) -> None:
    plain = {"batch_norm": False, "dropout": 0.0}
    for parts in (1, 4):
        told = request(epochs=1, batch_size=12, accumulate=parts, options=plain, keep="last")
        train(few, told, tmp_path / str(parts))
    one, four = (load_model(tmp_path / n)[0].state_dict() for n in ("1", "4"))
    assert all(torch.allclose(one[name], four[name], atol=1e-5) for name in one)


def test_half_precision_and_last_epoch(few: Path, tmp_path: Path) -> None:
    train(few, request(epochs=2, precision="bf16", keep="last"), tmp_path)
    assert read_contract(tmp_path).epoch == 2


def test_patience_ends_a_training(few: Path, tmp_path: Path) -> None:
    still = request(epochs=9, learning_rate=1e-12, patience=2, augment=False)
    assert train(few, still, tmp_path).epochs <= 4


def test_tensorboard(few: Path, tmp_path: Path) -> None:
    train(few, request(epochs=1), tmp_path, tensorboard=True)
    assert list((tmp_path / "tensorboard").iterdir())


BAD = [
    ({"learning_rate": 1e30, "options": {"batch_norm": False}}, InputError, "no number any more"),
    ({"model": "scnn"}, InputError, "no model is called 'scnn'"),
    ({"options": {"widht": 3}}, InputError, "no option is called 'widht'"),
    ({"labels": "44"}, InputError, "no labels are called '44'"),
]


@pytest.mark.parametrize(("changes", "kind", "said"), BAD, ids=[said for *_, said in BAD])
def test_bad_requests(
    few: Path, tmp_path: Path, changes: dict[str, object], kind: type[BenError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        train(few, request(**changes), tmp_path / "run")  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_bad_splits(few: Path, imported_sample: Archive, tmp_path: Path) -> None:
    wanted = request()
    with pytest.raises(MissingError, match="no splits of this name"):
        train(few, msgspec.structs.replace(wanted, split="none"), tmp_path / "a")
    with pytest.raises(InputError, match="no patch in validation"):
        train(few, msgspec.structs.replace(wanted, split="all"), tmp_path / "b")
    ids = ["S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_00_00"]
    write_split(few, Split.of("strange", "by-hand", ids, np.array(["train"], object)))
    strange = request(keep="last")
    with pytest.raises(InputError, match="1 patches of the split strange are not in the archive"):
        train(few, msgspec.structs.replace(strange, split="strange"), tmp_path / "c")


def test_a_damaged_state(few: Path, trained: Path, tmp_path: Path) -> None:
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    data = (tmp_path / STATE).read_bytes()
    (tmp_path / STATE).write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"state\.safetensors: cut off .* Remove it: .* anew"):
        train(few, request(), tmp_path)
    write_tensors(tmp_path / STATE, {"model.x": torch.zeros(1)}, Standing())
    with pytest.raises(InputError, match=r"state\.safetensors: of another model\. Remove it"):
        train(few, request(), tmp_path)
    (tmp_path / STATE).unlink()
    log = (tmp_path / LOG).read_bytes()
    (tmp_path / LOG).write_bytes(log[:-9])
    with pytest.raises(InputError, match=r"log\.jsonl: the log cannot be read, .*Remove it"):
        train(few, request(), tmp_path)
    (tmp_path / LOG).unlink()
    assert train(few, request(), tmp_path).epochs == 3
    assert len((tmp_path / LOG).read_bytes().splitlines()) == 3


def test_a_damaged_note_of_a_run(few: Path, trained: Path, tmp_path: Path) -> None:
    for path in trained.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / RUN).write_bytes(b"{}")
    with pytest.raises(InputError, match=r"run\.json: cannot be read, .*Remove the folder of the"):
        train(few, request(), tmp_path)


def test_memory_that_is_short(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("benforge.training.train.train_epoch", burst)
    with pytest.raises(MemoryError, match=r"too little memory for 4 patches.*Raise accumulate"):
        train(few, request(), tmp_path)


@pytest.mark.slow
def test_processes_that_share_the_work(few: Path, tmp_path: Path) -> None:
    """Two processes under torchrun end in the weights of one, but for rounding."""
    words = [
        "train", str(few), "--split", "few", "--model", "scnn-rgb", "--labels", "level1",
        "--device", "cpu", "--epochs", "2", "--set", "train.batch_size=4",
        "--set", "model.batch_norm=false", "--set", "model.dropout=0", "--set", "train.keep=last",
    ]  # fmt: skip
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    several = [*torchrun, "-m", "benforge.cli", *words, "--out", str(tmp_path / "two")]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(several, check=True, capture_output=True, env=env)
    alone = [sys.executable, "-m", "benforge.cli", *words, "--out", str(tmp_path / "one")]
    subprocess.run(alone, check=True, capture_output=True, env=env)
    one, two = (load_model(tmp_path / n)[0].state_dict() for n in ("one", "two"))
    assert all(torch.allclose(one[name], two[name], atol=1e-4) for name in one)
    (a, b) = (untimed(tmp_path / n) for n in ("one", "two"))
    for x, y in zip(a, b, strict=True):
        assert x["train_loss"] == pytest.approx(y["train_loss"], abs=1e-4)
        assert x["validation"] == pytest.approx(y["validation"], abs=1e-3)


@pytest.mark.slow
def test_the_real_sample_is_learnt(few: Path, tmp_path: Path) -> None:
    """S-CNN-All knows the 66 real patches by heart."""
    from benforge.evaluation.evaluate import evaluate
    from benforge.inference.predict import predict

    told = request(
        "scnn-all", labels="43", epochs=80, batch_size=22, learning_rate=0.05, augment=False,
        keep="last", options={"dropout": 0.0}, weight_decay=0.0,
    )  # fmt: skip
    train(few, msgspec.structs.replace(told, split="all"), tmp_path)
    found = evaluate(predict(tmp_path, few, split="all", part="train"))
    assert found.sample.f1 >= 0.99


@pytest.mark.parametrize("changes", [{"batch_size": 11}, {"batch_size": 4, "accumulate": 9}])
def test_a_batch_of_one_patch(few: Path, tmp_path: Path, changes: dict[str, int]) -> None:
    assert train(few, request(epochs=1, **changes), tmp_path).epochs == 1


def test_weights_that_are_no_numbers_in_the_last_step(few: Path, tmp_path: Path) -> None:
    options = {"batch_norm": False}
    steep = request(epochs=1, batch_size=12, learning_rate=1e30, warmup=0, options=options)
    with pytest.raises(InputError, match="no number any more"):
        train(few, steep, tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


def test_a_refused_request_claims_nothing(few: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        train(few, request(labels="44"), tmp_path)
    assert train(few, request(epochs=1), tmp_path).epochs == 1


def test_a_run_that_was_damaged_after_its_end(few: Path, tmp_path: Path) -> None:
    train(few, request(epochs=1), tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:999])
    with pytest.raises(InputError, match="cut off or damaged"):
        train(few, request(epochs=1), tmp_path)
