"""Where a training stands, saved so that a killed one goes on to the same bits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch
from torch import nn

from benforge.errors import InputError
from benforge.models.tensor_files import read_tensors, write_tensors

STATE = "state.safetensors"

_ADVICE = "Remove it: the training begins anew"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a training is.

    Args:
        epoch: the one to go on with, from 0.
        step: the batch of it to go on with.
        sums: loss, F1 and patches of the steps that are done.
        best: the best figure so far; None before the first.
        best_epoch: the epoch of it.
        since_best: looks at validation without a better one.
        ended: whether it is over.
        seconds: spent so far.
    """

    epoch: int = 0
    step: int = 0
    sums: tuple[float, float, float] = (0.0, 0.0, 0.0)
    best: float | None = None
    best_epoch: int = 0
    since_best: int = 0
    ended: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A training at a moment: model, momentum and standing."""

    network: nn.Module
    optimiser: torch.optim.Optimizer

    def save(self, run: Path, standing: Standing) -> None:
        """Write it into the folder of its run."""
        tensors = {f"model.{name}": t for name, t in self.network.state_dict().items()}
        for number, kept in self.optimiser.state_dict()["state"].items():
            if kept.get("momentum_buffer") is not None:
                tensors[f"momentum.{number}"] = kept["momentum_buffer"]
        write_tensors(run / STATE, tensors, standing)

    def restore(self, run: Path) -> Standing:
        """Go back to what was saved, or leave all as it is where nothing was.

        Raises:
            InputError: the file is damaged, or of another model.
        """
        if not (run / STATE).is_file():
            return Standing()
        standing, tensors = read_tensors(run / STATE, Standing, do=_ADVICE)
        named = {k.partition(".")[2]: t for k, t in tensors.items() if k.startswith("model.")}
        try:
            self.network.load_state_dict(named)
        except RuntimeError as error:
            raise InputError("of another model", where=run / STATE, do=_ADVICE) from error
        kept = self.optimiser.state_dict()
        kept["state"] = {
            int(name.partition(".")[2]): {"momentum_buffer": tensor}
            for name, tensor in tensors.items()
            if name.startswith("momentum.")
        }
        self.optimiser.load_state_dict(kept)
        return standing
