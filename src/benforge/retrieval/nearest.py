"""Exact search: the nearest vectors, by a matrix product in blocks and a second, exact look.

The product is float32 and errs by rounding. Whatever it puts within that error of the k-th is
looked at again in float64, so the result is that of float64 throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Metric = Literal["cosine", "euclidean"]
Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

BLOCK = 65_536
"""Vectors that are looked at together while norms are computed."""
ROOM = 1 << 26
"""Approximate distances held at once, float32: 256 MiB."""
TINY = 1e-15
"""A shorter vector has no direction."""
_EPSILON = float(np.finfo(np.float32).eps)


class Nearest(NamedTuple):
    """The neighbours of one query, nearest first; of equal distances the lower row first.

    Args:
        rows: of the vectors.
        distances: euclidean, or 1 - cosine (0 to 2; 1 where a vector has no direction).
    """

    rows: Rows
    distances: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Vectors that are searched.

    Args:
        values: `patch feature`, float32, finite; may be a memory map.
        lengths: of each.
        metric: how distance is measured.
    """

    values: Floats
    lengths: Floats
    metric: Metric

    @classmethod
    def of(cls, values: Floats, metric: Metric) -> Vectors:
        """Vectors with their lengths, which takes one pass over them."""
        lengths = np.empty(len(values), np.float32)
        for start in range(0, len(values), BLOCK):
            block = values[start : start + BLOCK]
            lengths[start : start + BLOCK] = np.sqrt(np.einsum("pf,pf->p", block, block))
        return cls(values, lengths, metric)

    def nearest(
        self,
        queries: Floats,
        k: int,
        groups: Rows | None = None,
        of_queries: Rows | None = None,
    ) -> Iterator[Nearest]:
        """The `k` nearest vectors of each query, exactly, or fewer where there are no more.

        Args:
            queries: `query feature`.
            k: how many, 1 or more.
            groups: of each vector; a query sees no vector of its own group. None: all are seen.
            of_queries: the group of each query; -1 for none.
        """
        at_once = max(1, ROOM // max(1, len(self.values)))
        for start in range(0, len(queries), at_once):
            part = np.ascontiguousarray(queries[start : start + at_once], np.float32)
            for i, approximate in enumerate(self._approximate(part)):
                if groups is not None and of_queries is not None:
                    approximate[groups == of_queries[start + i]] = np.inf
                yield self._settle(part[i], approximate, k)

    def _approximate(self, queries: Floats) -> Floats:
        """What grows with the distance, `query patch`: squared, or minus the cosine's product."""
        product: Floats = queries @ self.values.T if len(queries) > 1 else _one(self, queries)
        if self.metric == "euclidean":
            product *= -2
            product += np.square(self.lengths)
            return product
        product /= -np.where(self.lengths > TINY, self.lengths, 1)
        return product

    def _error(self, query: Floats) -> float:
        """How far two approximate values may be from their true order."""
        length = float(np.sqrt(np.square(query, dtype=np.float64).sum()))
        longest = float(self.lengths.max(initial=0))
        both = length + longest
        scale = both * both if self.metric == "euclidean" else length
        return float(4 * (self.values.shape[1] + 8) * _EPSILON * scale)

    def _settle(self, query: Floats, approximate: Floats, k: int) -> Nearest:
        """The exact distances of those that may be among the nearest, and their order."""
        k = min(k, int(np.count_nonzero(approximate < np.inf)))
        if k == 0:
            return Nearest(np.empty(0, np.int64), np.empty(0))
        farthest = np.partition(approximate, k - 1)[k - 1] + self._error(query)
        rows = np.flatnonzero((approximate <= farthest) & (approximate < np.inf))
        distances = distance(np.asarray(self.values[rows]), query, self.metric)
        order = np.argsort(distances, kind="stable")[:k]
        return Nearest(rows[order], distances[order])


def _one(vectors: Vectors, queries: Floats) -> Floats:
    """The product with one query, read once at the speed of memory."""
    product: Floats = (vectors.values @ queries[0])[None]
    return product


def distance(vectors: Floats, query: Floats, metric: Metric) -> npt.NDArray[np.float64]:
    """The distance of a query to each vector, in float64.

    Args:
        vectors: `patch feature`.
        query: `feature`.
        metric: "cosine" is 1 minus the cosine of the angle, 1 where a vector has no direction.
    """
    wide, one = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "euclidean":
        return np.asarray(np.sqrt(np.square(wide - one).sum(axis=1)))
    lengths, length = np.sqrt(np.square(wide).sum(axis=1)), np.sqrt(np.square(one).sum())
    seen = (lengths > TINY) & (length > TINY)
    cosine = np.where(seen, wide @ one, 0) / np.where(seen, lengths * length, 1)
    return np.asarray(1 - np.clip(cosine, -1, 1))
