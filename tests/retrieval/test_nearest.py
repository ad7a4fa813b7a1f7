"""Exact search is what scikit-learn finds, whatever the numbers."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from benforge.retrieval.nearest import RUN, Metric, Vectors, distance

METRICS = get_args(Metric)


def draw_vectors(seed: int, count: int, features: int, *, grid: bool = False) -> np.ndarray:
    """Vectors; on a grid many are equal, some all zeros."""
    random = np.random.default_rng(seed)
    if grid:
        return random.integers(0, 3, (count, features)).astype(np.float32)
    return random.standard_normal((count, features)).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("count", [5, 300, 40 * RUN + 7])
def test_scikit_learn_finds_the_same(metric: Metric, count: int) -> None:
    values = draw_vectors(1, count, 17)
    queries = draw_vectors(2, 9, 17)
    oracle = NearestNeighbors(n_neighbors=5, metric=metric, algorithm="brute")
    distances, rows = oracle.fit(values.astype(np.float64)).kneighbors(queries.astype(np.float64))
    found = list(Vectors.of(values, metric).nearest(queries, 5))
    assert [one.rows.tolist() for one in found] == rows.tolist()
    assert np.abs(np.stack([one.distances for one in found]) - distances).max() < 1e-7


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 60),
    k=st.integers(1, 70),
    metric=st.sampled_from(METRICS),
    grid=st.booleans(),
)
def test_laws(seed: int, count: int, k: int, metric: Metric, grid: bool) -> None:
    """As one exact look at everything, ties by row; one query as many; itself is left out."""
    values = draw_vectors(seed, count, 3, grid=grid)
    queries = values[:4]
    vectors = Vectors.of(values, metric)
    rows = np.arange(count)
    alone = [next(vectors.nearest(query[None], k)) for query in queries]
    for query, one, together in zip(queries, alone, vectors.nearest(queries, k), strict=True):
        every = distance(values, query, metric)
        expected = np.lexsort((rows, every))[:k]
        assert one.rows.tolist() == together.rows.tolist() == expected.tolist()
        assert (one.distances == every[expected]).all()
    for row, one in enumerate(vectors.nearest(queries, k, rows, rows[:4])):
        assert row not in one.rows
        assert len(one.rows) == min(k, count - 1)
        assert len(set(one.rows.tolist())) == len(one.rows)


@pytest.mark.parametrize("metric", METRICS)
def test_far_more_than_float32_tells_apart(metric: Metric) -> None:
    """Far from the origin a product rounds away what parts vectors; the second look does not."""
    random = np.random.default_rng(4)
    values = (1000 + random.standard_normal((8 * RUN, 8)) * 1e-3).astype(np.float32)
    every = distance(values, values[3], metric)
    (one,) = Vectors.of(values, metric).nearest(values[3][None], 4)
    assert (one.distances == np.sort(every)[:4]).all()
    assert (every[one.rows] == one.distances).all()


def test_groups_are_left_out_even_where_they_are_nearest() -> None:
    values = np.repeat(np.arange(40 * RUN, dtype=np.float32)[:, None], 2, axis=1)
    groups = np.arange(len(values)) // 1000
    vectors = Vectors.of(values, "euclidean")
    (one,) = vectors.nearest(values[[1500]], 3, groups, groups[[1500]])
    assert one.rows.tolist() == [2000, 999, 2001]
    (none,) = vectors.nearest(values[[0]], 3, np.zeros(len(values), np.int64), np.array([0]))
    assert len(none.rows) == 0


def test_a_vector_without_direction_is_at_one() -> None:
    values = np.array([[0, 0], [1, 0], [-1, 0]], np.float32)
    (one,) = Vectors.of(values, "cosine").nearest(values[[1]], 3)
    assert one.rows.tolist() == [1, 0, 2]
    assert one.distances.tolist() == [0, 1, 2]
