"""The shards of many scenes mapped at equal distances, so that one call copies from all of them.

A copy of one patch gives Python's lock away and takes it back; with a copy for each patch and
pixel size, threads wait for each other longer than they copy. Here a batch is one call for each
pixel size, whichever scenes its patches are of: all stored patches of one kind are one array in a
stretch of addresses, most of which have no memory behind them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit

import numpy as np
import numpy.typing as npt

from benforge.archive.maps import Reserve, map_file
from benforge.archive.shards import index_size

Pixels = npt.NDArray[np.uint16]
Kind = tuple[int, tuple[int, ...], np.dtype[np.uint16], int]
"""Pixel size (m), `band row col` and type of a patch, patches of a shard."""

SHARDS = 8_000
"""Shards of each pixel size that a pool has addresses for, 15 TB in all; BigEarthNet has 6,125.
Those that come after are mapped, and copied from, one by one."""
_HUGE = 2 << 20
"""Bytes of a huge page: files that lie at multiples of it may be mapped in such."""


class ShardPool:
    """The shards of one pixel size.

    `patches` is all that may be stored in them, `patch band row col`; only what the index of a
    shard names may be looked at.

    Args:
        shape: `band row col` of a patch.
        dtype: of its values.
        patches: of a shard.
        shards: that there are addresses for.

    Raises:
        OSError: the system does not give so many addresses.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[np.uint16], patches: int, shards: int
    ) -> None:
        self._patch_bytes = math.prod(shape) * dtype.itemsize
        step = math.lcm(_HUGE, self._patch_bytes)
        self._room = -(-(patches * self._patch_bytes + index_size(patches)) // step) * step
        self._reserve = Reserve(self._room * shards, _HUGE)
        self._places = iter(range(0, self._room * shards, self._room))
        count = self._room * shards // self._patch_bytes
        self.patches: Pixels = np.ndarray((count, *shape), dtype, self._reserve.view)

    def map_file(self, path: Path) -> memoryview:
        """The bytes of a shard's file; elsewhere in memory, where there is no place left for it.

        Raises:
            OSError: the file is missing or cannot be mapped.
        """
        fits = 0 < path.stat().st_size <= self._room
        place = next(self._places, None) if fits else None
        if place is None:
            return map_file(path)
        return self._reserve.map_file(path, place, self._room)

    def first(self, shard: memoryview) -> int | None:
        """Which of `patches` a shard's bytes begin with; None where they lie elsewhere."""
        if not shard.nbytes:
            return None
        start, begin = (np.frombuffer(v, np.uint8).ctypes.data for v in (shard, self._reserve.view))
        inside = begin <= start < begin + self._reserve.view.nbytes
        return (start - begin) // self._patch_bytes if inside else None


class Pools:
    """The shards of scenes that are cut alike.

    Args:
        kinds: of the arrays of such a scene.
        shards: of each pixel size, that there are addresses for.

    Raises:
        OSError: the system does not give so many addresses.
    """

    def __init__(self, kinds: Sequence[Kind], shards: int = SHARDS) -> None:
        self.by_size = {
            size: ShardPool(shape, dtype, patches, shards) for size, shape, dtype, patches in kinds
        }

    def gather(self, found: Sequence[Sequence[int]], out: Mapping[int, Pixels]) -> None:
        """Copy patches into the first places of arrays, in one call for each pixel size.

        Args:
            found: of each patch, which of each pool's patches it is.
            out: pixel size to `patch band row col`; not all sizes need to be there.
        """
        which = np.array(found, np.intp).T
        for (size, pool), chosen in zip(self.by_size.items(), which, strict=True):
            if size in out:
                # numpy checks with "raise" and copies twice; these were looked up, not reckoned
                np.take(pool.patches, chosen, axis=0, out=out[size][: len(chosen)], mode="clip")


def make_pools(kinds: Sequence[Kind], shards: int = SHARDS) -> Pools | None:
    """Pools for such scenes; None where the system does not give so many addresses."""
    if getrlimit(RLIMIT_AS)[0] != RLIM_INFINITY:  # what is reserved here would lack elsewhere
        return None
    try:
        return Pools(kinds, shards)
    except (OSError, OverflowError, ValueError):
        return None
