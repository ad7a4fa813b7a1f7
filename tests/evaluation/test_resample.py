"""Randomisation and bootstrap against every swap and every draw, and p where nothing differs."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from benforge.evaluation import resample
from benforge.evaluation.counts import Counts, measure
from benforge.evaluation.figure import Figure
from benforge.evaluation.pair import Pair
from benforge.evaluation.resample import Units, as_far_as_observed, bootstrap, randomise
from tests.evaluation.made import drawn

FIGURES = [
    Figure.parse(text) for text in ("f1", "recall", "f2", "micro-f1", "macro-f1", "weighted-f1")
]
RESAMPLES = 20_000
Rows = npt.NDArray[np.float64]


def _pair(n: int, labels: int = 4, skill: float = 2.5) -> Pair:
    return Pair.of(drawn(1, n, labels, skill), drawn(2, n, labels))


def _value(figure: Figure, decided: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    return measure(figure, Counts.of_patches(decided, true), Counts.of_classes(decided, true))


def _difference(figure: Figure, pair: Pair, rows: npt.NDArray[np.int64]) -> float:
    true = pair.targets[rows]
    return _value(figure, pair.a[rows], true) - _value(figure, pair.b[rows], true)


def _every_swap(figure: Figure, pair: Pair, cluster: npt.NDArray[np.int64]) -> float:
    """The share of all swaps of whole clusters that differ as much as what was observed."""
    swapped = []
    for swaps in product([True, False], repeat=int(cluster.max()) + 1):
        kept = np.array(swaps)[cluster][:, None]
        a, b = np.where(kept, pair.a, pair.b), np.where(kept, pair.b, pair.a)
        swapped.append(_value(figure, a, pair.targets) - _value(figure, b, pair.targets))
    return float((np.abs(swapped) >= abs(swapped[0]) - 1e-12).mean())


@pytest.mark.parametrize("figure", FIGURES, ids=str)
def test_randomisation_is_every_swap(figure: Figure) -> None:
    for n, clusters in ((9, 9), (24, 8)):
        pair, cluster = _pair(n), np.arange(n) % clusters
        units = Units.of(pair, figure).clustered(cluster)
        found = randomise(units, RESAMPLES, np.random.default_rng(1)) / RESAMPLES
        assert found == pytest.approx(_every_swap(figure, pair, cluster), abs=0.015)


@pytest.mark.parametrize("figure", FIGURES, ids=str)
def test_bootstrap_is_every_draw(figure: Figure) -> None:
    """Of 4 clusters of unequal size all 256 draws are made: moments and quantiles agree."""
    pair, cluster = _pair(15), np.array([0, 1, 1, 2, 2, 2] + [3] * 9)
    members = [np.flatnonzero(cluster == i) for i in range(4)]
    every = np.array(
        [
            _difference(figure, pair, np.concatenate([members[i] for i in draw]))
            for draw in product(range(4), repeat=4)
        ]
    )
    units = Units.of(pair, figure).clustered(cluster)
    a, b = bootstrap(units, RESAMPLES, np.random.default_rng(1))
    error = every.std() / np.sqrt(RESAMPLES)
    assert (a - b).mean() == pytest.approx(every.mean(), abs=5 * error)
    assert (a - b).std() == pytest.approx(every.std(), rel=0.05)
    shares = [(np.round(x, 9) <= np.round(np.median(every), 9)).mean() for x in (every, a - b)]
    assert shares[1] == pytest.approx(shares[0], abs=0.02)


@pytest.mark.parametrize("figure", FIGURES, ids=str)
def test_merged_rows_are_as_good_as_patches(
    figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = _pair(400, 2)
    units = Units.of(pair, figure)
    values = (_value(figure, pair.a, pair.targets), _value(figure, pair.b, pair.targets))
    assert units.observed() == pytest.approx(values)
    found = []
    for way in (_merge_all, _merge_none):
        monkeypatch.setattr(resample, "_merged", way)
        rng = np.random.default_rng(5)
        a, b = bootstrap(units, 4000, rng)
        found.append((randomise(units, 4000, rng) / 4000, (a - b).mean(), (a - b).std()))
    (p, mean, spread), (other_p, other_mean, other_spread) = found
    assert p == pytest.approx(other_p, abs=0.05)
    assert mean == pytest.approx(other_mean, abs=spread / 10)
    assert spread == pytest.approx(other_spread, rel=0.1)


def _merge_all(rows: Rows) -> tuple[Rows, npt.NDArray[np.int64]]:
    return np.unique(rows, axis=0, return_counts=True)


def _merge_none(rows: Rows) -> tuple[Rows, npt.NDArray[np.int64]]:
    return rows, np.ones(len(rows), np.int64)


def test_rows_are_merged_where_that_makes_them_far_fewer() -> None:
    rows, counts = resample._merged(np.array([[1.0, 0]] * 9 + [[0, 1.0]] * 7))
    assert (rows.tolist(), counts.tolist()) == ([[0, 1], [1, 0]], [7, 9])
    rows, counts = resample._merged(np.arange(4.0)[:, None])
    assert (rows.ravel().tolist(), counts.tolist()) == ([0, 1, 2, 3], [1, 1, 1, 1])


@pytest.mark.parametrize("text", ["f1", "micro-f1", "macro-f1"])
def test_p_is_even_where_nothing_differs(text: str) -> None:
    """Of two models alike, p below 0.1 comes up in a tenth of the cases, roughly."""
    p_values = []
    for seed in range(120):
        pair = Pair.of(drawn(2 * seed, 80, 4), drawn(2 * seed + 1, 80, 4))
        units = Units.of(pair, Figure.parse(text))
        rng = np.random.default_rng(seed)
        a, b = bootstrap(units, 199, rng)
        first, second = units.observed()
        counts = randomise(units, 199, rng), as_far_as_observed(a - b, first - second)
        p_values.append([(count + 1) / 200 for count in counts])
    share = (np.array(p_values) <= 0.1).mean(0)
    assert (share < 0.2).all()
    assert (share > 0.03).all()
    assert np.mean(p_values, axis=0) == pytest.approx([0.5, 0.5], abs=0.1)


def test_a_real_difference_is_seen() -> None:
    pair = _pair(300, skill=5)
    for figure in FIGURES:
        assert randomise(Units.of(pair, figure), 999, np.random.default_rng(1)) == 0


def test_weights_add_up() -> None:
    rng = np.random.default_rng(1)
    for counts in (np.ones(13, np.int64), np.array([5, 1, 7])):
        drawn_counts = resample._draw(rng, counts, 11)
        assert drawn_counts.shape == (11, len(counts))
        assert (drawn_counts.sum(1) == counts.sum()).all()
        kept = resample._keep(rng, counts, 11)
        assert kept.shape == (11, len(counts))
        assert (kept <= counts).all()


def test_products_are_made_of_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    weights, rows = rng.integers(0, 5, (3, 17)), rng.integers(0, 9, (17, 2)).astype(np.float32)
    for steps in (1, 30, 10**6):
        monkeypatch.setattr(resample, "_STEPS", steps)
        assert np.array_equal(resample._product(weights, rows), weights @ rows)


def test_chunks_add_up() -> None:
    assert list(resample._chunks(10, 2**22)) == [2] * 5
    assert sum(resample._chunks(7, 2**30)) == 7
    assert list(resample._chunks(7, 0)) == [7]
