"""Confident learning of each label by itself: its rule, and wrong labels that were planted."""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from benforge.core.predictions import Predictions
from benforge.errors import InputError
from benforge.evaluation.doubt import count_trained, find_doubts, join_predictions
from tests.evaluation.made import cases, drawn, made, patch_ids


def by_rule(told: Predictions) -> dict[tuple[str, str], tuple[str, float]]:
    """The oracle, a loop: Northcutt's thresholds of yes and no, and the likelier of the two."""
    found = {}
    for column, label in enumerate(told.classes):
        has, score = told.targets[:, column], told.scores[:, column].astype(float)
        if not has.any() or has.all():
            continue
        for patch, given_, p in zip(told.patch_ids.to_pylist(), has, score, strict=True):
            yes, no = score[has].mean(), (1 - score[~has]).mean()
            if given_ and 1 - p >= no - 1e-6 and p <= 0.5:
                found[patch, label] = "doubted", 1 - no
            if not given_ and p >= yes - 1e-6 and p > 0.5:
                found[patch, label] = "missing", yes
    return found


@given(cases())
def test_doubts_are_those_of_the_rule(told: Predictions) -> None:
    rows, rule = find_doubts(told).table.to_pylist(), by_rule(told)
    edge = {key for key, (_, at) in rule.items() if 1e-7 < abs(score_of(told, key) - at) < 1e-5}
    found = {(row["patch_id"], row["label"]): row for row in rows}
    assert found.keys() - edge == rule.keys() - edge
    for key, row in found.items():
        direction, threshold = rule[key]
        assert row["direction"] == direction
        assert row["threshold"] == pytest.approx(threshold, abs=1e-6)
        assert row["score"] == pytest.approx(score_of(told, key))
        given_ = direction == "doubted"
        confidence = row["score"] if given_ else 1 - row["score"]
        assert row["self_confidence"] == pytest.approx(confidence, abs=1e-6)
        assert row["self_confidence"] <= 0.5
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    margins = [row["margin"] for row in rows]
    assert margins == sorted(margins, reverse=True)


def score_of(told: Predictions, key: tuple[str, str]) -> float:
    patch, label = key
    return float(told.scores[told.patch_ids.to_pylist().index(patch), told.classes.index(label)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(importlib.util.find_spec("cleanlab") is None, reason="no cleanlab here")
@pytest.mark.parametrize(("seed", "skill"), [(0, 1.0), (1, 2.0), (2, 3.0), (5, 0.5)])
def test_cleanlab_finds_the_same(seed: int, skill: float) -> None:
    from cleanlab.filter import find_label_issues

    told = drawn(seed, n=300, labels=5, skill=skill)
    found = {(row["patch_id"], row["label"]) for row in find_doubts(told).table.to_pylist()}
    theirs = set()
    for column, label in enumerate(told.classes):
        score = told.scores[:, column].astype(float)
        issues = find_label_issues(
            told.targets[:, column].astype(int),
            np.stack([1 - score, score], axis=1),
            filter_by="confident_learning",
            n_jobs=1,
        )
        theirs |= {(told.patch_ids[int(i)].as_py(), label) for i in np.flatnonzero(issues)}
    assert found == theirs
    assert found


def plant(
    true: npt.NDArray[np.bool_], share: float, random: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """`patch label`, what is wrong: of each class a share of its patches, and as many others."""
    wrong = np.zeros_like(true)
    for label in range(true.shape[1]):
        for side in (np.flatnonzero(true[:, label]), np.flatnonzero(~true[:, label])):
            wrong[random.choice(side, int(share * true[:, label].sum()), replace=False), label] = 1
    return wrong


def test_planted_labels_are_found() -> None:
    """Made-up patches of eight features; classes by what they are, told by a cross-validation."""
    random = np.random.default_rng(11)
    features = random.normal(size=(600, 8))
    true = features @ random.normal(size=(8, 5)) + random.normal(0, 1, (600, 5)) > 1.5
    wrong = plant(true, 0.08, random)
    labels = true ^ wrong
    scores = np.stack(
        [
            cross_val_predict(
                LogisticRegression(), features, labels[:, i], cv=5, method="predict_proba"
            )[:, 1]
            for i in range(5)
        ],
        axis=1,
    )
    rows = find_doubts(made(scores, labels)).table.to_pylist()
    ids = {patch: i for i, patch in enumerate(patch_ids(600))}
    hits = [bool(wrong[ids[row["patch_id"]], int(row["label"][-1])]) for row in rows]
    chance, first = wrong.mean(), np.mean(hits[:50])
    assert chance < 0.05
    assert first > 0.8, f"precision among the first 50 is {first:.2f}, by chance {chance:.3f}"
    assert sum(hits) / wrong.sum() > 0.5
    directions = {row["direction"] for row, hit in zip(rows, hits, strict=True) if hit}
    assert directions == {"doubted", "missing"}


def test_predictions_of_several_files_are_one() -> None:
    whole = drawn(3, n=40)
    parts = [rows_of(whole, np.arange(0, 25)), rows_of(whole, np.arange(25, 40))]
    joined = join_predictions(parts)
    assert joined.patch_ids.equals(whole.patch_ids)
    assert np.array_equal(joined.scores, whole.scores)
    assert find_doubts(joined).table.equals(find_doubts(whole).table)
    other = drawn(4, n=40)
    mean = join_predictions([whole, other])
    assert np.allclose(mean.scores, (whole.scores + other.scores) / 2, atol=1e-6)
    assert np.array_equal(mean.targets, whole.targets)


def rows_of(told: Predictions, rows: npt.NDArray[np.int64]) -> Predictions:
    ids = told.patch_ids.take(rows)
    return Predictions(ids, told.scores[rows], told.targets[rows], told.classes, told.facts)


def test_files_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="of other classes"):
        join_predictions([drawn(1, labels=5), drawn(1, labels=4)])
    one = made([[0.1, 0.2]], [[1, 0]])
    with pytest.raises(InputError, match="other labels of the same patch"):
        join_predictions([one, made([[0.1, 0.2]], [[1, 1]])])


def test_patches_that_were_trained_on_are_counted() -> None:
    assert count_trained(drawn(1, n=9)) is None
    assert count_trained(drawn(1, n=9, part="train")) == 9
    assert count_trained(drawn(1, n=9, part="train", extra={"trained_on": 4})) == 4
    both = [drawn(1, n=9, extra={"trained_on": n}) for n in (2, 3)]
    assert count_trained(join_predictions(both)) == 5
