"""The type `Predictions`: what it accepts, and what it says of the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benforge.core.predictions import TUNED, PredictionFacts, Predictions
from benforge.errors import InputError

SCORES = np.array([[0.1, 0.9], [1.0, 0.0]], np.float32)
TARGETS = np.array([[True, False], [False, False]])


def test_whatever_holds_them_becomes_arrays() -> None:
    found = Predictions.of(
        pa.chunked_array([["a"], ["b"]]), SCORES.tolist(), [[1, 0], [0, 0]], "xy"
    )
    assert len(found) == 2
    assert found.patch_ids.to_pylist() == ["a", "b"]
    assert found.classes == ("x", "y")
    assert found.scores.dtype == np.float32
    assert np.array_equal(found.scores, SCORES)
    assert found.targets.dtype == np.bool_
    assert np.array_equal(found.targets, TARGETS)
    assert found.facts.threshold == 0.5
    assert found.facts.simulated is None


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"patch_ids": ["a", "a"]}, "a: predicted twice"),
        ({"classes": "xx"}, "two classes are called 'x'"),
        ({"classes": "xyz"}, r"scores are float32 \(2, 2\), not float32 \(2, 3\)"),
        ({"targets": TARGETS[:1]}, r"targets are bool \(1, 2\)"),
        ({"targets": [[0, 2], [0, 0]]}, "neither 0 nor 1"),
        ({"scores": [[0, 0], [np.nan, 0]]}, "b: the score of x is nan"),
        ({"scores": [[0, 1.5], [0, 0]]}, "a: the score of y is 1.5.*after the sigmoid"),
        ({"scores": [[0, np.inf], [0, 0]]}, "a: the score of y is inf"),
        ({"patch_ids": [], "scores": np.zeros((0, 2)), "targets": TARGETS[:0]}, "of no patch"),
        ({"patch_ids": ["a", None]}, "patch ids are strings"),
    ],
)
def test_what_are_no_predictions(changed: dict[str, Any], line: str) -> None:
    given = {"patch_ids": ["a", "b"], "scores": SCORES, "targets": TARGETS, "classes": "xy"}
    with pytest.raises(InputError, match=line):
        Predictions.of(**(given | changed))


def test_the_type_itself_converts_nothing() -> None:
    ids = pa.array(["a", "b"])
    with pytest.raises(InputError, match="not float32"):
        Predictions(ids, SCORES.astype(np.float64), TARGETS, ("x", "y"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not bool"):
        Predictions(ids, SCORES, TARGETS.astype(np.uint8), ("x", "y"))  # type: ignore[arg-type]


def test_a_threshold_is_a_probability() -> None:
    assert PredictionFacts(threshold=0.3, threshold_from=TUNED).threshold_from == TUNED
    with pytest.raises(InputError, match="0 to 1"):
        PredictionFacts(threshold=float("nan"))
