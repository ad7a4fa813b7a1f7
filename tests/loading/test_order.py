"""The order of an epoch is drawn from seed and epoch alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benforge.loading.order import cut, draw_turns, shuffle


@given(st.integers(0, 500), st.integers(0, 99), st.integers(0, 99))
def test_every_patch_once(count: int, seed: int, epoch: int) -> None:
    order = shuffle(np.arange(count), seed, epoch)
    assert sorted(order.tolist()) == list(range(count))
    assert order.tolist() == shuffle(np.arange(count), seed, epoch).tolist()


def test_epochs_and_seeds_differ() -> None:
    orders = [shuffle(np.arange(99), s, e).tolist() for s, e in ((1, 0), (1, 1), (2, 0), (0, 1))]
    assert len({tuple(order) for order in orders}) == 4
    assert set(draw_turns(99, 1, 0).tolist()) == set(range(8))


@given(st.integers(0, 300), st.integers(1, 64), st.integers(0, 9))
def test_batches_cover_what_is_left(count: int, size: int, start: int) -> None:
    found = [i for part in cut(count, size, start) for i in range(part.start, part.stop)]
    assert found == list(range(start * size, count))
    assert all(0 < part.stop - part.start <= size for part in cut(count, size, start))
