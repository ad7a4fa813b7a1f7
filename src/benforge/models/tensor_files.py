"""Tensors and a note about them in one file of safetensors: whole or not there, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from benforge.core.files import decoding, write_atomic
from benforge.errors import InputError, MissingError

KEY = "benforge"
"""Under which the note stands in the file's header."""

Note = TypeVar("Note", bound=msgspec.Struct)
_ADVICE = "Copy it again, or train again"


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], note: msgspec.Struct) -> None:
    """Write tensors with a note in the header.

    Raises:
        StorageError: the disk is full.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = msgspec.json.encode(note, order="deterministic").decode()
    write_atomic(path, safetensors.torch.save(plain, metadata={KEY: text}))


def read_note(path: Path, kind: type[Note]) -> Note:
    """The note of a file; no tensor is read.

    Raises:
        MissingError: the file is not there.
        InputError: it is cut off, damaged, or of another kind.
    """
    return _read(path, kind, whole=False, do=_ADVICE)[0]


def read_tensors(
    path: Path, kind: type[Note], *, do: str = _ADVICE
) -> tuple[Note, dict[str, torch.Tensor]]:
    """The note and the tensors, on the CPU.

    Args:
        path: the file.
        kind: of the note.
        do: what to do where the file is damaged.

    Raises:
        MissingError: the file is not there.
        InputError: it is cut off, damaged, or of another kind.
    """
    return _read(path, kind, whole=True, do=do)


def _read(
    path: Path, kind: type[Note], *, whole: bool, do: str
) -> tuple[Note, dict[str, torch.Tensor]]:
    if not path.is_file():
        raise MissingError("there is no such file", where=path, do="Name the folder of a run")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            names = file.keys() if whole else ()
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"cut off or damaged, {str(error).partition(chr(10))[0]}",
            where=path,
            do=do,
        ) from error
    if text is None:
        raise InputError(
            "not written by benforge: its header holds no contract",
            where=path,
            do="Name model.safetensors in the folder of a run",
        )
    with decoding(path, do=do, what="its contract cannot be read"):
        return msgspec.json.decode(text, type=kind), tensors
