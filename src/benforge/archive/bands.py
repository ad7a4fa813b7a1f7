"""All bands of a scene's patches: the arrays of its pixel sizes, read together."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benforge.archive.mapped import PatchArray, PlainArray
from benforge.archive.pools import Kind, Pools

Pixels = npt.NDArray[np.uint16]

MakePools = Callable[[tuple[Kind, ...]], Pools | None]
"""Gives the pools of scenes whose arrays are like this."""

_LINE = 64
"""Bytes of a cache line."""


def room_for(shape: tuple[int, ...]) -> Pixels:
    """An array to read patches into, not filled, that begins at a cache line.

    Patches in a memory map do too. Numpy's own arrays begin 16 bytes later: a processor then takes
    some loads of a copy for the stores just before them, and needs a third more time.
    """
    count = int(np.prod(shape))
    raw = np.empty(2 * count + _LINE, np.uint8)
    start = -raw.ctypes.data % _LINE
    return raw[start : start + 2 * count].view(np.uint16).reshape(shape)


class Bands(Protocol):
    """The arrays of a scene that hold bands; a patch is counted row by row and must exist.

    `pools` are those that its shards lie in, if they do.
    """

    pools: Pools | None

    def read(self, patch: int) -> dict[int, Pixels]:
        """Pixel size to `band row col`, copies; zeros where none are stored.

        Raises:
            ArchiveError: a shard is damaged.
        """
        ...

    def read_into(self, patch: int, out: Mapping[int, Pixels], position: int) -> None:
        """The same into `out[pixel size][position]`, for the pixel sizes that `out` has.

        Raises:
            ArchiveError: a shard is damaged.
        """
        ...

    def find(self, patch: int) -> tuple[int, ...] | None:
        """Where it lies in the pool of each pixel size; None where it lies in none.

        Raises:
            ArchiveError: a shard is damaged.
        """
        ...

    def advise(self, patch: int, sizes: Container[int]) -> None:
        """Have the disk begin to read a patch's bands of these pixel sizes.

        Raises:
            ArchiveError: a shard is damaged.
        """
        ...


def join_bands(arrays: Sequence[tuple[int, PatchArray]], pooled: MakePools) -> Bands:
    """The arrays of some pixel sizes, together in the fastest way they allow.

    Args:
        arrays: of a scene.
        pooled: gives the pools of scenes like this; those who are joined in one lie in one array.
    """
    plain = [(size, array) for size, array in arrays if isinstance(array, PlainArray)]
    cuts = {(array.facts.shard_rows, array.facts.shard_columns) for _, array in arrays}
    if len(plain) == len(arrays) and len(cuts) == 1:
        return PlainBands(plain, pooled(tuple((s, *array.facts.kind) for s, array in plain)))
    return AnyBands(arrays)


class AnyBands:
    """Arrays of any kind, read one after the other."""

    pools: Pools | None = None

    def __init__(self, arrays: Sequence[tuple[int, PatchArray]]) -> None:
        self._arrays = tuple(arrays)

    def read(self, patch: int) -> dict[int, Pixels]:
        """See `Bands`."""
        return {size: array.read(patch) for size, array in self._arrays}

    def read_into(self, patch: int, out: Mapping[int, Pixels], position: int) -> None:
        """See `Bands`."""
        for size, array in self._arrays:
            if size in out:
                array.read(patch, out[size][position])

    def find(self, patch: int) -> tuple[int, ...] | None:
        """See `Bands`."""
        return None

    def advise(self, patch: int, sizes: Container[int]) -> None:
        """See `Bands`."""
        for size, array in self._arrays:
            if size in sizes:
                array.advise(patch)


_Shard = tuple[list[int | None], tuple[tuple[int, Pixels], ...], tuple[int, ...] | None]
"""Which of the stored chunks each chunk is; the stored chunks of each pixel size; and which of its
pool's patches the first is, of each pixel size, where all lie in pools."""


class PlainBands(AnyBands):
    """Plain arrays that are cut alike: one lookup finds a patch in all of them.

    Copying a patch takes 15 microseconds, so a lookup for each array would show.
    """

    def __init__(self, arrays: Sequence[tuple[int, PlainArray]], pools: Pools | None) -> None:
        super().__init__(arrays)
        self.pools = pools
        for size, array in arrays:
            if pools:
                array.map_in(pools.by_size[size])
        self._plain = tuple(arrays)
        self._where = arrays[0][1].where
        self._shards: list[_Shard | None] = [None] * arrays[0][1].facts.shards

    def read(self, patch: int) -> dict[int, Pixels]:
        """See `Bands`."""
        shard, chunk = self._where[patch]
        slots, stored, _ = self._shards[shard] or self._open(shard)
        slot = slots[chunk]
        if slot is None:
            return super().read(patch)
        arrays = {}  # a loop, as a comprehension is a call
        for size, chunks in stored:
            arrays[size] = chunks[slot].copy()
        return arrays

    def read_into(self, patch: int, out: Mapping[int, Pixels], position: int) -> None:
        """See `Bands`."""
        shard, chunk = self._where[patch]
        slots, stored, _ = self._shards[shard] or self._open(shard)
        slot = slots[chunk]
        if slot is None:
            super().read_into(patch, out, position)
            return
        for size, chunks in stored:
            if size in out:
                out[size][position] = chunks[slot]

    def find(self, patch: int) -> tuple[int, ...] | None:
        """See `Bands`."""
        shard, chunk = self._where[patch]
        slots, _, firsts = self._shards[shard] or self._open(shard)
        slot = slots[chunk]
        return None if slot is None or firsts is None else tuple([f + slot for f in firsts])

    def _open(self, shard: int) -> _Shard:
        """A patch that is not stored alike in every array has no slot here."""
        sizes = [size for size, _ in self._plain]
        chunks, slots, firsts = zip(*(array.open(shard) for _, array in self._plain), strict=True)
        alike = [found[0] if len(set(found)) == 1 else None for found in zip(*slots, strict=True)]
        pooled = None if None in firsts else firsts
        merged = self._shards[shard] = alike, tuple(zip(sizes, chunks, strict=True)), pooled
        return merged
