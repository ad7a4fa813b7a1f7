"""Blocks of 2 x 2 cells, made up and broken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.conformance.blocks import Blocks
from benforge.core.split import PARTS
from benforge.splits.rules import ben_v1_parts

EXCUSED = -2


def _block(parts: list[int], column: int = 4, row: int = 6) -> Blocks:
    """One block, its cells in reading order."""
    cells = np.arange(len(parts))
    zeros = np.zeros(len(parts), np.int64)
    places = zeros, column + cells % 2, row + cells // 2
    return Blocks.of(*places, np.maximum(parts, -1), np.array(parts) == EXCUSED)


@pytest.mark.parametrize(
    ("parts", "full", "others"),
    [
        ([0, 1, 0, 2], True, None),
        ([0, 1, 2, 2], False, None),
        ([0, 0, 0, 1], False, None),
        ([0, EXCUSED, 0, 2], True, None),
        ([0, 0, 2, EXCUSED], True, None),
        ([0, -1, 0, 2], False, None),
        ([0, 0, 1, -1], False, None),
        ([0, 2, 0], None, True),
        ([0, 1, 0], None, False),
        ([0, EXCUSED, 2], None, True),
        ([0, -1, 2], None, False),
        ([-1, 0], None, False),
        ([0, 0], None, True),
        ([2], None, False),
    ],
)
def test_one_block(parts: list[int], full: bool | None, others: bool | None) -> None:
    block = _block(parts)
    assert (block.hold_full().equal, block.hold_others().equal) == (full, others)


def test_blocks_start_at_even_cells() -> None:
    assert _block([0, 1, 0, 2], column=5).hold_full().equal is None


def test_dates_share_their_part() -> None:
    place = np.zeros(3, np.int64)
    none = np.zeros(3, np.bool_)
    assert Blocks.of(place, place, place, np.array([1, 1, -1]), none).shared.tolist() == [True]
    assert Blocks.of(place, place, place, np.array([1, 2, 1]), none).shared.tolist() == [False]


@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1), st.integers(0, 99))
def test_our_split_keeps_the_rule(places: set[tuple[int, int]], seed: int) -> None:
    column, row = np.array(sorted(places)).T
    parts = ben_v1_parts(["33UUP"] * len(column), column, row, seed)
    numbers = np.array([PARTS.index(part) for part in parts])
    none = np.zeros(len(column), np.bool_)
    blocks = Blocks.of(np.zeros(len(column), np.int64), column, row, numbers, none)
    assert blocks.hold_full().equal is not False
    assert blocks.hold_others().equal is not False
