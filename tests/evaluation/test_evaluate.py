"""Figures against scikit-learn's, and worked by hand."""

from __future__ import annotations

import json
import warnings

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from benforge.core.predictions import Predictions
from benforge.evaluation.evaluate import Evaluation, evaluate
from benforge.evaluation.threshold import Threshold
from tests.evaluation.made import cases, drawn, made

CLOSE = {"rel": 1e-12, "abs": 1e-12}


def _is(found: float | None, expected: float) -> None:
    assert found == pytest.approx(float(expected), **CLOSE)


@settings(max_examples=100)
@given(cases(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
def test_precision_recall_and_f_are_scikit_learns(case: Predictions, threshold: float) -> None:
    found = evaluate(case, Threshold(value=threshold))
    predicted, true = case.scores >= threshold, case.targets
    averages = {"samples": "sample", "micro": "micro", "macro": "macro", "weighted": "weighted"}
    for name, ours in averages.items():
        figures = getattr(found, ours)
        both = metrics.precision_recall_fscore_support(
            true, predicted, average=name, zero_division=0
        )
        for value, expected in zip(
            (figures.precision, figures.recall, figures.f1), both[:3], strict=True
        ):
            _is(value, expected)
        for value, beta in ((figures.f2, 2), (figures.f05, 0.5)):
            options = {"beta": beta, "average": name, "zero_division": 0}
            _is(value, metrics.fbeta_score(true, predicted, **options))
    each = metrics.precision_recall_fscore_support(true, predicted, average=None, zero_division=0)
    for row, *expected in zip(found.per_class, *each, strict=True):
        for value, number in zip(
            (row.precision, row.recall, row.f1, row.positives), expected, strict=True
        ):
            _is(value, number)
    _is(found.hamming_loss, metrics.hamming_loss(true, predicted))
    _is(found.subset_accuracy, metrics.accuracy_score(true, predicted))


@settings(max_examples=100)
@given(cases())
def test_rankings_are_scikit_learns(case: Predictions) -> None:
    found, true = evaluate(case), case.targets
    _is(found.coverage, metrics.coverage_error(true, case.scores))
    _is(found.ranking_loss, metrics.label_ranking_loss(true, case.scores))
    _is(found.lrap, metrics.label_ranking_average_precision_score(true, case.scores))
    scores = case.scores.astype(np.float64).ravel()
    _is(found.calibration.brier, metrics.brier_score_loss(true.ravel(), scores))


@settings(max_examples=100)
@given(cases())
def test_average_precision_is_scikit_learns_where_it_is_defined(case: Predictions) -> None:
    found = evaluate(case)
    expected = []
    for row, score, true in zip(found.per_class, case.scores.T, case.targets.T, strict=True):
        if not true.any():
            assert row.average_precision is None
            continue
        expected.append(metrics.average_precision_score(true, score))
        _is(row.average_precision, expected[-1])
    if not expected:
        assert found.average_precision == type(found.average_precision)(micro=None, macro=None)
        return
    _is(found.average_precision.macro, np.mean(expected))
    micro = metrics.average_precision_score(case.targets, case.scores, average="micro")
    _is(found.average_precision.micro, micro)


def test_many_patches_agree_too() -> None:
    case = drawn(3, 4000, 43)
    found = evaluate(case)
    _is(
        found.sample.f2,
        metrics.fbeta_score(
            case.targets, case.scores >= 0.5, beta=2, average="samples", zero_division=0
        ),
    )
    _is(found.lrap, metrics.label_ranking_average_precision_score(case.targets, case.scores))
    _is(
        found.average_precision.micro,
        metrics.average_precision_score(case.targets, case.scores, average="micro"),
    )


def test_worked_by_hand() -> None:
    """Four patches: half right; nothing predicted; nothing true; neither."""
    found = evaluate(
        made([[0.9, 0.5, 0.1], [0.4, 0.3, 0.2], [0.1, 0.1, 0.6], [0, 0, 0]],
             [[1, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]])
    )  # fmt: skip
    assert found.sample.precision == found.sample.recall == found.sample.f1 == 0.5 / 4
    assert found.micro.precision == 1 / 3
    assert found.micro.recall == 1 / 3
    assert (found.macro.precision, found.macro.recall) == (1 / 3, 0.5 / 3)
    assert found.weighted.recall == pytest.approx(1 / 3)
    assert [row.positives for row in found.per_class] == [2, 0, 1]
    assert [row.average_precision for row in found.per_class] == [1.0, None, 1 / 3]
    assert (found.patches, found.labels, found.classes_that_occur) == (4, 3, 2)
    assert found.patches_without_labels == 2
    assert found.hamming_loss == 4 / 12
    assert found.subset_accuracy == 0.25
    assert found.one_error == 0.5
    assert found.coverage == (3 + 1 + 0 + 0) / 4
    assert found.ranking_loss == (1 / 2) / 4
    assert found.lrap == pytest.approx(((1 + 2 / 3) / 2 + 1 + 1 + 1) / 4)


def test_the_papers_figures_are_means_over_patches_not_of_the_means() -> None:
    found = evaluate(made([[1, 1, 1], [1, 0, 0]], [[1, 0, 0], [1, 1, 1]])).sample
    mean = 2 * found.precision * found.recall / (found.precision + found.recall)
    assert found.f1 == 0.5
    assert mean == pytest.approx(2 / 3)


def test_a_score_meets_a_threshold_of_the_same_value() -> None:
    for value in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert evaluate(made([[value]], [[1]]), Threshold(value=value)).micro.recall == 1


def test_ties_for_the_highest_score_count_by_parts() -> None:
    assert evaluate(made([[0.5, 0.5, 0.5, 0.1]], [[1, 0, 0, 1]])).one_error == pytest.approx(2 / 3)


def test_calibration_by_hand() -> None:
    found = evaluate(made([[0.0, 0.1, 0.7], [1.0, 0.75, 0.1]], [[0, 0, 1], [1, 0, 0]])).calibration
    assert [b.decisions for b in found.bins] == [1, 2, 0, 0, 0, 0, 0, 2, 0, 1]
    assert found.bins[7].mean_score == pytest.approx(0.725)
    assert found.bins[7].true == 0.5
    assert found.bins[2].mean_score is found.bins[2].true is None
    assert found.expected_error == pytest.approx((2 * 0.1 + 2 * 0.225) / 6)
    assert found.brier == pytest.approx((0.1**2 * 2 + 0.3**2 + 0.75**2) / 6)


@settings(max_examples=60)
@given(cases(min_labels=1))
def test_json_holds_no_nan_and_keeps_its_keys(case: Predictions) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = msgspec.to_builtins(evaluate(case))
    text = json.dumps(value, allow_nan=False)
    assert msgspec.json.decode(text, type=Evaluation) == evaluate(case)
    assert set(value["sample"]) == {"precision", "recall", "f1", "f2", "f0.5"}
