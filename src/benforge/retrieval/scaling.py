"""Features of several kinds on one scale, so that none decides by the size of its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Exact = npt.NDArray[np.float64]

_NOISE = 1e-6
"""Of a feature's mean: what changes less than that does not change."""
_ROWS = 65_536
"""Vectors that are rewritten together."""


class Spread:
    """Mean and standard deviation of each feature of vectors that pass by."""

    def __init__(self) -> None:
        self._count = 0
        self._first: Exact | None = None
        self._sum: Exact = np.zeros(0)
        self._squares: Exact = np.zeros(0)

    def watch(self, batches: Iterable[Floats]) -> Iterator[Floats]:
        """The same batches, `patch feature` each."""
        for batch in batches:
            wide = batch.astype(np.float64)
            if self._first is None:
                self._first = wide[0].copy()  # near the mean, so that squares lose no digits
                self._sum, self._squares = np.zeros((2, wide.shape[1]))
            wide -= self._first
            self._count += len(wide)
            self._sum += wide.sum(axis=0)
            self._squares += np.square(wide).sum(axis=0)
            yield batch

    def scale(self, kinds: Sequence[int]) -> tuple[Exact, Exact]:
        """What to take off each feature, and what to divide it by then; 0 where it never changes.

        Every feature gets mean 0 and the same deviation within its kind; kinds of few features
        count as much as kinds of many. With one kind deviations are 1.

        Args:
            kinds: how many features are of each kind, in order.
        """
        assert self._first is not None
        mean = self._sum / self._count
        spread = np.sqrt(np.maximum(self._squares / self._count - mean * mean, 0))
        changing = spread > _NOISE * np.abs(self._first + mean)
        ends = np.cumsum(kinds)
        numbers = [np.count_nonzero(part) for part in np.split(changing, ends[:-1])]
        each = changing.sum() / max(1, np.count_nonzero(numbers))
        weights = [np.sqrt(max(1, number) / max(1, each)) for number in numbers]
        return self._first + mean, np.where(changing, spread, 0) * np.repeat(weights, kinds)


def rescale(vectors: Floats, shift: Sequence[float], scale: Sequence[float]) -> Floats:
    """Vectors on the scale of an index, `patch feature`; 0 where the scale is."""
    divisor = np.array(scale)
    found = (vectors - np.array(shift)) / np.where(divisor > 0, divisor, np.inf)
    return np.asarray(found, np.float32)


def rescale_file(path: Path, shift: Sequence[float], scale: Sequence[float]) -> None:
    """`rescale` all vectors of a file of numpy's, where they are."""
    values = np.load(path, mmap_mode="r+")
    for start in range(0, len(values), _ROWS):
        part = slice(start, start + _ROWS)
        values[part] = rescale(values[part], shift, scale)
    values.flush()
