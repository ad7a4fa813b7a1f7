"""Decisions counted, by patch or by class: all that precision, recall and F need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.evaluation.figure import Figure

Decisions = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many labels were predicted rightly, predicted, and true.

    Args:
        hits: int64, one a patch or one a class.
        predicted: likewise.
        true: likewise.
    """

    hits: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    true: npt.NDArray[np.int64]

    @classmethod
    def of_patches(cls, predicted: Decisions, targets: Decisions) -> Counts:
        """One count a patch, of arrays `patch label`."""
        return cls(*(part.sum(1) for part in (predicted & targets, predicted, targets)))

    @classmethod
    def of_classes(cls, predicted: Decisions, targets: Decisions) -> Counts:
        """One count a class, of arrays `patch label`."""
        return cls(*(part.sum(0) for part in (predicted & targets, predicted, targets)))

    def of_each(self, figure: Figure) -> npt.NDArray[np.float64]:
        """The figure of every patch or class."""
        return figure.of_each(self.hits, self.predicted, self.true)


def measure(figure: Figure, patches: Counts, classes: Counts) -> float:
    """One figure of a whole set, in float64.

    Args:
        figure: which.
        patches: the decisions counted by patch.
        classes: the same decisions counted by class.
    """
    if figure.average == "sample":
        return float(patches.of_each(figure).mean())
    return float(figure.over_classes(classes.hits, classes.predicted, classes.true))
