"""How methods learned: losses and validation F1 by epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benforge.reports.folder import Folder, Run
from benforge.reports.look import legend, looks
from benforge.reports.part import Block, Section, draw
from benforge.reports.words import LABELS, Words
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import PAGE, new_figure
from benforge.training.journal import Line

_ABOUT = (
    "One line a seed. The training loss is the mean of an epoch, while weights changed and with "
    "dropout, so it may lie above the validation loss. F1 of samples on the validation part, which "
    "is not evaluated elsewhere, chooses the epoch whose weights are kept where the recipe says "
    "“best”."
)
_PANELS: tuple[tuple[str, Callable[[Line], float | None]], ...] = (
    ("training loss", lambda line: line.train_loss),
    ("validation loss", lambda line: (line.validation or {}).get("loss")),
    ("validation F1", lambda line: (line.validation or {}).get("f1")),
)


def curves_section(folder: Folder) -> Section:
    """Learning curves, a block a set of labels."""
    blocks = [_block(folder, labels) for labels in folder.experiment.labels]
    return Section("curves", "Learning curves", (_ABOUT,), blocks)


def _block(folder: Folder, labels: str) -> Block:
    title = LABELS.get(labels, labels)
    runs = [run for run in folder.runs_of(labels) if run.lines]
    if not runs:
        return Block(title, words=("No epoch is trained yet.",))
    sheet = curves_sheet(Words(folder.experiment), labels, runs)
    name = f"curves-{labels}"
    caption = "By epoch; colour and kind of line tell methods apart."
    heading = sheet.title.replace("Where learning ended", "Learning curves")
    shown = draw(f"figure-{name}", name, heading, caption, lambda: draw_curves(heading, runs))
    return Block(title, figures=(shown,), sheets={name: sheet})


def curves_sheet(words: Words, labels: str, runs: Sequence[Run]) -> Sheet:
    """One row a training: its last epoch, and the one whose weights were kept."""
    ends = [run.lines[-1] for run in runs]
    kept = [next((x for x in reversed(run.lines) if x.kept), None) for run in runs]
    table = pa.table(
        {
            "method": [run.title for run in runs],
            "seed": [run.planned.seed for run in runs],
            "epochs": [line.epoch for line in ends],
            "training_loss": [line.train_loss for line in ends],
            "validation_loss": pa.array([_PANELS[1][1](line) for line in ends], pa.float64()),
            "validation_F1": pa.array([_PANELS[2][1](line) for line in ends], pa.float64()),
            "epoch_kept": pa.array([x.epoch if x else None for x in kept], pa.int64()),
            "its_validation_F1": pa.array(
                [_PANELS[2][1](x) if x else None for x in kept], pa.float64()
            ),
        }
    )
    names = ("training_loss", "validation_loss", "validation_F1", "its_validation_F1")
    title = words.title("Where learning ended", labels)
    note = "Losses and F1 are of the last epoch, but for the last column, which is of the one kept."
    return Sheet(title, table, note, decimals=dict.fromkeys(names, 4))


def draw_curves(title: str, runs: Sequence[Run]) -> Figure:
    """Three panels: training loss, validation loss, validation F1."""
    methods = looks(list(dict.fromkeys(run.title for run in runs)))
    by_title = {look.title: look for look in methods}
    figure = new_figure(title, PAGE, 2.35)
    for axes, (label, get) in zip(figure.subplots(1, 3), _PANELS, strict=True):
        for run in runs:
            points = [(line.epoch, value) for line in run.lines if (value := get(line)) is not None]
            look = by_title[run.title]
            style = {"color": look.color, "linestyle": look.dash, "linewidth": 0.9}
            few = {"marker": look.mark, "markersize": 2.2} if len(points) < 4 else {}
            axes.plot(*zip(*points, strict=True) if points else ([], []), **style, **few)
        axes.set_title(label, size=7.5, loc="left")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.grid(True)
    legend(figure, methods, lines=True, columns=4)
    return figure
