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
RUN = 256
"""Vectors of which only the nearest is looked at first."""
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
        terms: of each, what makes a distance of a product with a query: minus one over its length
            for a cosine, to multiply by; half its squared length else, to take the product from.
        longest: length of the longest.
        metric: how distance is measured.
    """

    values: Floats
    terms: Floats
    longest: float
    metric: Metric

    @classmethod
    def of(cls, values: Floats, metric: Metric) -> Vectors:
        """Vectors with their lengths, which takes one pass over them."""
        squares = np.empty(len(values), np.float32)
        for start in range(0, len(values), BLOCK):
            block = values[start : start + BLOCK]
            squares[start : start + BLOCK] = np.einsum("pf,pf->p", block, block)
        lengths = np.sqrt(squares)
        if metric == "euclidean":
            terms = squares / np.float32(2)
        else:
            terms = np.float32(-1) / np.where(lengths > TINY, lengths, np.float32(1))
        return cls(values, terms, float(lengths.max(initial=0)), metric)

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
            for i, grows in enumerate(self._growing(part)):
                if groups is not None and of_queries is not None:
                    grows[groups == of_queries[start + i]] = np.inf
                yield self._settle(part[i], grows, k)

    def _growing(self, queries: Floats) -> Floats:
        """What grows with the distance, `query patch`, up to rounding."""
        if len(queries) == 1:
            product: Floats = (self.values @ queries[0])[None]  # one pass at the speed of memory
        else:
            product = queries @ self.values.T
        if self.metric == "euclidean":
            return np.subtract(self.terms, product, out=product)
        return np.multiply(product, self.terms, out=product)

    def _error(self, query: Floats) -> float:
        """How far rounding may put one before another that is nearer."""
        length = float(np.sqrt(np.square(query, dtype=np.float64).sum()))
        both = length + self.longest
        scale = both * both if self.metric == "euclidean" else length
        return float(4 * (self.values.shape[1] + 8) * _EPSILON * scale)

    def _settle(self, query: Floats, grows: Floats, k: int) -> Nearest:
        """The exact distances of those that may be among the nearest, and their order."""
        bound = _upper_bound(grows, k)
        if bound == np.inf:
            rows = np.flatnonzero(grows < np.inf)
        else:
            rows = np.flatnonzero(grows <= bound + self._error(query))
        distances = distance(np.asarray(self.values[rows]), query, self.metric)
        order = np.argsort(distances, kind="stable")[:k]
        return Nearest(rows[order], distances[order])


def _upper_bound(grows: Floats, k: int) -> float:
    """A number that at least `k` of these do not exceed; infinite where they are fewer.

    `k` runs of numbers have their least below the `k`-th of the least of all runs, and to find
    that is far cheaper than to order all numbers.
    """
    runs = len(grows) // RUN
    if runs >= 4 * k:
        grows = grows[: runs * RUN].reshape(runs, RUN).min(axis=1)
    return float(np.partition(grows, k - 1)[k - 1]) if len(grows) >= k else np.inf


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
