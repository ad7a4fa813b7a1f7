"""Whether scores are probabilities: of what scores 0.8, four in five should be true."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

BINS = 10


class Bin(msgspec.Struct, frozen=True):
    """The decisions whose score lies in `[low, high)`; the last bin holds 1 too.

    Args:
        low: its lower edge.
        high: its upper edge.
        decisions: pairs of a patch and a class.
        mean_score: None where there is no decision.
        true: share that is true; None where there is no decision.
    """

    low: float
    high: float
    decisions: int
    mean_score: float | None
    true: float | None


class Calibration(msgspec.Struct, frozen=True):
    """How far scores are from the shares that are true, over all decisions together.

    Args:
        expected_error: mean over bins of equal width of the distance between mean score and
            share that is true, weighted by decisions (Naeini, Cooper and Hauskrecht 2015).
        brier: mean of the squared distance between score and truth (Brier 1950).
        bins: the reliability table.
    """

    expected_error: float
    brier: float
    bins: tuple[Bin, ...]


def calibrate(
    scores: npt.NDArray[np.float32], targets: npt.NDArray[np.bool_], bins: int = BINS
) -> Calibration:
    """Hold the scores of a whole set, arrays `patch label`, to the labels.

    Most decisions are easy "no"s with a score near 0, so the expected error of many classes looks
    small; the table shows the rest.
    """
    flat, true = scores.ravel(), targets.ravel()
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1].astype(np.float32), flat, side="right")
    number = np.bincount(place, minlength=bins)
    score_sums = np.bincount(place, flat, bins)
    true_sums = np.bincount(place, true, bins)
    return Calibration(
        expected_error=float(np.abs(score_sums - true_sums).sum() / len(flat)),
        brier=float(np.square(flat.astype(np.float64) - true).mean()),
        bins=tuple(
            Bin(
                low=float(edges[i]),
                high=float(edges[i + 1]),
                decisions=int(n),
                mean_score=float(score_sums[i] / n) if n else None,
                true=float(true_sums[i] / n) if n else None,
            )
            for i, n in enumerate(number)
        ),
    )
