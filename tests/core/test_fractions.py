"""Shares survive crosswalks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from benforge.core.fractions import FractionTable, LabelFractions
from benforge.core.nomenclature import Crosswalk, load_crosswalk
from benforge.errors import InputError
from benforge.testing.strategies import crosswalks, fraction_tables


@given(fractions=fraction_tables(), crosswalk=crosswalks())
def test_shares_survive_a_crosswalk(fractions: FractionTable, crosswalk: Crosswalk) -> None:
    """What is kept and what is dropped is what there was."""
    dropped = [fractions.codes.index(code) for code in crosswalk.dropped]
    merged = fractions.through(crosswalk)
    for before, after in ((fractions.shares, merged.shares), (fractions.pixels, merged.pixels)):
        total = after.sum(axis=1) + before[:, dropped].sum(axis=1)
        assert total == pytest.approx(before.sum(axis=1))
    assert merged.codes == crosswalk.target.codes


@given(fractions=fraction_tables(), crosswalk=crosswalks())
def test_table_and_patch_agree(fractions: FractionTable, crosswalk: Crosswalk) -> None:
    merged = fractions.through(crosswalk)
    for patch in range(len(fractions)):
        alone = fractions[patch].through(crosswalk)
        assert alone.shares == pytest.approx(merged[patch].shares)
        assert alone.gap == pytest.approx(merged.gaps[patch])


def test_take_keeps_order() -> None:
    table = FractionTable((1, 2), np.eye(2), np.eye(2, dtype=np.int32), 1)
    assert table.take(np.array([1, 0, 1])).shares.tolist() == [[0, 1], [1, 0], [0, 1]]


@pytest.mark.parametrize("shares", [{111: 0.0}, {111: -0.1}, {111: 1.1}, {111: 0.6, 112: 0.6}])
def test_impossible_shares(shares: dict[int, float]) -> None:
    with pytest.raises(InputError, match="sum to at most 1"):
        LabelFractions(shares)


def test_shapes_must_fit() -> None:
    with pytest.raises(InputError, match="do not fit"):
        FractionTable((1, 2), np.zeros((3, 2)), np.zeros((2, 2), np.int32), 1)


def test_glaciers_become_gap() -> None:
    merged = LabelFractions({335: 0.4, 332: 0.6}).through(load_crosswalk("clc-43"))
    assert merged.shares == {332: 0.6}
    assert merged.gap == pytest.approx(0.4)
