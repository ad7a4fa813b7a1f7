"""Features of several kinds on one scale and on few axes, so that none decides by its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Exact = npt.NDArray[np.float64]

AXES = 128
"""Numbers of a vector at most: the principal axes that vary most."""
_NOISE = 1e-6
"""Of a feature's mean: what changes less than that does not change."""
_FLAT = 1e-10
"""Of the largest variance along an axis: what varies less than that is rounding."""
_ROWS = 65_536
"""Vectors that are rewritten together."""


class Spread:
    """Means and covariances of features of vectors that pass by."""

    def __init__(self) -> None:
        self._count = 0
        self._first: Exact | None = None
        self._sum: Exact = np.zeros(0)
        self._products: Exact = np.zeros(0)

    def watch(self, batches: Iterable[Floats]) -> Iterator[Floats]:
        """The same batches, `patch feature` each."""
        for batch in batches:
            wide = batch.astype(np.float64)
            if self._first is None:
                self._first = wide[0].copy()  # near the mean, so that products lose no digits
                self._sum, self._products = np.zeros(wide.shape[1]), np.zeros((wide.shape[1],) * 2)
            wide -= self._first
            self._count += len(wide)
            self._sum += wide.sum(axis=0)
            self._products += wide.T @ wide
            yield batch

    def axes(self, kinds: Sequence[int]) -> tuple[Exact, Exact]:
        """What to take off each feature, `feature`, and what to multiply by then, `feature axis`.

        Every feature gets the same deviation within its kind, and kinds of few features count as
        much as kinds of many. Then vectors are turned to their principal axes, and each of these
        is divided by the root of its deviation: between no whitening, where what bands have in
        common decides alone, and full whitening, where noise counts as much.

        Args:
            kinds: how many features are of each kind, in order.
        """
        assert self._first is not None
        mean = self._sum / self._count
        covariance = self._products / self._count - np.outer(mean, mean)
        spread = np.sqrt(np.maximum(covariance.diagonal(), 0))
        changing = spread > _NOISE * np.abs(self._first + mean)
        parts = np.split(changing, np.cumsum(kinds)[:-1])
        numbers = [max(1, int(np.count_nonzero(part))) for part in parts]
        weights = np.repeat(1 / np.sqrt(numbers), kinds)
        scale = np.where(changing, weights / np.where(changing, spread, 1), 0)
        variances, turned = np.linalg.eigh(covariance * np.outer(scale, scale))
        kept = np.flatnonzero(variances >= _FLAT * variances[-1])[::-1][:AXES]
        roots = np.where(variances[kept] > 0, variances[kept], 1) ** -0.25
        return self._first + mean, scale[:, None] * turned[:, kept] * roots


def turn_to_axes(vectors: Floats, shift: Sequence[float], axes: Exact) -> Floats:
    """Vectors on the axes of an index, `patch axis`."""
    return np.asarray((vectors - np.array(shift)) @ axes, np.float32)


def turned_from_file(path: Path, shift: Sequence[float], axes: Exact) -> Iterator[Floats]:
    """`turn_to_axes` of all vectors of a file of numpy's, in batches."""
    values = np.load(path, mmap_mode="r")
    for start in range(0, len(values), _ROWS):
        yield turn_to_axes(values[start : start + _ROWS], shift, axes)
