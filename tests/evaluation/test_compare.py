"""Comparisons: what must be the same, what is said, and that it is the same again."""

from __future__ import annotations

import json
import math

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2

from benforge.core.predictions import Predictions
from benforge.errors import InputError
from benforge.evaluation.compare import compare, compare_all
from benforge.evaluation.evaluate import evaluate
from benforge.evaluation.figure import Figure
from benforge.evaluation.holm import holm
from benforge.evaluation.mcnemar import mcnemar
from benforge.evaluation.pair import Pair
from benforge.evaluation.prior import prior_scores
from tests.evaluation.made import drawn, made


def _order(case: Predictions, rows: object, classes: tuple[str, ...] | None = None) -> Predictions:
    ids = case.patch_ids.take(pa.array(rows))
    return Predictions.of(
        ids, case.scores[rows], case.targets[rows], classes or case.classes, case.facts
    )


def test_two_methods() -> None:
    a, b = drawn(1, skill=4.0, model="A", simulated=True), drawn(2, skill=1.0, model="B")
    found = compare(a, b, resamples=999)
    assert (found.figure, found.patches, found.tiles) == ("sample-f1", 60, 4)
    assert (found.a.model, found.b.model, found.simulated) == ("A", "B", True)
    assert found.a.value == pytest.approx(evaluate(a).sample.f1, abs=1e-14)
    assert found.difference == pytest.approx(found.a.value - found.b.value)
    assert [(test.test, test.units) for test in found.tests] == [
        ("approximate randomisation", "patches"),
        ("bootstrap", "patches"),
        ("approximate randomisation", "tiles"),
        ("bootstrap", "tiles"),
    ]
    plain, by_tile = found.tests[0], found.tests[2]
    assert plain.p == plain.smallest_p == 1 / 1000
    assert by_tile.number == 4
    assert by_tile.smallest_p == 2**-3
    assert by_tile.p == pytest.approx(2**-3, abs=0.03)
    for intervals in found.intervals:
        assert intervals.difference[0] < found.difference < intervals.difference[1]
        assert intervals.a[0] < found.a.value < intervals.a[1]
    assert found.effect.cohens_d is not None
    assert found.effect.cohens_d > 0.3
    shares = (found.effect.a_better, found.effect.b_better, found.effect.equal)
    assert sum(share or 0 for share in shares) == pytest.approx(1)
    json.dumps(msgspec.to_builtins(found), allow_nan=False)


def test_equal_input_gives_equal_numbers_and_another_seed_others() -> None:
    a, b = drawn(1), drawn(2)
    assert compare(a, b, resamples=200) == compare(a, b, resamples=200)
    assert compare(a, b, resamples=200, seed=2).intervals != compare(a, b, resamples=200).intervals


def test_the_second_may_stand_in_another_order() -> None:
    a, b = drawn(1), drawn(2)
    mixed = _order(b, np.random.default_rng(1).permutation(60))
    assert compare(a, mixed, resamples=50) == compare(a, b, resamples=50)


def test_the_same_model_twice() -> None:
    found = compare(drawn(1), drawn(1), resamples=99)
    assert found.difference == 0
    assert {test.p for test in found.tests} == {1.0}
    assert found.mcnemar.p == 1.0
    assert (found.effect.cohens_d, found.effect.equal) == (None, 1.0)
    assert found.tests[0].smallest_p == 1.0


def test_figures_over_classes_have_no_effect_by_patch() -> None:
    found = compare(drawn(1), drawn(2), Figure.parse("macro-f2"), resamples=99)
    assert found.figure == "macro-f2"
    assert found.a.value == pytest.approx(evaluate(drawn(1)).macro.f2)
    assert found.effect.cohens_d is found.effect.a_better is None


@pytest.mark.parametrize(
    ("b", "line"),
    [
        (drawn(2, labels=3), "5 classes against 3"),
        (_order(drawn(2), range(60), tuple("abcde")), "class 1 is 'class 0' in one and 'a' in"),
        (_order(drawn(2), range(1, 60)), "T33UUP_00_00: 1 patches are in the first predictions"),
        (drawn(2, n=61), "T33UUP_00_60: 1 patches are in the second predictions"),
        (made(np.zeros((60, 5)), np.ones((60, 5))), "T33UUP_00_00: the targets of 60 patches"),
    ],
)
def test_what_must_be_the_same(b: Predictions, line: str) -> None:
    with pytest.raises(InputError, match=line):
        compare(drawn(1), b)


def test_other_ids_are_compared_plainly() -> None:
    a, b = (
        Predictions.of(map(str, range(60)), case.scores, case.targets, case.classes)
        for case in (drawn(1), drawn(2))
    )
    with pytest.raises(InputError, match=r"0: clustered tests need benforge's patch ids.*--plain"):
        compare(a, b)
    found = compare(a, b, resamples=99, clustered=False)
    assert found.tiles is None
    assert {test.units for test in found.tests} == {"patches"}


def test_one_tile_is_no_sample_of_tiles() -> None:
    a, b = made([[0.9, 0.1]], [[1, 0]]), made([[0.1, 0.9]], [[1, 0]])
    with pytest.raises(InputError, match=r"two tiles or more, all patches lie in 33UUP.*--plain"):
        compare(a, b)
    assert compare(a, b, resamples=9, clustered=False).tests[0].p == 1.0


@pytest.mark.parametrize(("resamples", "seed"), [(0, 1), (10, -1)])
def test_impossible_numbers(resamples: int, seed: int) -> None:
    with pytest.raises(InputError, match="resamples, seed"):
        compare(drawn(1), drawn(2), resamples=resamples, seed=seed)


@settings(max_examples=60)
@given(st.integers(0, 1500), st.integers(0, 1500))
def test_mcnemar_is_scipys(a: int, b: int) -> None:
    """`a` decisions that the first alone got right, and `b` that the second did."""
    targets = np.ones((a + b + 1, 1), np.bool_)
    first = (np.arange(a + b + 1) < a)[:, None]
    last = (np.arange(a + b + 1) == a + b)[:, None]
    found = mcnemar(Pair(pa.array([]), first | last, ~first, targets))
    assert (found.a_alone, found.b_alone) == (a, b)
    if a + b == 0:
        assert found.p == 1
    elif found.exact:
        assert found.p == pytest.approx(binomtest(a, a + b).pvalue, rel=1e-9)
    else:
        assert found.p == pytest.approx(
            chi2.sf(max(abs(a - b) - 1, 0) ** 2 / (a + b), 1), rel=1e-6, abs=1e-300
        )
        assert math.log(found.p) == pytest.approx(
            math.log(max(binomtest(a, a + b).pvalue, 1e-300)), rel=0.5, abs=0.1
        )


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == (1.0, 1.0)
    assert holm([]) == ()


def test_several_methods_are_corrected_together() -> None:
    found = compare_all([drawn(1, skill=4), drawn(2), drawn(3)], resamples=199)
    assert len(found) == 3
    for i in range(4):
        p_values = [pair.tests[i].p for pair in found]
        assert [pair.tests[i].p_holm for pair in found] == pytest.approx(holm(p_values))
    assert [pair.mcnemar.p_holm for pair in found] == pytest.approx(
        holm([pair.mcnemar.p for pair in found])
    )
    assert compare_all([drawn(1)]) == ()


def test_the_prior_is_how_frequent_classes_are() -> None:
    found = prior_scores(np.array([[1, 0, 1], [1, 0, 0]], np.bool_), 3)
    assert found.dtype == np.float32
    assert found.tolist() == [[1.0, 0.0, 0.5]] * 3
    with pytest.raises(InputError, match="no training patch"):
        prior_scores(np.zeros((0, 3), np.bool_), 1)


def test_figures_by_name() -> None:
    assert str(Figure.parse("f0.5")) == "sample-f0.5"
    assert Figure.parse("weighted-recall") == Figure("weighted", "recall")
    for text in ("f3", "tile-f1", "", "-f1"):
        with pytest.raises(InputError, match="no figure is called"):
            Figure.parse(text)
