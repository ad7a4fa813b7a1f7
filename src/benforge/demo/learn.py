"""The last step of the demo: the three methods of the paper, trained on its small archives."""

from __future__ import annotations

from pathlib import Path

from benforge.archive.archive import Archive
from benforge.archive.layout import SPLITS
from benforge.archive.sidecars import sidecar_names, write_split
from benforge.core.progress import Progress, silent
from benforge.experiments.paper import plan_paper, run_experiment
from benforge.reports.report import write_report
from benforge.splits.make import make_split
from benforge.training.recipe import TrainRecipe

SPLIT, LABELS = "paper-random", "19"
RESAMPLES = 1_000


def learn(archive: Path, out: Path, epochs: int, batch: int, progress: Progress = silent) -> Path:
    """Split an archive at random, train on it, and write `<out>.html`; what is there is kept.

    Args:
        archive: its folder.
        out: folder of the experiment.
        epochs: of each training; far too few to compare with the paper.
        batch: patches a step.
        progress: told what is done.

    Returns:
        The page.
    """
    if SPLIT not in sidecar_names(archive, SPLITS):
        write_split(archive, make_split(Archive.open(archive).index, SPLIT, seed=1))
    recipe = TrainRecipe(epochs=epochs, batch_size=batch)
    plan = plan_paper(archive, SPLIT, labels=[LABELS], seeds=1, recipe=recipe)
    run_experiment(archive, plan, out, device="cpu", progress=progress)
    page = out.with_suffix(".html")
    write_report(out, page, resamples=RESAMPLES, progress=progress)
    return page
