"""A table as bars: ours, peers and floors told apart, on a logarithmic scale where they are far."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matplotlib import rc_context
from matplotlib.axes import Axes

from benchmarks.tables import Table
from benforge.statistics.style import (
    BLUE,
    INK,
    PAGE,
    SIZE_COLORS,
    SOFT,
    as_svg,
    bare,
    new_figure,
    on_white,
    styled,
)

OURS = re.compile(r"benforge|\bben |matrices|nearest|the same")
FLOOR = re.compile(r"floor|copy in memory|alone|doing nothing|read once")
PEER = "#e69f00"
"""Of Okabe and Ito's palette, as the blue."""
FAR = 20
"""The largest over the smallest, from which on the scale is logarithmic."""
ROW, MARGIN = 0.17, 0.5
"""Inches of a bar, and of what stands over and below them."""


def draw(table: Table) -> Iterator[bytes]:
    """An SVG for each chart of a table; none where it holds no numbers."""
    for columns in table.drawn():
        yield _chart(table, columns)


def color_of(label: str) -> str:
    """Of the bar: ours, a floor, or a peer."""
    if FLOOR.search(label):
        return SOFT
    return BLUE if OURS.search(label) else PEER


def _chart(table: Table, columns: tuple[str, ...]) -> bytes:
    labels, count = table.labels(), len(columns)
    values = [table.numbers(column) or [] for column in columns]
    height = MARGIN + ROW * len(labels) * count
    with styled(), rc_context({"svg.fonttype": "none"}):  # outlines would be ten times the size
        figure = new_figure(f"{table.title} · {', '.join(columns)}", PAGE, height)
        axes = figure.add_subplot()
        for number, (column, found) in enumerate(zip(columns, values, strict=True)):
            thick = 0.8 / count
            places = [row + (number - (count - 1) / 2) * thick for row in range(len(labels))]
            ratios = table.heads[0] == "ratio" or OURS.search(table.heads[0])
            colors = [BLUE if ratios else color_of(label) for label in labels]
            one = None if count == 1 else SOFT if FLOOR.search(column) else SIZE_COLORS[number]
            bars = axes.barh(places, found, thick, color=one or colors, label=column)
            axes.bar_label(bars, [_short(x) for x in found], padding=2, fontsize=6.5, color=INK)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        _scale(axes, [x for found in values for x in found])
        bare(axes, "left")
        if count > 1:
            axes.legend(loc="lower right")
        return on_white(as_svg(figure))


def _scale(axes: Axes, values: list[float]) -> None:
    least, most = min(values), max(values)
    if least > 0 and most / least > FAR:
        axes.set_xscale("log")
        axes.set_xlim(least / 2, most * 2.5)
        axes.set_xlabel("logarithmic scale")
    else:
        axes.set_xlim(min(0, least * 1.15), most * 1.12 or 1)
    axes.grid(axis="x")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
