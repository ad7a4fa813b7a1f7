"""Training with pixels held on a GPU, from the disk, and on a batch that lies ready.

Part of `benchmarks.gpu`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benforge.archive.archive import Archive
from benforge.loading.held import DevicePixels
from benforge.loading.inputs import Batch, DeviceInputs, Inputs, PatchInputs
from benforge.loading.order import Positions, cut, draw_turns
from benforge.loading.prepare import ModelInput
from benforge.loading.reading import PatchReader
from benforge.training.loop import train_epoch
from benforge.training.processes import Processes
from benforge.training.recipe import TrainRecipe, TrainRequest
from benforge.training.setup import Setup, set_up
from benforge.training.state import Standing


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Args:
        store: patches held.
        batch: patches of a batch that is only prepared.
        rounds: of every timing.
        copied: bytes of a copy.
        patches: of a training's step.
        steps: of a training's round.
        trainings: models, and whether in fp32, with tf32, in bf16.
        workers: threads that read from the disk.
    """

    store: int
    batch: int
    rounds: int
    copied: int
    patches: int
    steps: int
    trainings: tuple[tuple[str, str], ...]
    workers: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Batches that lie prepared on the device: what training costs without any loading.

    They are those of the other places: a batch that is learned by heart has smaller gradients,
    which cost a GPU less power, so that it runs faster.
    """

    inputs: Sequence[ModelInput]

    def batches(
        self, positions: Positions, size: int, *, turns: Any = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `Inputs` says."""
        parts = cut(len(positions), size, start)
        return (Batch(positions[part], self.inputs[part.start // size]) for part in parts)


def trained(
    root: Path, big: Archive, held: DevicePixels, size: Size, work: Path
) -> list[dict[str, str]]:
    """Training steps from the device, from the disk, and on a batch that lies ready."""
    rows = []
    for model, precision in size.trainings:
        if held.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            torch.backends.cudnn.allow_tf32 = precision == "tf32"
            torch.cuda.reset_peak_memory_stats()
        rows.append(_trained(root, big, held, size, work, model, precision))
        print(rows[-1], flush=True)
    return rows


def _trained(
    root: Path, big: Archive, held: DevicePixels, size: Size, work: Path, model: str,
    precision: str,
) -> dict[str, str]:  # fmt: skip
    random, device = np.random.default_rng(1), held.device
    recipe = TrainRecipe(
        batch_size=size.patches, precision="bf16" if precision == "bf16" else "fp32", keep="last",
        normalisation="published", learning_rate=0.01, workers=size.workers,
    )  # fmt: skip
    request = TrainRequest(model=model, split="all", recipe=recipe)
    setup = set_up(root, request, Processes(0, 1, device), work)
    few = setup.parts["train"]
    setup = replace(
        setup,
        parts={"train": random.integers(0, size.store, size.steps * size.patches)},
        hot=setup.hot[torch.from_numpy(np.resize(few, size.store)).to(device)],
    )
    assert isinstance(setup.inputs, PatchInputs)
    prepare = setup.inputs.prepare
    places: dict[str, Inputs] = {
        "device": DeviceInputs(held, prepare),
        "disk": PatchInputs(
            PatchReader(big, setup.contract.bands, pinned=device.type == "cuda"),
            prepare,
            size.workers,
        ),
    }
    positions = setup.parts["train"]
    order = setup.order(0)
    turns = draw_turns(len(order), setup.seed, 0)
    ready = [one.inputs for one in places["device"].batches(order, size.patches, turns=turns)]
    places["ready"] = Ready(ready)
    setups = {name: replace(setup, inputs=inputs) for name, inputs in places.items()}
    seconds: dict[str, list[float]] = {name: [] for name in setups}
    for turn in range(5):
        for name in sorted(setups, reverse=bool(turn % 2)):
            seconds[name].append(_epoch(setups[name]))
    # the first of each is to warm up
    taken = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    count = len(positions)
    peak = torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else 0.0
    return {
        "model": model,
        "precision": precision,
        "ready, patches/s": f"{count / taken['ready']:,.0f}",
        "device, patches/s": f"{count / taken['device']:,.0f}",
        "stall": f"{100 * (1 - taken['ready'] / taken['device']):.1f} %",
        f"disk, {size.workers} threads, patches/s": f"{count / taken['disk']:,.0f}",
        "stall, disk": f"{100 * (1 - taken['ready'] / taken['disk']):.1f} %",
        "peak memory, GiB": f"{peak:.1f}",
    }


def _epoch(setup: Setup) -> float:
    """Seconds of so many steps, as a training takes them."""

    def quiet(*_: object) -> None: ...

    if setup.processes.device.type == "cuda":
        torch.cuda.synchronize()
    return train_epoch(setup, Standing(), quiet, quiet).seconds
