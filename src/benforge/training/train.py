"""Train a model: the run, from its first epoch or where it was cut off, to its checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benforge.archive.locking import writing
from benforge.core.progress import Progress, silent
from benforge.evaluation.counts import Counts
from benforge.evaluation.figure import Figure
from benforge.models.checkpoint import load_model, write_checkpoint
from benforge.models.registry import all_options
from benforge.training.figures import Figures, diverged
from benforge.training.journal import Journal, Line
from benforge.training.loop import cross_entropy, predict_logits, train_epoch
from benforge.training.memory import enough_memory
from benforge.training.processes import joined_processes
from benforge.training.recipe import TrainRequest
from benforge.training.run import check_run, claim_run
from benforge.training.setup import Setup, set_up
from benforge.training.state import Standing, State

SAMPLE = {name: Figure("sample", name) for name in ("precision", "recall", "f1", "f2")}
"""What is told of validation after each epoch: the paper's figures."""


BETWEEN_TELLS = 0.5
"""Seconds between two looks at loss and F1 for the progress line."""


class TrainSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a training came to.

    Args:
        run: its folder.
        epochs: trained in all.
        kept_epoch: the one whose weights the checkpoint holds.
        figure: what it was chosen by: "f1", "f2", "loss"; "last" where it was not chosen.
        best: the figure of it; None where it was not chosen.
        train_loss: of the last epoch.
        patches_per_second: of training, over all epochs of this go.
        waiting: share of that time spent waiting for patches.
        seconds: over all goes.
        notes: what the user should know.
    """

    run: str
    epochs: int
    kept_epoch: int
    figure: str
    best: float | None
    train_loss: float | None
    patches_per_second: float
    waiting: float
    seconds: float
    notes: tuple[str, ...] = ()


def train(
    archive: Path,
    request: TrainRequest,
    out: Path,
    *,
    device: str = "",
    pixels: str = "disk",
    cache: Path | None = None,
    tensorboard: bool = False,
    progress: Progress = silent,
) -> TrainSummary:
    """Train a model into a folder; the same call goes on where one was cut off.

    On a CPU with the same number of threads, a training that was killed and goes on ends in the
    same bits as one that was not.

    Args:
        archive: its folder.
        request: what is to be trained.
        out: the folder of the run.
        device: "cpu" or "cuda"; the GPU where there is one if empty.
        pixels: where they live meanwhile: "disk", "ram" or "device"; changes no result of one
            process. Several processes hold a share each on their devices, so that a patch always
            comes to the same one.
        cache: folder for features of frozen networks; that of the run if None.
        tensorboard: whether to write its event files too.
        progress: told patches a second, loss and figures.

    Raises:
        InputError: a part without patches, patches that are not there, a loss that is no number.
        MissingError: no such archive or split.
        ConflictError: the folder holds another run.
        MemoryShortError: not enough memory; says what to lower.
    """
    request = msgspec.structs.replace(request, options=all_options(request.model, request.options))
    with joined_processes(device) as processes, enough_memory(request.recipe):
        if not processes.first:
            setup = set_up(archive, request, processes, cache or out, pixels=pixels)
            return _train(setup, out, Journal(None))
        with writing(out):
            note = check_run(out, archive, request)
            setup = set_up(archive, request, processes, cache or out, progress, pixels)
            claim_run(out, note)
            return _train(setup, out, Journal(out, tensorboard=tensorboard), progress)


def _train(setup: Setup, out: Path, journal: Journal, progress: Progress = silent) -> TrainSummary:
    run = _Run(setup, out, State(setup.network, setup.optimiser), journal, progress)
    standing = run.state.restore(out)
    journal.begin(standing.epoch)
    while not standing.ended and standing.epoch < setup.recipe.epochs:
        standing = run.epoch(standing)
    if setup.processes.first:
        load_model(out)  # of a training that ended earlier it may be damaged since
    return run.summary(standing)


@dataclass(slots=True)
class _Run:
    """A training under way.

    Args:
        setup: what is trained on what.
        out: the folder; only the first process writes.
        state: saved and restored.
        journal: of its epochs.
        progress: of its steps.
    """

    setup: Setup
    out: Path
    state: State
    journal: Journal
    progress: Progress
    lines: list[Line] = field(default_factory=list)
    said: str = ""

    def epoch(self, standing: Standing) -> Standing:
        """Train one, look at validation, keep what is best, and save."""
        start = time.perf_counter()
        trained = train_epoch(self.setup, standing, self._saver(standing), self._teller(standing))
        number, recipe = standing.epoch + 1, self.setup.recipe
        asked = "validation" in self.setup.parts and (
            number % recipe.validate_every == 0 or number == recipe.epochs
        )
        figures = self._validate() if asked else None
        standing = self._judge(standing, figures)
        kept = standing.best_epoch == number
        if kept and self.setup.processes.first:
            contract = msgspec.structs.replace(self.setup.contract, epoch=number)
            write_checkpoint(self.out, self.setup.model, contract)
        line = Line(
            epoch=number,
            train_loss=trained.loss,
            train_f1=trained.f1,
            rate=trained.rate,
            patches_per_second=trained.patches / max(1e-9, trained.seconds),
            waiting=trained.waiting,
            seconds=trained.seconds,
            validation=figures,
            kept=kept,
        )
        self.lines.append(line)
        self.journal.write(line)
        spent = standing.seconds + time.perf_counter() - start
        ended = standing.ended or number == recipe.epochs
        standing = msgspec.structs.replace(
            standing, epoch=number, step=0, sums=(0.0, 0.0, 0.0), seconds=spent, ended=ended
        )
        if self.setup.processes.first:
            self.state.save(self.out, standing)
        return standing

    def _validate(self) -> dict[str, float]:
        positions = self.setup.parts["validation"]
        logits = predict_logits(self.setup, positions)
        hot = self.setup.targets(positions).cpu()
        loss = float(cross_entropy(logits, hot)) / len(positions)
        if not math.isfinite(loss):
            raise diverged("validation")
        counts = Counts.of_patches((logits >= 0).numpy(), hot.numpy())
        figures = {name: float(counts.of_each(figure).mean()) for name, figure in SAMPLE.items()}
        self.said = f", validation F1 {figures['f1']:.3f}"
        return {"loss": loss, **figures}

    def _judge(self, standing: Standing, figures: dict[str, float] | None) -> Standing:
        """Whether this epoch's weights are to be kept, and whether training is over."""
        recipe, number = self.setup.recipe, standing.epoch + 1
        if recipe.keep == "last" and not recipe.patience:
            return msgspec.structs.replace(standing, best_epoch=number)
        if figures is None:
            return standing
        value = figures[recipe.figure] * (-1 if recipe.figure == "loss" else 1)
        better = standing.best is None or value > standing.best
        since = 0 if better else standing.since_best + 1
        return msgspec.structs.replace(
            standing,
            best=value if better else standing.best,
            best_epoch=number if better or recipe.keep == "last" else standing.best_epoch,
            since_best=since,
            ended=bool(recipe.patience) and since >= recipe.patience,
        )

    def _teller(self, standing: Standing) -> Callable[[int, int, Figures], None]:
        begun, first, epochs = time.perf_counter(), standing.step, self.setup.recipe.epochs
        size, last = self.setup.recipe.batch_size, 0.0

        def tell(step: int, steps: int, figures: Figures) -> None:
            nonlocal last
            now = time.perf_counter()
            if now - last < BETWEEN_TELLS and step != steps:
                return  # to look at the sums is to wait for the GPU
            last = now
            loss, f1, patches = figures.sums.tolist()
            speed = (step - first) * size / (time.perf_counter() - begun)
            self.progress(
                f"epoch {standing.epoch + 1} of {epochs}, {speed:,.0f} patches/s, "
                f"loss {loss / max(1, patches):.4f}, F1 {f1 / max(1, patches):.3f}{self.said}",
                standing.epoch * steps + step,
                epochs * steps,
            )

        return tell

    def _saver(self, standing: Standing) -> Callable[[int, int, Figures], None]:
        last = time.monotonic()

        def save(step: int, steps: int, figures: Figures) -> None:
            nonlocal last
            if self.setup.processes.count > 1 or step == steps:
                return
            if time.monotonic() - last < 60 * self.setup.recipe.save_minutes:
                return
            last = time.monotonic()
            here = msgspec.structs.replace(standing, step=step, sums=tuple(figures.sums.tolist()))
            self.state.save(self.out, here)

        return save

    def summary(self, standing: Standing) -> TrainSummary:
        """What it came to."""
        recipe, trained = self.setup.recipe, sum(line.seconds for line in self.lines)
        patches = sum(line.seconds * line.patches_per_second for line in self.lines)
        chosen = recipe.keep == "best"
        sign = -1 if recipe.figure == "loss" else 1
        return TrainSummary(
            run=str(self.out),
            epochs=standing.epoch,
            kept_epoch=standing.best_epoch,
            figure=recipe.figure if chosen else "last",
            best=standing.best * sign if chosen and standing.best is not None else None,
            train_loss=self.lines[-1].train_loss if self.lines else None,
            patches_per_second=round(patches / trained, 1) if trained else 0.0,
            waiting=round(sum(x.waiting * x.seconds for x in self.lines) / (trained or 1), 4),
            seconds=round(standing.seconds, 1),
            notes=_notes(self.setup),
        )


def _notes(setup: Setup) -> tuple[str, ...]:
    notes = []
    if setup.absent:
        names = ", ".join(setup.absent[:5]) + (", …" if len(setup.absent) > 5 else "")
        notes.append(f"{len(setup.absent)} classes occur in no training patch: {names}.")
    if setup.contract.simulated:
        notes.append("The archive is simulated.")
    return tuple(notes)
