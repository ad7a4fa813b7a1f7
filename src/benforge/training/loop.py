"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from benforge.loading.inputs import Batch
from benforge.loading.order import Positions, cut, draw_turns
from benforge.loading.prepare import ModelInput
from benforge.training.figures import Figures, diverged
from benforge.training.optimiser import clip, rate_at, set_rate
from benforge.training.setup import Setup
from benforge.training.state import Standing

CHECKED = 16
"""Steps between two looks at whether the loss is a number."""


@dataclass(frozen=True, slots=True)
class EpochFigures:
    """What an epoch's training came to.

    Args:
        loss: mean sigmoid cross entropy over patches and labels.
        f1: mean sample F1 while weights changed.
        patches: how many of this epoch were trained on in this go.
        seconds: it took.
        waiting: share of it in which the device had nothing to do but wait for patches.
        rate: learning rate at its end.
    """

    loss: float
    f1: float
    patches: int
    seconds: float
    waiting: float
    rate: float


Tell = Callable[[int, int, Figures], None]
"""Told step, steps and sums now and then."""


def train_epoch(setup: Setup, standing: Standing, save: Tell, tell: Tell) -> EpochFigures:
    """Train on every patch of the part train once, in the order of seed and epoch.

    Args:
        setup: what is trained on what.
        standing: which epoch, and how much of it is done.
        save: called after each step; saves when it is time.
        tell: called after each step; shows progress.

    Raises:
        BenError: the loss is no number any more.
    """
    recipe, processes = setup.recipe, setup.processes
    order = setup.order(standing.epoch)
    steps = -(-len(order) // recipe.batch_size)
    parameters = [p for p in setup.network.parameters() if p.requires_grad]
    figures = Figures(processes.device, standing.sums)
    setup.network.train()
    start = time.perf_counter()
    batches = _Timed(_batches(setup, order, standing))
    for step, sizes in enumerate(cut(len(order), recipe.batch_size, standing.step), standing.step):
        set_rate(setup.optimiser, rate_at(recipe, standing.epoch + step / steps))
        torch.manual_seed(_step_seed(setup.seed, standing.epoch, step, processes.rank))
        setup.optimiser.zero_grad(set_to_none=True)
        batch = next(batches, None)
        if batch is not None:
            backward(setup, batch, sizes.stop - sizes.start, figures)
        processes.add_gradients(parameters)
        clip(parameters, recipe.clip)
        setup.optimiser.step()
        if step % CHECKED == CHECKED - 1 or step + 1 == steps:
            figures.check(f"epoch {standing.epoch + 1}, step {step + 1}")
        tell(step + 1, steps, figures)
        save(step + 1, steps, figures)
    if not all(bool(torch.isfinite(p).all()) for p in parameters):
        raise diverged(f"epoch {standing.epoch + 1}")
    loss, f1, patches = processes.add_up(figures.sums.clone()).tolist()
    spent = time.perf_counter() - start
    return EpochFigures(
        loss=loss / max(1, patches),
        f1=f1 / max(1, patches),
        patches=len(order) - standing.step * recipe.batch_size,
        seconds=spent,
        waiting=batches.seconds / max(1e-9, spent),
        rate=setup.optimiser.param_groups[0]["lr"],
    )


def _batches(setup: Setup, order: Positions, standing: Standing) -> Iterator[Batch]:
    """What is for this process of each batch, turned if the recipe says so."""
    recipe, processes = setup.recipe, setup.processes
    mine = processes.share(np.arange(len(order)), recipe.batch_size)
    turns = draw_turns(len(order), setup.seed, standing.epoch)[mine] if recipe.augment else None
    return setup.inputs.batches(
        order[mine], recipe.batch_size // processes.count, turns=turns, start=standing.step
    )


def backward(setup: Setup, batch: Batch, size: int, figures: Figures) -> None:
    """Add the gradient of a batch, as a mean over the whole batch of all processes."""
    hot = setup.targets(batch.positions)
    pieces = -(-len(hot) // setup.recipe.accumulate)
    for part in cut(len(hot), pieces):
        with setup.autocast():
            # one patch has no batch to be normalised by: it is seen as in evaluation
            setup.network.train(part.stop - part.start > 1)
            logits = setup.forward(_part(batch.inputs, part))
        loss = cross_entropy(logits, hot[part])
        (loss / size).backward()  # type: ignore[no-untyped-call]
        figures.add(loss.detach(), logits.detach(), hot[part])


def cross_entropy(logits: torch.Tensor, hot: torch.Tensor) -> torch.Tensor:
    """Sigmoid cross entropy, safe for any logit: mean over labels, sum over patches."""
    each = F.binary_cross_entropy_with_logits(logits.float(), hot.float(), reduction="none")
    return each.mean(dim=1).sum()


def _part(inputs: ModelInput, part: slice) -> ModelInput:
    return tuple(one[part] for one in inputs) if isinstance(inputs, tuple) else inputs[part]


def _step_seed(seed: int, epoch: int, step: int, rank: int) -> int:
    """For dropout: drawn anew at each step, so that nothing of it need be saved."""
    return int(np.random.SeedSequence([seed, epoch, step, rank]).generate_state(1)[0])


class _Timed:
    """An iterator that knows how long it was waited for."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches, self.seconds = batches, 0.0

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        start = time.perf_counter()
        try:
            return next(self._batches)
        finally:
            self.seconds += time.perf_counter() - start


def predict_logits(setup: Setup, positions: Positions) -> torch.Tensor:
    """What the model says of these patches now, `patch label`, float32, on the CPU."""
    processes, size = setup.processes, setup.recipe.batch_size
    mine = processes.share(positions, size)
    setup.network.eval()
    with torch.inference_mode(), setup.autocast():
        rows = [
            setup.forward(batch.inputs).float()
            for batch in setup.inputs.batches(mine, size // processes.count)
        ]
    classes = setup.hot.shape[1]
    told = torch.cat(rows) if rows else torch.zeros((0, classes), device=processes.device)
    return processes.gather_rows(told, size, len(positions)).cpu()
