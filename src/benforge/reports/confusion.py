"""Which classes are given in place of one that is missed: a matrix, for the best method."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benforge.reports.folder import Folder
from benforge.reports.measured import LabelResults, Results
from benforge.reports.mistaken import Mistaken
from benforge.reports.part import Block, Section, draw
from benforge.reports.words import LABELS, Words
from benforge.statistics.sheet import MISSING, Sheet
from benforge.statistics.style import ON_LIGHT, PAGE, bare, new_figure

MOST = 15
"""Classes of the matrix."""
PARTNERS = 3
"""Classes that the table names of each."""
_SHADES = mpl.colormaps["Blues"].with_extremes(bad="#dde2e0")
_ABOUT = (
    "A patch has several labels, so no label is simply mistaken for another. Counted is, of the "
    "test patches in which a class is true and was missed, the share that was given another class "
    "which it does not have. Classes that were rightly given beside the missed one do not count. "
    "Shown is the method with the highest F1, by its first seed."
)


def confusion_section(folder: Folder, results: Results) -> Section:
    """What is given in place of what, a block a set of labels."""
    blocks = [_block(folder, found) for found in results.labels]
    return Section("confusion", "What is given in place of what", (_ABOUT,), blocks)


def _block(folder: Folder, found: LabelResults) -> Block:
    title, mistaken = LABELS.get(found.labels, found.labels), found.mistaken
    if mistaken is None:
        return Block(title, words=("No predictions yet.",))
    sheet = confusion_sheet(Words(folder.experiment), found.labels, mistaken)
    name = f"confusion-{found.labels}"
    many = min(MOST, len(mistaken.classes))
    if many < 2:
        return Block(title, sheets={name: sheet})
    caption = (
        f"The {many} most frequent classes of the test part; numbers are percent of the row's "
        "missed patches, whose number stands behind its name. Grey are the class itself, and rows "
        "of which none was missed."
    )
    shown = draw(
        f"figure-{name}", name, sheet.title, caption, lambda: draw_mistaken(sheet.title, mistaken)
    )
    return Block(title, figures=(shown,), sheets={name: sheet})


def confusion_sheet(words: Words, labels: str, mistaken: Mistaken) -> Sheet:
    """One row a class that occurs: how often it is missed, and what is given instead most."""
    table = pa.table(
        {
            "class": mistaken.classes,
            "patches": mistaken.true,
            "missed": mistaken.missed,
            "share_missed": mistaken.missed / mistaken.true,
            "given_instead_most_often": list(_partners(mistaken)),
        }
    )
    what = f"What {mistaken.title} gives in place of what it misses"
    note = "In brackets, the share of the missed patches that was given the class in error."
    return Sheet(words.title(what, labels), table, note)


def _partners(mistaken: Mistaken) -> Iterator[str]:
    for row in mistaken.shares:
        best = [i for i in np.argsort(-row, kind="stable")[:PARTNERS] if row[i] > 0]
        yield (
            "; ".join(
                f"{mistaken.classes[i]} ({100 * row[i]:.0f}\N{NO-BREAK SPACE}%)" for i in best
            )
            or MISSING
        )


def draw_mistaken(title: str, mistaken: Mistaken) -> Figure:
    """The matrix of the most frequent classes: rows are missed, columns are given in error."""
    many = min(MOST, len(mistaken.classes))
    shares = np.where(np.eye(many, dtype=bool), np.nan, mistaken.shares[:many, :many])
    shares[mistaken.missed[:many] == 0] = np.nan
    rows = [
        textwrap.fill(f"{i + 1}  {name} ({missed:,})", 44)
        for i, (name, missed) in enumerate(
            zip(mistaken.classes[:many], mistaken.missed[:many], strict=True)
        )
    ]
    lines = max(name.count("\n") + 1 for name in rows)
    figure = new_figure(title, PAGE, max(0.24, 0.12 * lines) * max(8, many) + 0.5)
    axes = figure.subplots()
    shades = axes.pcolormesh(shares, cmap=_SHADES, vmin=0, vmax=1, edgecolors="white", lw=0.3)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            text = axes.text(column + 0.5, row + 0.52, f"{100 * share:.0f}", size=5.6)
            text.set(ha="center", va="center", color="white" if share > 0.55 else ON_LIGHT)
    axes.set_yticks(np.arange(many) + 0.5, rows, size=6.4, linespacing=1)
    axes.set_xticks(np.arange(many) + 0.5, [str(i + 1) for i in range(many)], size=6.4)
    axes.set_xlabel("class given in error, by its number at the left")
    axes.set_ylim(many, 0)
    axes.tick_params(length=0)
    bare(axes, "left", "bottom")
    bar = figure.colorbar(shades, ax=axes, shrink=0.8, aspect=28, pad=0.015)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    bar.set_label("of the row's missed patches")
    return figure
