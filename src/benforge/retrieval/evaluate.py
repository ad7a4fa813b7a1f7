"""How good a search is: what share of the patches found has a label of the query's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.progress import Progress, silent
from benforge.errors import InputError
from benforge.retrieval.index import SearchIndex
from benforge.retrieval.nearest import Metric, Rows, Vectors
from benforge.retrieval.search import tiles_of

QUERIES = 2_000
"""Patches that ask at most, drawn by chance where an index has more."""
_AT_ONCE, _RESAMPLES = 32, 2_000

Hot = npt.NDArray[np.float32]


class RetrievalFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Means over queries, each a patch with labels that asks for the `k` nearest others.

    Args:
        k: patches asked for.
        queries: how many asked.
        metric: of the distances.
        other_tiles: whether patches of the query's own tile are left out.
        precision: share of the patches found that have a label of the query's.
        precision_interval: 95 % of bootstrap resamples of the queries lie between these.
        precision_by_chance: the same of patches drawn at random from those that may be found.
        overlap: labels in common over labels of either (Jaccard), mean over the patches found.
        overlap_by_chance: likewise.
        index: what was searched.
    """

    k: int
    queries: int
    metric: Metric
    other_tiles: bool
    precision: float
    precision_interval: tuple[float, float]
    precision_by_chance: float
    overlap: float
    overlap_by_chance: float
    index: dict[str, Any]


def evaluate_search(
    index: SearchIndex,
    *,
    k: int = 10,
    metric: Metric | None = None,
    other_tiles: bool = False,
    most: int = QUERIES,
    seed: int = 1,
    progress: Progress = silent,
) -> RetrievalFigures:
    """Let patches of an index ask for others and count what shares a label with them.

    The query itself is left out, and patches without labels neither ask nor are found.

    Args:
        index: opened.
        k: patches asked for.
        metric: None takes the index's own.
        other_tiles: leave out patches of the query's tile, which look alike for being near.
        most: queries; more patches than that are drawn from by chance.
        seed: of the drawing.
        progress: told how many have asked.

    Raises:
        InputError: fewer than two patches with labels that may find each other.
    """
    chosen = metric or index.facts.metric
    hot = _hot(index)
    known = np.flatnonzero(hot.any(axis=1))
    hot, all_groups = hot[known], tiles_of(index) if other_tiles else np.arange(len(index.patches))
    groups = all_groups[known]
    asking = _asking(groups, most, seed)
    if not len(asking):
        raise InputError(
            "no patch with labels may find another",
            where=index.root,
            do="Take an archive of several tiles" if other_tiles else "Take a larger archive",
        )
    values = index.vectors if len(known) == len(index.vectors) else index.vectors[known]
    asks = _Asking(Vectors.of(values, chosen), hot, groups, k)
    told = []
    for start in range(0, len(asking), _AT_ONCE):
        told.append(asks.count(asking[start : start + _AT_ONCE]))
        progress("asking", min(start + _AT_ONCE, len(asking)), len(asking))
    each = np.concatenate(told)
    precision, by_chance, overlap, overlap_by_chance = each.mean(axis=0).tolist()
    return RetrievalFigures(
        k=k,
        queries=len(asking),
        metric=chosen,
        other_tiles=other_tiles,
        precision=precision,
        precision_interval=_interval(each[:, 0]),
        precision_by_chance=by_chance,
        overlap=overlap,
        overlap_by_chance=overlap_by_chance,
        index=index.facts.told(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Asking:
    """Those that may be found.

    Args:
        vectors: of them.
        hot: their labels, `patch label`, 0 or 1.
        groups: of them; no patch finds one of its own.
        k: how many are asked for.
    """

    vectors: Vectors
    hot: Hot
    groups: Rows
    k: int

    def count(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Of each of these queries: precision, by chance, overlap, by chance."""
        queries = np.asarray(self.vectors.values[rows])
        found = self.vectors.nearest(queries, self.k, self.groups, self.groups[rows])
        told = []
        for row, near, overlap in zip(rows, found, overlaps(self.hot, rows), strict=True):
            may_be = overlap[self.groups != self.groups[row]]
            got = overlap[near.rows]
            told.append([(got > 0).mean(), (may_be > 0).mean(), _mean(got), _mean(may_be)])
        return np.array(told, np.float64)


def _interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Where 95 % of the means of bootstrap resamples lie."""
    random = np.random.default_rng(1)
    means = [random.choice(values, len(values)).mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return low, high


def _mean(values: Hot) -> float:
    return float(values.mean(dtype=np.float64))


def overlaps(hot: Hot, rows: Rows) -> Hot:
    """Labels in common over labels of either, `query patch`; 0 where none is shared."""
    common: Hot = hot[rows] @ hot.T
    counts = hot.sum(axis=1)
    either = counts[rows][:, None] + counts
    either -= common
    found: Hot = np.divide(common, either, out=common)
    return found


def _asking(groups: Rows, most: int, seed: int) -> Rows:
    """The patches that ask: all that may find another, or `most` of them."""
    if len(np.unique(groups)) < 2:
        return np.empty(0, np.int64)
    rows = np.arange(len(groups))
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _hot(index: SearchIndex) -> Hot:
    """`patch label`, 0 or 1, of the labels that occur."""
    column = index.patches["labels"].combine_chunks()
    flat = pc.list_flatten(column).cast(pa.string()).dictionary_encode()
    hot = np.zeros((len(column), len(flat.dictionary)), np.float32)
    hot[np.asarray(pc.list_parent_indices(column)), np.asarray(flat.indices)] = 1
    return hot
