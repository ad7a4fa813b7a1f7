"""How well scores order the classes of a patch, whatever the threshold."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Targets = npt.NDArray[np.bool_]


class Ranking(msgspec.Struct, frozen=True):
    """Means over patches of how well their classes are ordered; each is 0 to 1 but coverage.

    Args:
        one_error: share of patches whose highest score is not one of their labels; classes that
            tie for the highest count by parts, a patch without labels counts as an error.
        coverage: how many classes must be taken, highest score first and ties together, until a
            patch's labels are all among them; 0 for a patch without labels (scikit-learn's
            `coverage_error`).
        ranking_loss: share of pairs of a label and another class where the other scores as high
            or higher; 0 for a patch without labels, or with all (`label_ranking_loss`).
        lrap: mean over a patch's labels of the share of labels among the classes that score as
            high or higher; 1 for a patch without labels, or with all
            (`label_ranking_average_precision_score`).

    Source: Tsoumakas, Katakis and Vlahavas, Mining Multi-label Data, 2010.
    """

    one_error: float
    coverage: float
    ranking_loss: float
    lrap: float


def rank(scores: Scores, targets: Targets) -> Ranking:
    """The figures of a whole set of arrays `patch label`."""
    patch, ranks, true_ranks = _ranks(scores, targets)
    true = targets.sum(1)
    pairs = true * (targets.shape[1] - true)
    coverage = np.zeros(len(targets), np.int64)
    np.maximum.at(coverage, patch, ranks)
    wrong = np.bincount(patch, ranks - true_ranks, len(targets))
    precise = np.bincount(patch, true_ranks / np.maximum(ranks, 1), len(targets))
    return Ranking(
        one_error=_one_error(scores, targets),
        coverage=float(coverage.mean()),
        ranking_loss=float(np.where(pairs > 0, wrong / np.maximum(pairs, 1), 0).mean()),
        lrap=float(np.where(pairs > 0, precise / np.maximum(true, 1), 1).mean()),
    )


def _ranks(scores: Scores, targets: Targets) -> tuple[npt.NDArray[np.int64], ...]:
    """Of every label its patch, and how many classes, and labels, score as high or higher."""
    patch, label = np.nonzero(targets)
    ranks, true_ranks = np.empty_like(patch), np.empty_like(patch)
    step = max(1, 2**24 // targets.shape[1])
    for start in range(0, len(patch), step):
        part = slice(start, start + step)
        as_high = scores[patch[part]] >= scores[patch[part], label[part]][:, None]
        ranks[part] = as_high.sum(1)
        true_ranks[part] = (as_high & targets[patch[part]]).sum(1)
    return patch, ranks, true_ranks


def _one_error(scores: Scores, targets: Targets) -> float:
    highest = scores == scores.max(1, keepdims=True)
    return float(1 - ((highest & targets).sum(1) / highest.sum(1)).mean())
