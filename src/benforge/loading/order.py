"""The order of patches and their turns: drawn from seed and epoch alone, whoever reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.archive.layout import SHARD

Positions = npt.NDArray[np.int64]

TURNS = 8
"""Ways to lay a square on itself: four rotations, each flipped or not."""
WINDOW = 16
"""Blocks whose patches `shuffle_blocks` mixes: 430 MB of a full archive's pixels."""
_ORDER, _TURNS = 1, 2
"""What a stream of random numbers is for, so that one does not depend on the other."""


def shuffle(positions: Positions, seed: int, epoch: int, shards: int = 1) -> Positions:
    """The patches of an epoch in their order.

    Args:
        positions: of all patches of the epoch.
        seed: of the training.
        epoch: from 0.
        shards: processes that each hold some pixels alone, process `i` those of
            `positions[i::shards]`: they stand at `i::shards` of every epoch's order too, each
            shard shuffled by itself.
    """
    random = _random(seed, epoch, _ORDER)
    if shards == 1:
        return random.permutation(positions)
    order = np.empty_like(positions)
    for shard in range(shards):
        order[shard::shards] = random.permutation(positions[shard::shards])
    return order


def shuffle_blocks(
    positions: Positions, blocks: Positions, seed: int, epoch: int, window: int = WINDOW
) -> Positions:
    """The patches of an epoch in an order that a disk can follow: blocks shuffled, patches mixed.

    Blocks (shards of the archive) are put in a random order, drawn anew for each epoch; then
    `window` of them at a time are read whole and their patches shuffled together. What this costs
    in randomness: the patches of one block, neighbours of one scene, come within one window of
    some 2,700 patches instead of anywhere in the epoch, so a batch of 128 is drawn from 16 places
    and dates, not from all of them. Which blocks share a window changes with every epoch.

    Args:
        positions: of all patches of the epoch.
        blocks: the block of every patch of the archive, in the order of its index.
        seed: of the training.
        epoch: from 0.
        window: blocks that are mixed.
    """
    random = _random(seed, epoch, _ORDER)
    names, block = np.unique(blocks[positions], return_inverse=True)
    place = random.permutation(len(names))[block]
    order = np.argsort(place // window, kind="stable")
    mixed = positions[order]
    ends = np.cumsum(np.bincount(place // window, minlength=1))
    for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        random.shuffle(mixed[start:end])
    return mixed


def block_ids(index: pa.Table) -> Positions:
    """The shard of every patch of an archive's index, counted from 0."""
    scene = index["scene"].cast(pa.string()).combine_chunks().dictionary_encode().indices
    down, across = (np.asarray(index[name], np.int64) // SHARD for name in ("row", "column"))
    places = np.stack([np.asarray(scene, np.int64), down, across], axis=1)
    return np.unique(places, axis=0, return_inverse=True)[1].reshape(-1)


def draw_turns(count: int, seed: int, epoch: int) -> npt.NDArray[np.uint8]:
    """The turn of each patch of an epoch, 0 to 7, in the epoch's order."""
    return _random(seed, epoch, _TURNS).integers(0, TURNS, count, dtype=np.uint8)


def cut(count: int, size: int, start: int = 0) -> Iterator[slice]:
    """The batches of an epoch of `count` patches, from batch `start`; the last may be smaller."""
    return (slice(i, min(i + size, count)) for i in range(start * size, count, size))


def _random(seed: int, epoch: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch, stream])
