"""The order of an epoch is drawn from seed and epoch alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive.archive import Archive
from benforge.loading.order import block_ids, cut, draw_turns, shuffle, shuffle_blocks


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


def test_shards_keep_their_patches() -> None:
    """What `Processes.share` gives to a process is of its shard, in every epoch."""
    positions = np.arange(100, 143)
    for epoch in range(3):
        order = shuffle(positions, 7, epoch, shards=3)
        assert sorted(order) == sorted(positions)
        for shard in range(3):
            assert set(order[shard::3]) == set(positions[shard::3])
    assert not np.array_equal(
        shuffle(positions, 7, 0, shards=3), shuffle(positions, 7, 1, shards=3)
    )


@given(
    st.integers(0, 200), st.integers(1, 9), st.integers(1, 5), st.integers(0, 3), st.integers(0, 3)
)
def test_blocks_stay_within_their_window(
    count: int, kinds: int, window: int, seed: int, epoch: int
) -> None:
    blocks = np.random.default_rng(count).integers(0, kinds, count + 5)
    positions = np.arange(2, count + 2)
    order = shuffle_blocks(positions, blocks, seed, epoch, window)
    assert sorted(order) == positions.tolist()
    assert np.array_equal(order, shuffle_blocks(positions, blocks, seed, epoch, window))
    # at no time are more blocks begun and not ended than a window holds
    left = np.bincount(blocks[positions], minlength=kinds)
    begun: set[int] = set()
    for block in blocks[order]:
        begun.add(int(block))
        left[block] -= 1
        assert len(begun) <= window
        if all(left[b] == 0 for b in begun):
            begun.clear()


def test_blocks_are_shards(imported_sample: Archive) -> None:
    blocks = block_ids(imported_sample.index)
    rows = list(imported_sample.records())
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            same = (one.scene, one.row // 13, one.column // 13) == (
                other.scene, other.row // 13, other.column // 13,
            )  # fmt: skip
            assert (blocks[i] == blocks[j]) == same
