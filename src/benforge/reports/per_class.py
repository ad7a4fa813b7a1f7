"""How well each class is told, by every method."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benforge.evaluation.evaluate import ClassFigures
from benforge.reports.folder import Folder
from benforge.reports.look import legend, looks
from benforge.reports.measured import LabelResults, Measured, Results
from benforge.reports.part import Block, Section, draw
from benforge.reports.words import LABELS, Words, listed
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import PAGE, bare, new_figure

_ABOUT = (
    "F1 of a class is computed from its decisions at the threshold, average precision from its "
    "scores without one. Both are averaged over seeds. Of a class that few patches have they "
    "say little."
)
_F1, _AP = "F1 · ", "AP · "


def per_class_section(folder: Folder, results: Results) -> Section:
    """Class by class, a block a set of labels."""
    blocks = [_block(folder, found) for found in results.labels]
    return Section("per-class", "Class by class", (_ABOUT,), blocks)


def _block(folder: Folder, found: LabelResults) -> Block:
    title = LABELS.get(found.labels, found.labels)
    if not found.all:
        return Block(title, words=("No predictions yet.",))
    sheet = per_class_sheet(folder, found)
    name = f"per-class-{found.labels}"
    shown = draw(
        f"figure-{name}",
        name,
        sheet.title,
        "Classes that occur in the test part, most frequent on top, with their patches in it.",
        lambda: draw_classes(sheet, [one.title for one in found.all]),
    )
    words = tuple(_absent(sheet))
    return Block(title, words=words, figures=(shown,), sheets={name: sheet})


def per_class_sheet(folder: Folder, found: LabelResults) -> Sheet:
    """One row a class, in the order of the nomenclature: its patches, F1 and AP of each method."""
    rows = found.all[0].evaluations[0].per_class
    facts = folder.material.split
    counts = facts.classes.get(found.labels, {}) if facts else {}
    train = [counts[row.name].train if row.name in counts else None for row in rows]
    columns: dict[str, Any] = {
        "class": [row.name for row in rows],
        "training_patches": pa.array(train, pa.int64()),
        "test_patches": [row.positives for row in rows],
    }
    for one in found.all:
        columns[_F1 + one.title] = [_mean(one, i, "f1") for i in range(len(rows))]
    for one in found.all:
        values = [_mean(one, i, "average_precision") for i in range(len(rows))]
        columns[_AP + one.title] = pa.array(values, pa.float64())
    note = (
        "AP is average precision; a class that no test patch has has none, and its F1 is 0 by "
        "convention."
    )
    decimals = {name: 3 for name in columns if name.startswith((_F1, _AP))}
    title = Words(folder.experiment).title("Class by class", found.labels)
    return Sheet(title, pa.table(columns), note, decimals=decimals)


def _mean(one: Measured, place: int, figure: str) -> float | None:
    rows: list[ClassFigures] = [evaluation.per_class[place] for evaluation in one.evaluations]
    values = [getattr(row, figure) for row in rows]
    return None if None in values else fmean(values)


def _absent(sheet: Sheet) -> list[str]:
    """Classes that training or test lack, in words."""
    rows, words = sheet.table.to_pylist(), []
    untrained = [row["class"] for row in rows if row["training_patches"] == 0]
    untested = [row["class"] for row in rows if row["test_patches"] == 0]
    if any(row["training_patches"] is None for row in rows):
        words.append("How many training patches have each class is not written yet.")
    for names, where in ((untrained, "training"), (untested, "test")):
        if names:
            words.append(f"In no {where} patch ({len(names)} of {len(rows)}): {listed(names)}.")
    if not untrained and not untested:
        words.append("Every class occurs in training and in test.")
    return words


def draw_classes(sheet: Sheet, titles: Sequence[str]) -> Figure:
    """F1 left and average precision right, a row a class that occurs, a mark a method."""
    rows = [row for row in sheet.table.to_pylist() if row["test_patches"]]
    rows.sort(key=lambda row: -row["test_patches"])
    names = [textwrap.fill(f"{row['class']} ({row['test_patches']:,})", 50) for row in rows]
    row = 0.215 if any("\n" in name for name in names) else 0.17
    methods = looks(titles)
    figure = new_figure(sheet.title, PAGE, row * max(4, len(rows)) + 0.8)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, prefix, label in ((left, _F1, "F1"), (right, _AP, "average precision")):
        for place, look in enumerate(methods):
            shift = 0.09 * (place - (len(methods) - 1) / 2)
            at = [i + shift for i in range(len(rows))]
            values = [row[prefix + look.title] for row in rows]
            axes.scatter(values, at, s=11, c=look.color, marker=look.mark, linewidths=0, zorder=3)
        _rule(axes, len(rows), label)
    left.set_yticks(range(len(rows)), names, size=6.4, linespacing=0.95)
    left.set_ylim(len(rows) - 0.4, -0.6)
    legend(figure, methods, lines=False, columns=3)
    return figure


def _rule(axes: Axes, rows: int, label: str) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(label)
    axes.grid(True)
    axes.tick_params(axis="y", length=0)
    bare(axes, "left")
