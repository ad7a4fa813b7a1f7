"""Average precision: the area under precision over recall, without a threshold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Targets = npt.NDArray[np.bool_]


def average_precision(scores: Scores, targets: Targets) -> float | None:
    """The sum over thresholds of precision times the recall gained; None without positives.

    Equal scores are taken together, nothing is interpolated: scikit-learn's
    `average_precision_score`, which gives 0 where this gives None.

    Args:
        scores: of one class or of all, any shape.
        targets: of the same shape.
    """
    scores, targets = scores.ravel(), targets.ravel()
    positives = int(targets.sum())
    if not positives:
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = targets[order].cumsum()[last]
    return float((np.diff(hits, prepend=0) * (hits / (last + 1))).sum() / positives)


def class_average_precisions(scores: Scores, targets: Targets) -> tuple[float | None, ...]:
    """Of each class of arrays `patch label`; None for a class that no patch has."""
    columns = zip(scores.T, targets.T, strict=True)
    return tuple(average_precision(score, target) for score, target in columns)


def mean_average_precision(each: tuple[float | None, ...]) -> float | None:
    """The mean over the classes that occur; None if none does."""
    known = [value for value in each if value is not None]
    return float(np.mean(known)) if known else None
