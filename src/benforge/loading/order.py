"""The order of patches and their turns: drawn from seed and epoch alone, whoever reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]

TURNS = 8
"""Ways to lay a square on itself: four rotations, each flipped or not."""
_ORDER, _TURNS = 1, 2
"""What a stream of random numbers is for, so that one does not depend on the other."""


def shuffle(positions: Positions, seed: int, epoch: int) -> Positions:
    """The patches of an epoch in their order."""
    return _random(seed, epoch, _ORDER).permutation(positions)


def draw_turns(count: int, seed: int, epoch: int) -> npt.NDArray[np.uint8]:
    """The turn of each patch of an epoch, 0 to 7, in the epoch's order."""
    return _random(seed, epoch, _TURNS).integers(0, TURNS, count, dtype=np.uint8)


def cut(count: int, size: int, start: int = 0) -> Iterator[slice]:
    """The batches of an epoch of `count` patches, from batch `start`; the last may be smaller."""
    return (slice(i, min(i + size, count)) for i in range(start * size, count, size))


def _random(seed: int, epoch: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch, stream])
