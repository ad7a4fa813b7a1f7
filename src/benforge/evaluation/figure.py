"""Precision, recall and F by name: the formulas, and how they are averaged.

Of counted decisions: `hits` are predicted and true, `predicted` and `true` count either. A figure
whose denominator is 0 is 0, as in the authors' code: precision where nothing is predicted, recall
where nothing is true, F where both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.errors import InputError

Numbers = npt.NDArray[Any]
Formula = Callable[[Numbers, Numbers, Numbers], npt.NDArray[np.float64]]

AVERAGES = ("sample", "micro", "macro", "weighted")
"""`sample`: mean over patches, the paper's. `micro`: of all decisions together. `macro`: mean over
all classes, those that never occur among them. `weighted`: over classes, by their patches."""


def ratio(part: Numbers, whole: Numbers) -> npt.NDArray[np.float64]:
    """`part / whole` in float64, 0 where `whole` is 0."""
    out = np.zeros(np.broadcast_shapes(np.shape(part), np.shape(whole)))
    return np.divide(part, whole, out=out, where=np.asarray(whole) > 0)


def _f(beta: float) -> Formula:
    square = beta * beta
    return lambda hits, predicted, true: ratio((1 + square) * hits, square * true + predicted)


FORMULAS: Mapping[str, Formula] = {
    "precision": lambda hits, predicted, true: ratio(hits, predicted),
    "recall": lambda hits, predicted, true: ratio(hits, true),
    "f1": _f(1.0),
    "f2": _f(2.0),
    "f0.5": _f(0.5),
}
"""Name to formula of hits, predicted and true. F of beta weighs recall beta times as much as
precision: `(1 + beta^2) hits / (beta^2 true + predicted)` (van Rijsbergen 1979)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One way to measure, "sample-f1".

    Args:
        average: one of `AVERAGES`.
        name: one of `FORMULAS`.

    Raises:
        InputError: another average or name.
    """

    average: str
    name: str

    def __post_init__(self) -> None:
        if self.average not in AVERAGES or self.name not in FORMULAS:
            names = ", ".join(FORMULAS)
            raise InputError(
                f"no figure is called {str(self)!r}",
                do=f"Name one of {names}; before it micro-, macro- or weighted-, else of samples",
            )

    def __str__(self) -> str:
        return f"{self.average}-{self.name}"

    @classmethod
    def parse(cls, text: str) -> Figure:
        """Read "micro-f1"; "f1" alone is the paper's, "sample-f1".

        Raises:
            InputError: there is no such figure; names those there are.
        """
        average, dash, name = text.rpartition("-")
        return cls(average if dash else "sample", name)

    def of_each(self, hits: Numbers, predicted: Numbers, true: Numbers) -> npt.NDArray[np.float64]:
        """The figure of every patch or class by itself, in the shape of the counts."""
        return FORMULAS[self.name](hits, predicted, true)

    def over_classes(
        self, hits: Numbers, predicted: Numbers, true: Numbers
    ) -> npt.NDArray[np.float64]:
        """The figure of counts `… label`, averaged over labels; not for `sample`."""
        if self.average == "micro":
            return self.of_each(hits.sum(-1), predicted.sum(-1), true.sum(-1))
        each = self.of_each(hits, predicted, true)
        if self.average == "macro":
            return np.asarray(each.mean(-1))
        return ratio((each * true).sum(-1), true.sum(-1))
