"""Checkpoints: read back as written, refused where damaged, never a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from benforge.core.contract import Contract, Normalisation, check_agrees
from benforge.errors import InputError, MissingError
from benforge.models.checkpoint import load_model, read_contract, write_checkpoint
from benforge.models.port import RGB
from benforge.models.registry import build_model
from benforge.models.tensor_files import read_note, write_tensors

CLASSES = ("one", "two", "three")
SMALL: dict[str, Any] = {"third_pooling": True, "fc_width": 4}


def contract(**changes: Any) -> Contract:
    facts: dict[str, Any] = {
        "model": "scnn-rgb",
        "title": "S-CNN-RGB",
        "options": SMALL,
        "bands": RGB,
        "quantification": 10_000,
        "kernel": "cubic-0.5",
        "normalisation": Normalisation(source="none", mean=(0,) * 3, std=(1,) * 3),
        "nomenclature": "mine",
        "classes": CLASSES,
        "split": "s",
        "split_digest": "d",
        "archive": "a",
        "simulated": False,
    }
    return Contract(**{**facts, **changes})


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path, build_model("scnn-rgb", RGB, 3, SMALL), contract())
    return tmp_path


def test_written_and_read(run: Path) -> None:
    model = build_model("scnn-rgb", RGB, 3, SMALL)
    write_checkpoint(run, model, contract(epoch=3))
    found, told = load_model(run)
    assert told == contract(epoch=3) == read_contract(run / "model.safetensors")
    assert json.loads((run / "model.json").read_text())["classes"] == list(CLASSES)
    ours, theirs = model.state_dict(), found.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not found.training


@pytest.mark.parametrize("kept", [0, 7, 100, 5_000])
def test_cut_off(run: Path, kept: int) -> None:
    path = run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"model\.safetensors: cut off or damaged") as caught:
        load_model(run)
    assert "\n" not in str(caught.value)


def test_other_files(run: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such file"):
        load_model(tmp_path / "nothing")
    (tmp_path / "pickle.safetensors").write_bytes(b"\x80\x04\x95cposix\nsystem\n.")
    with pytest.raises(InputError, match="cut off or damaged"):
        load_model(tmp_path / "pickle.safetensors")
    import safetensors.torch

    safetensors.torch.save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="its header holds no contract"):
        read_contract(tmp_path / "other.safetensors")


def test_weights_of_another_model(run: Path) -> None:
    other = build_model("scnn-rgb", RGB, 4, SMALL)
    write_checkpoint(run, other, contract())
    with pytest.raises(InputError, match="the weights do not fit the model scnn-rgb, size mismat"):
        load_model(run)


def test_a_newer_format(run: Path) -> None:
    write_checkpoint(run, build_model("scnn-rgb", RGB, 3, SMALL), contract(format=99))
    with pytest.raises(InputError, match="format 99, this one reads 1"):
        read_contract(run)


def test_a_note_of_another_kind(tmp_path: Path) -> None:
    class Other(msgspec.Struct):
        x: int

    write_tensors(tmp_path / "a", {"t": torch.ones(1)}, Other(3))
    assert read_note(tmp_path / "a", Other) == Other(3)
    with pytest.raises(InputError, match="its contract cannot be read"):
        read_note(tmp_path / "a", Contract)


def test_both_sides_are_named() -> None:
    check_agrees("bands", RGB, RGB, "here")
    with pytest.raises(InputError, match=r"here: bands: the model was trained with 3 \(B04, B03, "):
        check_agrees("bands", RGB, ("B01",), "here")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kernel": "foo"}, "no kernel is called 'foo'"),
        ({"bands": RGB[:2]}, "2 bands, 3 means"),
        (
            {"normalisation": Normalisation(source="none", mean=(0,) * 3, std=(0, 1, 1))},
            "not above 0",
        ),
    ],
)
def test_impossible_contracts(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        contract(**changes)
