"""How methods look in every figure: colour, mark and kind of line, told apart without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

COLORS = ("#e69f00", "#0072b2", "#009e73", "#cc79a7", "#999999", "#d55e00")
MARKS = ("s", "o", "^", "D", "v", "P")
DASHES = ("--", "-", "-.", ":", (0, (5, 1)), (0, (1, 1)))


@dataclass(frozen=True, slots=True)
class Look:
    """How one method is drawn.

    Args:
        title: of the method.
        color: of Okabe and Ito's palette.
        mark: matplotlib's.
        dash: of lines.
    """

    title: str
    color: str
    mark: str
    dash: object


def looks(titles: Sequence[str]) -> list[Look]:
    """One look a title, in their order."""
    kinds = zip(cycle(COLORS), cycle(MARKS), cycle(DASHES), strict=True)
    return [Look(title, *kind) for title, kind in zip(titles, kinds, strict=False)]


def legend(figure: Figure, of: Sequence[Look], *, lines: bool, columns: int) -> None:
    """Name the looks under a figure.

    Args:
        figure: with constrained layout.
        of: what is in it.
        lines: whether lines are drawn, else marks.
        columns: names side by side.
    """
    handles = [
        Line2D(
            [],
            [],
            color=look.color,
            label=look.title,
            marker="" if lines else look.mark,
            markersize=4,
            linestyle=look.dash if lines else "",
        )
        for look in of
    ]
    length = 2.8 if lines else 1.2
    found = figure.legend(
        handles=handles, loc="outside lower left", ncols=columns, handlelength=length
    )
    for line in found.get_lines():
        line.set_linewidth(1.2)
