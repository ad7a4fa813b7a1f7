"""All bands of a scene's patches: the arrays of its pixel sizes, read together."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benforge.archive.mapped import PatchArray, PlainArray
from benforge.archive.pools import ShardPool
from benforge.errors import InputError

Pixels = npt.NDArray[np.uint16]

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


def check_room(
    out: Mapping[int, Pixels], count: int, shapes: Mapping[int, tuple[int, ...]]
) -> None:
    """Raise unless so many patches fit into these arrays.

    Args:
        out: pixel size to `patch band row col`.
        count: patches to be read.
        shapes: pixel size to `band row col` of a patch.

    Raises:
        InputError: an array is of another type or shape, too short, or only to be read.
    """
    for size, room in out.items():
        shape = shapes.get(size, room.shape[1:])
        fits = room.shape[1:] == shape and len(room) >= count
        if room.dtype != np.uint16 or not fits or not room.flags.writeable:
            raise InputError(
                f"{room.dtype} of {room.shape} cannot take {count} patches of {size} m",
                do=f"Give uint16 of {(count, *shape)} that can be written",
            )


Spot = tuple[tuple[int, ...], object]
"""Which of the patches of each pool a patch is, and what keeps it mapped there while it is held."""


class Bands(Protocol):
    """The arrays of a scene that hold bands; a patch is counted row by row and must exist.

    `pools` are those that its shards lie in, one a pixel size; None where they lie in none.
    """

    pools: tuple[ShardPool, ...] | None

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

    def find(self, patch: int) -> Spot | None:
        """Where it lies in the pools; None where it lies in none.

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


def join_bands(arrays: Sequence[tuple[int, PatchArray]]) -> Bands:
    """The arrays of some pixel sizes, together in the fastest way they allow."""
    plain = [(size, array) for size, array in arrays if isinstance(array, PlainArray)]
    cuts = {(array.facts.shard_rows, array.facts.shard_columns) for _, array in arrays}
    if len(plain) == len(arrays) and len(cuts) == 1:
        return PlainBands(plain)
    return AnyBands(arrays)


class AnyBands:
    """Arrays of any kind, read one after the other."""

    pools: tuple[ShardPool, ...] | None = None

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

    def find(self, patch: int) -> Spot | None:
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

    def __init__(self, arrays: Sequence[tuple[int, PlainArray]]) -> None:
        super().__init__(arrays)
        self._plain = tuple(arrays)
        pools = tuple(array.pool for _, array in arrays if array.pool)
        self.pools = pools if len(pools) == len(arrays) else None
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

    def find(self, patch: int) -> Spot | None:
        """See `Bands`."""
        shard, chunk = self._where[patch]
        slots, stored, firsts = self._shards[shard] or self._open(shard)
        slot = slots[chunk]
        if slot is None or firsts is None:
            return None
        return tuple([first + slot for first in firsts]), stored

    def _open(self, shard: int) -> _Shard:
        """A patch that is not stored alike in every array has no slot here."""
        sizes = [size for size, _ in self._plain]
        chunks, slots, places = zip(*(a.shard(shard) for _, a in self._plain), strict=True)
        alike = [s[0] if len(set(s)) == 1 else None for s in zip(*slots, strict=True)]
        firsts = None if None in places else places
        opened = self._shards[shard] = alike, tuple(zip(sizes, chunks, strict=True)), firsts
        return opened
