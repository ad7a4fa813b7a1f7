"""Thresholds tuned, against trying every one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benforge.core.predictions import FIXED, TUNED, Predictions
from benforge.errors import InputError
from benforge.evaluation.evaluate import evaluate
from benforge.evaluation.figure import AVERAGES, Figure
from benforge.evaluation.threshold import Threshold, check_tunes, tune, tune_classes
from tests.evaluation.made import cases, drawn, made


@settings(max_examples=80)
@given(cases(), st.sampled_from(AVERAGES), st.sampled_from(["f1", "f2", "precision"]))
def test_no_other_threshold_is_better(case: Predictions, average: str, name: str) -> None:
    assume(case.targets.any())
    found = tune(case, Figure(average, name))
    every = {
        float(value): getattr(getattr(evaluate(case, Threshold(value=float(value))), average), name)
        for value in np.unique(case.scores)
    }
    best = max(every.values())
    assert found.value == max(v for v, reached in every.items() if reached > best - 1e-10)
    assert (found.source, found.figure) == (TUNED, f"{average}-{name}")


@settings(max_examples=60)
@given(cases())
def test_no_other_threshold_is_better_for_a_class(case: Predictions) -> None:
    assume(case.targets.any())
    found = tune_classes(case)
    assert isinstance(found.value, tuple)
    reached = [row.f1 for row in evaluate(case, found).per_class]
    for value in np.unique(case.scores):
        for mine, row in zip(
            reached, evaluate(case, Threshold(value=float(value))).per_class, strict=True
        ):
            assert mine >= row.f1 - 1e-12
    for value, occurs in zip(found.value, case.targets.any(0), strict=True):
        assert occurs or value == 0.5


def test_the_default_is_the_papers_f1() -> None:
    assert tune(drawn(1)).figure == "sample-f1"
    assert tune_classes(drawn(1)).figure == "class-f1"


def test_predictions_bring_their_threshold() -> None:
    case = drawn(1, threshold=0.25, threshold_from=TUNED)
    found = evaluate(case)
    assert (found.threshold, found.threshold_from, found.threshold_figure) == (0.25, TUNED, None)
    assert evaluate(case, Threshold(value=0.5)).threshold_from == FIXED


def test_thresholds_outside_0_to_1() -> None:
    for value in (-0.1, float("nan"), (0.5, 2.0)):
        with pytest.raises(InputError, match="0 to 1"):
            Threshold(value=value)


def test_nothing_to_tune_on() -> None:
    case = made([[0.5, 0.5]], [[0, 0]])
    for way in (tune, tune_classes):
        with pytest.raises(InputError, match="no validation patch has a label"):
            way(case)


def _other(case: Predictions, **facts: object) -> Predictions:
    """The same predictions of patches of other names."""
    ids = [f"other {i}" for i in range(len(case))]
    known = type(case.facts)(**facts)  # type: ignore[arg-type]
    return Predictions.of(ids, case.scores, case.targets, case.classes, known)


def test_what_thresholds_may_not_be_tuned_on() -> None:
    test = drawn(1, model="A", part="test")
    check_tunes(_other(test), test)
    check_tunes(_other(test, model="A", part="validation"), test)
    for validation, line in (
        (test, "the part test"),
        (drawn(1), "60 patches that are evaluated"),
        (_other(test, model="B"), "B, not A"),
        (drawn(1, labels=3), "other classes"),
    ):
        with pytest.raises(InputError, match=line):
            check_tunes(validation, test)
