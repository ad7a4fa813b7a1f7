"""Checkpoints: the weights of a model and the contract under which they were trained."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import torch
from torch import nn

from benforge.core.contract import FORMAT, Contract
from benforge.core.files import write_atomic
from benforge.errors import InputError
from benforge.models.registry import build_model
from benforge.models.tensor_files import read_note, read_tensors, write_tensors

WEIGHTS, CONTRACT = "model.safetensors", "model.json"
"""Files of a run: the checkpoint, and a copy of its contract for people."""


def write_checkpoint(run: Path, model: nn.Module, contract: Contract) -> None:
    """Write a model into the folder of a run.

    Raises:
        StorageError: the disk is full.
    """
    write_tensors(run / WEIGHTS, model.state_dict(), contract)
    text = msgspec.json.format(msgspec.json.encode(contract), indent=2)
    write_atomic(run / CONTRACT, text + b"\n")


def read_contract(run: Path) -> Contract:
    """The contract of a run or checkpoint file.

    Raises:
        MissingError: there is no checkpoint.
        InputError: it is cut off, damaged, or of a newer benforge.
    """
    return _checked(read_note(_file(run), Contract), run)


def load_model(run: Path, device: torch.device | None = None) -> tuple[nn.Module, Contract]:
    """The model of a run or checkpoint file, ready to be asked.

    Raises:
        MissingError: there is no checkpoint.
        InputError: it is cut off, damaged, of a newer benforge, or its weights do not fit the
            model that its contract names.
    """
    contract, tensors = read_tensors(_file(run), Contract)
    _checked(contract, run)
    model = build_model(
        contract.model,
        contract.bands,
        len(contract.classes),
        contract.options,
        read_weights=False,
    )
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise InputError(
            f"the weights do not fit the model {contract.model}, {first}", where=_file(run)
        ) from error
    return model.to(device or torch.device("cpu")).eval(), contract


def hash_weights(run: Path) -> str:
    """SHA-256 of the checkpoint of a run, its contract included.

    Raises:
        MissingError: there is no checkpoint.
    """
    read_contract(run)
    return hashlib.sha256(_file(run).read_bytes()).hexdigest()


def _file(run: Path) -> Path:
    return run / WEIGHTS if run.is_dir() else run


def _checked(contract: Contract, run: Path) -> Contract:
    if contract.format > FORMAT:
        raise InputError(
            f"written by a newer benforge: format {contract.format}, this one reads {FORMAT}",
            where=_file(run),
            do="Install a newer benforge",
        )
    return contract
