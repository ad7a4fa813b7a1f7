"""Features come on one scale and on principal axes, whichever way they are cut into batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import StandardScaler

from benforge.retrieval.scaling import AXES, Spread, turn_to_axes, turned_from_file


def turned(values: np.ndarray, kinds: list[int], cuts: list[int]) -> np.ndarray:
    spread = Spread()
    batches = [part for part in np.split(values, sorted(cuts)) if len(part)]
    assert sum(map(len, spread.watch(batches))) == len(values)
    return turn_to_axes(values, *spread.axes(kinds))


@settings(max_examples=25)
@given(st.lists(st.integers(0, 39), max_size=4), st.floats(0, 1e4))
def test_distances_are_those_of_scikit_learn(cuts: list[int], offset: float) -> None:
    random = np.random.default_rng(1)
    values = (random.normal(0, 3, (40, 5)) @ random.normal(0, 1, (5, 5)) + offset).astype("f4")
    wanted = PCA().fit_transform(StandardScaler().fit_transform(values.astype(np.float64)))
    wanted /= np.sqrt(wanted.std(axis=0))
    ratio = pairwise_distances(turned(values, [5], cuts)) / pairwise_distances(wanted).clip(1e-9)
    ratio = ratio[~np.eye(40, dtype=bool)]
    assert np.abs(ratio / ratio[0] - 1).max() < 1e-3


def test_kinds_count_alike_and_what_never_changes_does_not() -> None:
    random = np.random.default_rng(2)
    few, many = random.normal(9, 5, (300, 2)), random.normal(0, 1e-3, (300, 30))
    values = np.concatenate([few, np.full((300, 1), 0.1), many], axis=1).astype(np.float32)
    spread = Spread()
    list(spread.watch([values[:7], values[7:]]))
    shift, axes = spread.axes([3, 30])
    assert np.allclose(shift, values.mean(axis=0), atol=1e-5)
    assert (axes[2] == 0).all()
    assert axes.shape == (33, 32)
    # Two axes with half of the variance, thirty with the other: roots of deviations.
    found = turn_to_axes(values, shift, axes).var(axis=0)
    assert found[:2] == pytest.approx(0.5**0.5, rel=0.1)
    assert found[2:] == pytest.approx(30**-0.5, rel=0.4)


def test_few_patches_and_many_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    values = random.normal(5, 2, (30, 200)).astype(np.float32)
    assert turned(values, [200], []).shape == (30, 29)
    assert turned(random.normal(5, 2, (300, 200)).astype("f4"), [200], []).shape == (300, AXES)
    assert (turned(values[:1], [200], []) == 0).all()
    monkeypatch.setattr("benforge.retrieval.scaling._ROWS", 7)
    np.save(tmp_path / "v.npy", values)
    shift, axes = [5.0] * 200, random.normal(0, 1, (200, 4))
    found = np.concatenate(list(turned_from_file(tmp_path / "v.npy", shift, axes)))
    assert np.allclose(found, turn_to_axes(values, shift, axes), atol=1e-5)
    assert found.dtype == np.float32
