"""The shards of many scenes mapped at equal distances, so that one call copies from all of them.

A copy of one patch gives Python's lock away and takes it back; with a copy for each patch and
pixel size, threads wait for each other longer than they copy. Here a batch is one call for each
pixel size, whichever scenes its patches are of: all stored patches of one kind are one array in a
stretch of addresses, most of which have no memory behind them.
"""

from __future__ import annotations

import math
from collections import deque
from contextlib import suppress
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.archive.layout import SHARD
from benforge.archive.maps import Reserve, map_file
from benforge.archive.shards import index_size

SHARDS = 8_000
"""Shards of each pixel size that a process has addresses for; BigEarthNet has 6,125. Those that
are open beyond are mapped, and copied from, one by one."""
MOST = 1 << 44
"""Bytes of addresses of a pool, an eighth of what a process has."""
_HUGE = 2 << 20
"""Bytes of a huge page: files that lie at multiples of it may be mapped in such."""


class ShardPool:
    """The shards of all scenes of a process whose patches have one shape.

    `patches` is all that may be stored in them, `patch band row col`; only what the index of a
    shard that is mapped names may be looked at.

    Args:
        shape: `band row col` of a patch of uint16.
        shards: that there are addresses for.

    Raises:
        OSError: the system does not give so many addresses.
        ArithmeticError: a patch has no pixel.
    """

    def __init__(self, shape: tuple[int, ...], shards: int = SHARDS) -> None:
        self._patch_bytes = 2 * math.prod(shape)
        step = math.lcm(_HUGE, self._patch_bytes)
        largest = SHARD * SHARD * self._patch_bytes + index_size(SHARD * SHARD)
        self._room = -(-largest // step) * step
        size = min(shards, MOST // self._room) * self._room
        self._unused, self._free = iter(range(0, size, self._room)), deque[int]()
        self._reserve = Reserve(size, _HUGE)
        self.patches: npt.NDArray[np.uint16] = np.ndarray(
            (size // self._patch_bytes, *shape), "<u2", self._reserve.view
        )

    def map_file(self, path: Path) -> tuple[memoryview, int | None]:
        """The bytes of a shard's file, and which of `patches` they begin with.

        None where they lie elsewhere in memory, as where no place is left.

        Raises:
            OSError: the file is missing or cannot be mapped.
        """
        place = self._take()
        if place is not None:
            with suppress(OSError):
                data = self._reserve.map_file(path, place, self._room, self._free.append)
                return data, place // self._patch_bytes
        return map_file(path), None

    def _take(self) -> int | None:
        try:
            return self._free.pop()
        except IndexError:
            return next(self._unused, None)


_POOLS: dict[tuple[int, ...], ShardPool | None] = {}
"""Of this process."""


def find_pool(shape: tuple[int, ...], dtype: np.dtype[Any]) -> ShardPool | None:
    """The pool of patches of this shape; None for other types, and where addresses are scarce."""
    if len(shape) != 3 or dtype != np.uint16:
        return None
    if shape not in _POOLS:
        _POOLS.setdefault(shape, _make_pool(shape))
    return _POOLS[shape]


def _make_pool(shape: tuple[int, ...]) -> ShardPool | None:
    if getrlimit(RLIMIT_AS)[0] != RLIM_INFINITY:  # what is reserved here would lack elsewhere
        return None
    try:
        return ShardPool(shape)
    except (ArithmeticError, OSError, ValueError):
        return None
