"""How every figure looks: one type size, few lines, colours that the colour-blind tell apart."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

COLUMN, PAGE = 3.5, 7.0
"""Widths of figures, inches: one column of a paper, and both."""
DPI = 200

INK, SOFT, LINE = "#1b2421", "#5b6762", "#d5dbd8"
"""Colours of text, of what stands back, and of rules; a page may replace them in an SVG."""
ON_LIGHT = "#1b2422"
"""Text on a light ground of its own, which stays dark where a page has a dark ground."""
BLUE = "#0072b2"
SEASON_COLORS: Mapping[str, str] = {
    "winter": "#56b4e9",
    "spring": "#009e73",
    "summer": "#e69f00",
    "autumn": "#d55e00",
}
"""Of Okabe and Ito's palette, as those of the pixel sizes."""
SIZE_COLORS = ("#0072b2", "#e69f00", "#cc79a7", "#009e73")

HEAD, HEAD_LINE = 0.44, 0.13
"""Inches above the axes, for the title with one line below it, and for each further line."""

STYLE: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.handlelength": 1.2,
    "legend.handleheight": 0.9,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "text.hinting": "none",
    "svg.hashsalt": "benforge",
    "svg.fonttype": "path",
}


def styled() -> Any:
    """A context in which figures are drawn and written: ours, not that of the user's settings."""
    return mpl.rc_context({**mpl.rcParamsDefault, **STYLE, "backend": mpl.rcParams["backend"]})


def new_figure(title: str, width: float, height: float, *, layout: bool = True) -> Figure:
    """A figure with its title over it: what is shown, and below, of what.

    Args:
        title: the two, with " · " between them.
        width: inches.
        height: inches below the title.
        layout: whether axes are laid out by themselves.
    """
    what, _, of = title.partition(" · ")
    lines = wrap_to(of, width - 0.08, 7.5)
    total = height + HEAD + HEAD_LINE * (len(lines) - 1)
    figure = Figure(figsize=(width, total), dpi=DPI)
    if layout:
        figure.set_layout_engine("constrained", rect=(0, 0, 1, height / total))
    left = 0.04 / width
    figure.text(left, 1 - 0.05 / total, what, va="top", weight="bold", size=9)
    text = "\n".join(lines)
    figure.text(left, 1 - 0.23 / total, text, va="top", color=SOFT, size=7.5, linespacing=1.1)
    return figure


def wrap_to(text: str, width: float, size: float) -> list[str]:
    """The text in lines that are no wider than so many inches, in letters of this size."""
    lines = [text]
    for letters in range(len(text), 0, -1):
        lines = textwrap.wrap(text, letters)
        if all(_width(line, size) <= width * 72 for line in lines):
            break
    return lines or [text]


@lru_cache(maxsize=256)
def _width(line: str, size: float) -> float:
    """Of a line, in points; kept, as one wrapping asks about the same lines again and again."""
    return float(TextPath((0, 0), line, size).get_extents().width)


def bare(axes: Axes, *sides: str) -> None:
    """Take away the spines of these sides, and the ticks that stand on them."""
    for side in sides:
        axes.spines[side].set_visible(False)
        ticks: dict[str, Any] = {side: False}
        axes.tick_params(**ticks)


def lay_out(figure: Figure) -> None:
    """Find the places of axes and texts once, for every format that the figure is written in."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def as_png(figure: Figure) -> bytes:
    """The figure on white, 200 dpi; the same figure gives the same bytes."""
    return _saved(figure, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})


def as_svg(figure: Figure) -> str:
    """The figure as SVG without a ground, text as outlines; the same figure gives the same text."""
    metadata = {"Date": None, "Creator": None}
    return _saved(figure, format="svg", dpi=DPI, metadata=metadata, transparent=True).decode()


def on_white(svg: str) -> bytes:
    """A file of an SVG that `as_svg` made, with a white ground as paper has."""
    head, tag, body = svg.partition("<svg ")
    attributes, close, rest = body.partition(">")
    ground = '\n <rect width="100%" height="100%" fill="#ffffff"/>'
    return f"{head}{tag}{attributes}{close}{ground}{rest}".encode()


def _saved(figure: Figure, **options: Any) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, **options)
    return sink.getvalue()


def rgb(color: Sequence[int]) -> tuple[float, float, float]:
    """A class's colour, 0 to 255, as matplotlib takes it."""
    red, green, blue = (value / 255 for value in color)
    return red, green, blue
