"""Whether scores are probabilities: reliability diagrams and calibration errors."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from statistics import fmean

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benforge.evaluation.calibration import Bin
from benforge.reports.folder import Folder
from benforge.reports.look import looks
from benforge.reports.measured import LabelResults, Measured, Results
from benforge.reports.part import Block, Section, draw
from benforge.reports.words import LABELS, Words
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import PAGE, SOFT, new_figure

_ABOUT = (
    "Of decisions that are scored 0.8, four in five should be true: then the scores are "
    "probabilities, and lie on the diagonal. The expected calibration error is the mean distance "
    "from it, weighted by decisions; most of these are easy “no”s, so it looks small where there "
    "are many classes. It is averaged over seeds."
)


def calibration_section(folder: Folder, results: Results) -> Section:
    """Reliability of scores, a block a set of labels."""
    blocks = [_block(folder, found) for found in results.labels]
    return Section("calibration", "Are scores probabilities?", (_ABOUT,), blocks)


def _block(folder: Folder, found: LabelResults) -> Block:
    title = LABELS.get(found.labels, found.labels)
    if not found.all:
        return Block(title, words=("No predictions yet.",))
    words = Words(folder.experiment)
    sheet = calibration_sheet(words, found)
    name = f"calibration-{found.labels}"
    heading = words.title("Reliability of scores", found.labels)
    caption = (
        "Decisions, pairs of a patch and a class, in ten bins of their score: the mean score of a "
        "bin and the share of it that is true. One line a seed."
    )
    shown = draw(
        f"figure-{name}", name, heading, caption, lambda: draw_reliability(heading, found.all)
    )
    return Block(title, figures=(shown,), sheets={name: sheet})


def calibration_sheet(words: Words, found: LabelResults) -> Sheet:
    """One row a method: expected calibration error and Brier score."""
    errors = [one.values(lambda e: e.calibration.expected_error) for one in found.all]
    briers = [one.values(lambda e: e.calibration.brier) for one in found.all]
    table = pa.table(
        {
            "method": [one.title for one in found.all],
            "calibration_error": [fmean(values) for values in errors],
            "lowest_seed": [min(values) for values in errors],
            "highest_seed": [max(values) for values in errors],
            "Brier_score": [fmean(values) for values in briers],
            "seeds": [len(values) for values in errors],
        }
    )
    names = ("calibration_error", "lowest_seed", "highest_seed", "Brier_score")
    title = words.title("Calibration", found.labels)
    note = "Expected calibration error over ten bins of equal width; both are 0 at best."
    return Sheet(title, table, note, decimals=dict.fromkeys(names, 4))


def draw_reliability(title: str, methods: Sequence[Measured]) -> Figure:
    """A panel a method."""
    found = looks([one.title for one in methods])
    figure = new_figure(title, PAGE, 2.0)
    panels = figure.subplots(1, len(methods), sharey=True, squeeze=False)[0]
    for axes, one, look in zip(panels, methods, found, strict=True):
        _frame(axes)
        for evaluation in one.evaluations:
            x, y = _points(evaluation.calibration.bins)
            style = {"color": look.color, "marker": look.mark, "markersize": 2.6}
            axes.plot(x, y, linewidth=0.9, **style)
        axes.set_title(textwrap.fill(one.title, 20), size=6.6, loc="left", linespacing=1.05)
    panels[0].set_ylabel("share that is true")
    panels[len(panels) // 2].set_xlabel("mean score of the bin")
    return figure


def _frame(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.6, linestyle=":")
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_box_aspect(1)
    axes.grid(True)


def _points(bins: Sequence[Bin]) -> tuple[list[float], list[float]]:
    known = [
        (b.mean_score, b.true) for b in bins if b.mean_score is not None and b.true is not None
    ]
    return [x for x, _ in known], [y for _, y in known]
