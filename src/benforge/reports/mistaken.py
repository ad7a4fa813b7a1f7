"""What is predicted in error where a class that is there is missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.core.predictions import Predictions
from benforge.evaluation.figure import ratio
from benforge.evaluation.threshold import Threshold


@dataclass(frozen=True, slots=True, eq=False)
class Mistaken:
    """One method's misses; classes that occur, most frequent first.

    Args:
        title: of the method.
        seed: of its training.
        classes: names.
        true: patches that have each class.
        missed: of these, patches that were not given it.
        instead: `class class`, of the missed ones those that were given the column's class, which
            they do not have.
    """

    title: str
    seed: int
    classes: tuple[str, ...]
    true: npt.NDArray[np.int64]
    missed: npt.NDArray[np.int64]
    instead: npt.NDArray[np.int64]

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """`class class`, of the missed ones; 0 where none is missed."""
        return ratio(self.instead, self.missed[:, None])


def count_mistaken(told: Predictions, title: str, seed: int) -> Mistaken:
    """Count what is predicted in error where each class is missed.

    A class that is rightly predicted beside the missed one counts for nothing.
    """
    decided = Threshold.of(told).decide(told.scores)
    missed, wrong = told.targets & ~decided, decided & ~told.targets
    true = told.targets.sum(0)
    order = np.array([i for i in np.argsort(-true, kind="stable") if true[i]], np.int64)
    instead = missed.astype(np.int64).T @ wrong.astype(np.int64)
    return Mistaken(
        title=title,
        seed=seed,
        classes=tuple(told.classes[i] for i in order),
        true=true[order],
        missed=missed.sum(0)[order],
        instead=instead[np.ix_(order, order)],
    )
