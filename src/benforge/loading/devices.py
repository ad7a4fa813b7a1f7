"""What models compute on."""

from __future__ import annotations

import torch

from benforge.errors import InputError


def find_device(name: str = "") -> torch.device:
    """The device of this name; the GPU where there is one, else the CPU, if empty.

    Raises:
        InputError: there is none.
    """
    if not name:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"{name!r} is no device", do="Use cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"{name!r} is not supported", do="Use cpu or cuda")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError("no GPU is at hand", where=name, do="Use --device cpu")
    return device
