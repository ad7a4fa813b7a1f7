"""Features come on one scale, whichever way they are cut into batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from benforge.retrieval.scaling import Spread, rescale, rescale_file


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 39), max_size=4), st.floats(0, 1e4))
def test_one_kind_is_scaled_as_scikit_learn_does(cuts: list[int], offset: float) -> None:
    values = np.random.default_rng(1).normal(offset, 3, (40, 5)).astype(np.float32)
    batches = [part for part in np.split(values, sorted(cuts)) if len(part)]
    spread = Spread()
    assert sum(map(len, spread.watch(batches))) == 40
    shift, scale = spread.scale([5])
    wanted = StandardScaler().fit(values.astype(np.float64))
    assert np.allclose(shift, wanted.mean_, rtol=1e-9)
    assert np.allclose(scale, wanted.scale_, rtol=1e-6)


def test_kinds_count_alike_and_what_never_changes_does_not() -> None:
    random = np.random.default_rng(2)
    few, many = random.normal(9, 5, (300, 2)), random.normal(0, 1e-3, (300, 30))
    values = np.concatenate([few, np.full((300, 1), 0.1), many], axis=1).astype(np.float32)
    spread = Spread()
    list(spread.watch([values[:7], values[7:]]))
    shift, scale = spread.scale([3, 30])
    found = rescale(values, shift, scale)
    assert (found[:, 2] == 0).all()
    lengths = [np.square(part).sum(axis=1).mean() for part in (found[:, :3], found[:, 3:])]
    assert lengths == pytest.approx([16, 16], rel=1e-4)


def test_a_file_is_rescaled_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benforge.retrieval.scaling._ROWS", 7)
    values = np.random.default_rng(3).normal(5, 2, (30, 3)).astype(np.float32)
    np.save(tmp_path / "v.npy", values)
    rescale_file(tmp_path / "v.npy", [5, 5, 5], [2, 0, 1])
    found = np.load(tmp_path / "v.npy")
    assert (found == rescale(values, [5, 5, 5], [2, 0, 1])).all()
    assert found.dtype == np.float32
