"""From which score on a class is predicted: fixed, or tuned on validation predictions.

A threshold is compared in float32, as scores are kept: a score of 0.7 meets a threshold of 0.7.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from benforge.core.predictions import FIXED, TUNED, Predictions, ThresholdSource
from benforge.errors import InputError
from benforge.evaluation.counts import Decisions
from benforge.evaluation.figure import Figure

UNTUNED = 0.5
"""The threshold of a class that no validation patch has."""

_EQUAL = 9
"""Decimals to which figures are equal: sums of millions of steps are not exact beyond."""

Scores = npt.NDArray[np.float32]


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """One threshold for all classes, or one a class.

    Args:
        value: from 0 to 1; a class is predicted where its score is at least this.
        source: "fixed", or "tuned on validation".
        figure: that it was tuned for; None if fixed.

    Raises:
        InputError: a threshold outside 0 to 1.
    """

    value: float | tuple[float, ...]
    source: ThresholdSource = FIXED
    figure: str | None = None

    def __post_init__(self) -> None:
        values = np.atleast_1d(np.asarray(self.value, np.float64))
        if not ((values >= 0) & (values <= 1)).all():
            raise InputError(f"a threshold of {self.value}", do="Name one from 0 to 1")

    @classmethod
    def of(cls, predictions: Predictions) -> Threshold:
        """The one that predictions bring along; 0.5 if nothing else was said."""
        facts = predictions.facts
        return cls(value=facts.threshold, source=facts.threshold_from)

    def decide(self, scores: Scores) -> Decisions:
        """Where a class is predicted, bool `patch label`."""
        return np.asarray(scores >= np.asarray(self.value, np.float32))


def tune(validation: Predictions, figure: Figure | None = None) -> Threshold:
    """The one threshold that makes a figure largest on validation predictions; exact.

    Every score is tried; of equally good ones the highest is taken.

    Args:
        validation: predictions of patches that are not evaluated.
        figure: default the F1 of samples.

    Raises:
        InputError: no patch has a label.
    """
    figure = figure or Figure("sample", "f1")
    _check_labels(validation)
    scores, gains = _gains(validation, figure)
    order = np.argsort(-scores, kind="stable")
    best = _best(scores[order], np.cumsum(gains[order]))
    return Threshold(value=best, source=TUNED, figure=str(figure))


def tune_classes(validation: Predictions, name: str = "f1") -> Threshold:
    """For each class the threshold that makes its own figure largest; exact.

    A class without a validation patch keeps 0.5. With few patches a class, these thresholds fit
    the validation patches better than any others.

    Args:
        validation: predictions of patches that are not evaluated.
        name: "precision", "recall", "f1", "f2" or "f0.5".

    Raises:
        InputError: no patch has a label, or an unknown name.
    """
    figure = Figure("macro", name)
    _check_labels(validation)
    scores, values = _paths(validation.scores.T, validation.targets.T, figure)
    best = (
        _best(scores[i], values[i]) if occurs else UNTUNED
        for i, occurs in enumerate(validation.targets.sum(0) > 0)
    )
    return Threshold(value=tuple(best), source=TUNED, figure=f"class-{name}")


def check_tunes(validation: Predictions, evaluated: Predictions) -> None:
    """Raise where thresholds of one file may not be used for the other.

    Raises:
        InputError: other classes, another model, another part than validation, or patches that
            are evaluated too.
    """
    facts, advice = validation.facts, "Predict the validation part with the same model"
    if validation.classes != evaluated.classes:
        raise InputError("thresholds would be tuned on other classes", do=advice)
    if facts.model and evaluated.facts.model and facts.model != evaluated.facts.model:
        models = f"{facts.model}, not {evaluated.facts.model}"
        raise InputError(f"thresholds would be tuned on {models}", do=advice)
    if facts.part not in ("", "validation"):
        raise InputError(f"thresholds would be tuned on the part {facts.part}", do=advice)
    both = pc.is_in(validation.patch_ids, evaluated.patch_ids)
    if shared := pc.sum(both).as_py():
        raise InputError(
            f"thresholds would be tuned on {shared:,} patches that are evaluated", do=advice
        )


def _check_labels(validation: Predictions) -> None:
    if not validation.targets.any():
        raise InputError("no validation patch has a label to tune thresholds on")


def _gains(validation: Predictions, figure: Figure) -> tuple[Scores, npt.NDArray[np.float64]]:
    """Every score, and what predicting it adds to the figure once all higher ones are."""
    scores, targets = validation.scores, validation.targets
    if figure.average == "micro":
        scores, targets = scores.reshape(1, -1), targets.reshape(1, -1)
    elif figure.average != "sample":
        scores, targets = scores.T, targets.T
    parts = targets.sum(1) if figure.average == "weighted" else np.ones(len(targets))
    steps, values = _paths(scores, targets, figure)
    gains = np.diff(values, axis=1, prepend=0) * (parts / parts.sum())[:, None]
    return steps.ravel(), gains.ravel()


def _paths(
    scores: Scores, targets: Decisions, figure: Figure
) -> tuple[Scores, npt.NDArray[np.float64]]:
    """Of each row its scores, highest first, and the row's figure once so many are predicted."""
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = np.take_along_axis(targets, order, 1).cumsum(1)
    predicted: npt.NDArray[Any] = np.arange(1, scores.shape[1] + 1)
    true = targets.sum(1)[:, None]
    return np.take_along_axis(scores, order, 1), figure.of_each(hits, predicted, true)


def _best(scores: Scores, values: npt.NDArray[np.float64]) -> float:
    """The score, of scores highest first, after which the value is largest; ties go together."""
    last = np.append(scores[1:] != scores[:-1], True)
    return float(scores[last][np.argmax(values[last].round(_EQUAL))])
