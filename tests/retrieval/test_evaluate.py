"""Precision at k is what counting by hand gives; chance is what all patches together give."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benforge.errors import InputError
from benforge.retrieval.evaluate import evaluate_search
from benforge.retrieval.index import SearchIndex
from tests.retrieval.test_index import MADE


def make_index(labels: list[list[str]], vectors: np.ndarray, tiles: list[str]) -> SearchIndex:
    names = [f"p{i}" for i in range(len(labels))]
    kept = pa.array(labels, pa.list_(pa.string()))
    rows = pa.table({"patch_id": names, "v1_name": names, "tile": tiles, "labels": kept})
    return SearchIndex(Path("index"), MADE, rows, vectors.astype(np.float32))


def by_hand(index: SearchIndex, k: int, *, other_tiles: bool) -> list[float]:
    labels = [set(one) for one in index.patches["labels"].to_pylist()]
    tiles = index.patches["tile"].to_pylist()
    known = [i for i, one in enumerate(labels) if one]
    sums = []
    for i in known:
        others = [j for j in known if (tiles[j] != tiles[i] if other_tiles else j != i)]
        far = {j: float(((index.vectors[i] - index.vectors[j]) ** 2).sum()) for j in others}
        near = sorted(others, key=lambda j, far=far: (far[j], j))[:k]
        shared = {j: len(labels[i] & labels[j]) / len(labels[i] | labels[j]) for j in others}
        sums.append(
            [
                np.mean([shared[j] > 0 for j in near]),
                np.mean([shared[j] > 0 for j in others]),
                np.mean([shared[j] for j in near]),
                np.mean([shared[j] for j in others]),
            ]
        )
    return np.mean(sums, axis=0).tolist()


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 12), st.booleans())
def test_counting_by_hand(seed: int, k: int, other_tiles: bool) -> None:
    random = np.random.default_rng(seed)
    labels = [[c for c in "abcd" if random.random() < 0.35] for _ in range(14)]
    labels[0] = labels[1] = ["a"]
    tiles = ["s", "t", *random.choice(["s", "t", "u"], 12).tolist()]
    index = make_index(labels, random.integers(0, 4, (14, 2)), tiles)
    found = evaluate_search(index, k=k, other_tiles=other_tiles)
    told = [
        found.precision,
        found.precision_by_chance,
        found.overlap,
        found.overlap_by_chance,
    ]
    assert np.allclose(told, by_hand(index, k, other_tiles=other_tiles))
    assert found.queries == sum(map(bool, labels))


def test_vectors_that_are_the_labels_find_them_all() -> None:
    index = make_index([["a"]] * 12 + [["b"]] * 12, np.repeat([[0], [9]], 12, axis=0), ["t"] * 24)
    found = evaluate_search(index, k=10)
    assert (found.precision, found.overlap) == (1, 1)
    assert found.precision_interval == (1, 1)
    assert found.precision_by_chance == pytest.approx(11 / 23)
    assert found.index["simulated"]
    few = evaluate_search(index, k=10, most=5)
    assert (few.queries, few.precision) == (5, 1)


def test_nothing_to_find() -> None:
    index = make_index([["a"], ["a"], []], np.eye(3), ["t", "t", "u"])
    with pytest.raises(InputError, match="Take an archive of several tiles"):
        evaluate_search(index, other_tiles=True)
    with pytest.raises(InputError, match="no patch with labels may find another"):
        evaluate_search(make_index([["a"], []], np.eye(2), ["t", "t"]))


def test_the_real_patches_by_statistics(statistics: SearchIndex) -> None:
    found = evaluate_search(statistics, k=10)
    assert found.queries == 66
    assert not found.index["simulated"]
    assert found.precision > found.precision_by_chance + 0.2
    low, high = found.precision_interval
    assert 0.03 < found.precision - low < 0.09  # 1.96 standard errors are 0.059
    assert 0.03 < high - found.precision < 0.09
    apart = evaluate_search(statistics, k=10, other_tiles=True)
    assert apart.precision < found.precision
    cosine = msgspec.structs.replace(statistics.facts, metric="cosine")
    other = SearchIndex(statistics.root, cosine, statistics.patches, statistics.vectors)
    assert evaluate_search(other).metric == "cosine"
