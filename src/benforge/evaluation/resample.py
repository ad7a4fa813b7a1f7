"""Paired approximate randomisation and paired bootstrap of any figure, in whole matrices.

A figure is a function of sums over patches. So a resample is a row of weights times the matrix of
what each patch adds, and thousands of resamples are one product. Patches that add the same are one
row with a count: means over samples need a few thousand rows however many patches there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.evaluation.counts import Counts, Decisions
from benforge.evaluation.figure import Figure
from benforge.evaluation.pair import Pair

Matrix = npt.NDArray[Any]

_CELLS = 2**23
"""Weights that are held at a time."""

_STEPS = 500_000
"""Multiplications at a time, few enough that OpenBLAS stays in one thread (below 2^19): with two,
a product takes up to fifty times as long where other programs keep the cores busy."""

_WORTH = 8
"""Patches a row from which rows with counts are faster than patches."""

_NARROW = 8
"""Sums a patch up to which equal rows are looked for: with one a class hardly any are."""

_EQUAL = 1e-12
"""Differences of figures that are told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What is drawn or swapped as one: patches or tiles, and what each adds to the sums.

    Args:
        figure: of the sums.
        a: `unit sum`, of the first method.
        b: likewise of the second.
        shared: `unit sum`, what does not depend on the method.
    """

    figure: Figure
    a: Matrix
    b: Matrix
    shared: Matrix

    @classmethod
    def of(cls, pair: Pair, figure: Figure) -> Units:
        """One unit a patch.

        Sums of zeros and ones are kept in float32, exact below 2^24; all others in float64.
        """
        a, b = (_adds(decided, pair.targets, figure) for decided in (pair.a, pair.b))
        return cls(figure, a, b, _shared(pair.targets, figure))

    def clustered(self, clusters: npt.NDArray[np.int64]) -> Units:
        """One unit a cluster, of one unit a patch; clusters are numbered from 0."""
        order = np.argsort(clusters, kind="stable")
        starts = np.searchsorted(clusters[order], np.arange(clusters.max() + 1))
        a, b, shared = (
            np.add.reduceat(x[order].astype(np.float64), starts, axis=0)
            for x in (self.a, self.b, self.shared)
        )
        return Units(self.figure, a, b, shared)

    @property
    def differing(self) -> int:
        """How many units add anything else for the first method than for the second."""
        return int((self.a != self.b).any(1).sum())

    def values(self, a: Matrix, shared: Matrix) -> npt.NDArray[np.float64]:
        """The figure of sums `resample sum`, one a resample."""
        a, shared = a.astype(np.float64), shared.astype(np.float64)
        if self.figure.average == "sample":
            return np.asarray(a[:, 0] / shared[:, 0])
        hits, predicted = np.split(a, 2, axis=1)
        return self.figure.over_classes(hits, predicted, shared)

    def sums(self) -> tuple[Matrix, Matrix, Matrix]:
        """Sums over all units as one resample: of the first, the second, and what they share."""
        a, b, shared = (x.sum(0, np.float64)[None] for x in (self.a, self.b, self.shared))
        return a, b, shared

    def observed(self) -> tuple[float, float]:
        """The figure of either method, not resampled."""
        a, b, shared = self.sums()
        return float(self.values(a, shared)[0]), float(self.values(b, shared)[0])


def randomise(units: Units, resamples: int, rng: np.random.Generator) -> int:
    """In how many resamples chance makes a difference as large as the one observed, or larger.

    Each unit's predictions change sides or not, with probability one half: if the methods are
    alike, it does not matter which gave which. Either sign counts (Noreen 1989; Yeh 2000).
    """
    a, b, shared = units.sums()
    value_a, value_b = units.observed()
    least = abs(value_a - value_b) - _EQUAL
    change, counts = _merged(units.a - units.b)
    found = 0
    for size in _chunks(resamples, len(change)):
        kept = _product(_keep(rng, counts, size), change)
        first = units.values(b + kept, shared)
        second = units.values(a - kept, shared)
        found += int((np.abs(first - second) >= least).sum())
    return found


def bootstrap(
    units: Units, resamples: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The figure of either method in each resample: units drawn again, with replacement.

    Both methods are measured on the same draws (Efron and Tibshirani 1993).
    """
    widths = np.cumsum([units.a.shape[1], units.b.shape[1]])
    rows, counts = _merged(np.hstack([units.a, units.b, units.shared]))
    found = []
    for size in _chunks(resamples, len(rows)):
        sums = _product(_draw(rng, counts, size), rows)
        a, b, shared = np.split(sums, widths, axis=1)
        found.append((units.values(a, shared), units.values(b, shared)))
    first, second = zip(*found, strict=True)
    return np.concatenate(first), np.concatenate(second)


def as_far_as_observed(draws: npt.NDArray[np.float64], observed: float) -> int:
    """How many bootstrap differences lie as far from the one observed as that lies from 0."""
    return int((np.abs(draws - observed) >= abs(observed) - _EQUAL).sum())


def _adds(decided: Decisions, targets: Decisions, figure: Figure) -> Matrix:
    """What each patch adds for one method: its own figure, or its hits and what was predicted."""
    counts = Counts.of_patches(decided, targets)
    if figure.average == "sample":
        return np.stack([counts.of_each(figure)], axis=1)
    if figure.average == "micro":
        return np.stack([counts.hits, counts.predicted], axis=1).astype(np.float64)
    return np.concatenate([decided & targets, decided], axis=1, dtype=np.float32)


def _shared(targets: Decisions, figure: Figure) -> Matrix:
    """What each patch adds whatever was predicted: itself, or its labels."""
    if figure.average == "sample":
        return np.ones((len(targets), 1))
    if figure.average == "micro":
        return np.stack([targets.sum(axis=1)], axis=1).astype(np.float64)
    return targets.astype(np.float32)


def _product(weights: Matrix, rows: Matrix) -> Matrix:
    """`weights @ rows` in the rows' type, a few rows at a time."""
    out = np.zeros((len(weights), rows.shape[1]), rows.dtype)
    step = max(1, _STEPS // out.size)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        out += weights[:, part].astype(rows.dtype) @ rows[part]
    return out


def _chunks(resamples: int, units: int) -> Iterator[int]:
    """Sizes that add up to the resamples and keep the weights small."""
    size = max(1, _CELLS // max(1, units))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _merged(rows: Matrix) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """Equal rows as one with a count, where that makes them far fewer; else each counts once."""
    if rows.shape[1] <= _NARROW:
        distinct, counts = np.unique(rows, axis=0, return_counts=True)
        if len(distinct) * _WORTH <= len(rows):
            return distinct, counts
    return rows, np.ones(len(rows), np.int64)


def _keep(rng: np.random.Generator, counts: npt.NDArray[np.int64], size: int) -> Matrix:
    """How many units of each row stay on their side, `resample row`."""
    if counts.max() > 1:
        return rng.binomial(counts, 0.5, (size, len(counts)))
    cells = size * len(counts)
    bits = np.unpackbits(np.frombuffer(rng.bytes((cells + 7) // 8), np.uint8), count=cells)
    return bits.reshape(size, -1)


def _draw(rng: np.random.Generator, counts: npt.NDArray[np.int64], size: int) -> Matrix:
    """How often units of each row are drawn, `resample row`."""
    n = int(counts.sum())
    if counts.max() > 1:
        return rng.multinomial(n, counts / n, size)
    draws = (rng.integers(0, n, n) for _ in range(size))
    return np.stack([np.bincount(drawn, minlength=n) for drawn in draws])
