"""How things are called on the page: titles that say what is simulated, numbers, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benforge.evaluation.comparison import Interval
from benforge.experiments.plan import Experiment
from benforge.statistics.sheet import MISSING

LABELS: Mapping[str, str] = {
    "43": "43 classes of CLC level 3",
    "19": "the 19 classes of BigEarthNet-19",
    "level2": "classes of CLC level 2",
    "level1": "classes of CLC level 1",
}
"""A set of labels in words."""

NAMES: Mapping[str, str] = {"precision": "P (%)", "recall": "R (%)", "f1": "F1", "f2": "F2"}
"""Figures of samples as the paper's Table 4 heads them."""

UNITS: Mapping[str, str] = {"tiles": "whole tiles", "patches": "patches"}


@dataclass(frozen=True, slots=True)
class Words:
    """Titles of one experiment.

    Args:
        experiment: that is told of.
    """

    experiment: Experiment

    @property
    def archive(self) -> str:
        """The archive; says so where it is simulated."""
        kind = "Simulated archive" if self.experiment.simulated else "Archive"
        return f"{kind} {self.experiment.archive}"

    def title(self, what: str, labels: str = "") -> str:
        """Of a table or figure: what is shown, and of what.

        Args:
            what: is shown.
            labels: the set of labels; left out where all or none is meant.
        """
        of = [self.archive, f"split {self.experiment.split}", LABELS.get(labels, labels)]
        return f"{what} · {', '.join(part for part in of if part)}"


def percent(value: float) -> str:
    """A share of 1 as the paper prints precision and recall: 69.93."""
    return f"{100 * value:.2f}"


def figure_text(name: str, value: float, *, sign: bool = False) -> str:
    """A figure of samples as the paper prints it: 69.93 or 0.7098.

    Args:
        name: "precision", "recall", "f1" or "f2".
        value: a share of 1.
        sign: whether to show + too.
    """
    shown = f"{value * 100:+.2f}" if name in ("precision", "recall") else f"{value:+.4f}"
    return (shown if sign else shown.removeprefix("+")).replace("-", "−")


def range_text(name: str, ends: Interval) -> str:
    """Two figures: 66.10 to 71.52."""
    return " to ".join(figure_text(name, end) for end in ends)


def signed_range(ends: Interval) -> str:
    """Two differences of F1: +0.0123 to +0.0456."""
    return " to ".join(figure_text("f1", end, sign=True) for end in ends)


def p_text(p: float | None) -> str:
    """A p value: 0.034, 0.0001, 2e-16."""
    if p is None:
        return MISSING
    return f"{p:.0e}" if p < 0.00005 else f"{p:.4f}".rstrip("0").rstrip(".")


def listed(names: Sequence[str], most: int = 60) -> str:
    """Names in a row, the first of many; names hold commas, so semicolons part them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return "; ".join(names[:most]) + more


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something: 1 seed, 2 seeds, 12,345 patches."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
