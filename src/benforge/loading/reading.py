"""Patches read ahead of whoever needs them, by threads that share one memory map."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from benforge.archive.archive import Archive
from benforge.archive.bands import room_for
from benforge.core.record import code_texts
from benforge.core.sensor import Sensor
from benforge.errors import ArchiveError, BenError
from benforge.loading.order import Positions

Pixels = Mapping[int, npt.NDArray[np.uint16]]
"""Pixel size (m) to `patch band row col`, all bands of that size, as stored."""

AHEAD = 2
"""Batches that each worker may be ahead."""

A = TypeVar("A")
B = TypeVar("B")


class PixelSource(Protocol):
    """Gives the stored pixels of patches, wherever they live: all three places do."""

    def read(self, positions: Positions) -> Pixels:
        """The pixels of these patches of the index, in this order.

        Returns:
            Pixel size (m) to `patch band row col`, uint16, of the bands that were asked for, or
            of all bands of those sizes.
        """
        ...


class PatchReader:
    """Reads patches by their position in an archive's index, only the pixel sizes it must.

    Args:
        archive: opened.
        bands: names of the bands that are needed.
        pinned: whether batches are read into memory that a GPU fetches by itself.
    """

    def __init__(self, archive: Archive, bands: Sequence[str], *, pinned: bool = False) -> None:
        sensor, self._pinned = archive.meta.sensor, pinned
        # not the archive: its index is large, and this may travel to other processes
        self._pixels, self._root = archive.pixels, archive.root
        self._shapes = _shapes(archive, sensor, bands)
        self._scenes, scenes = code_texts(archive.index["scene"])
        self._places = np.empty((len(archive), 3), np.int32)
        for axis, of in enumerate((scenes, archive.index["column"], archive.index["row"])):
            self._places[:, axis] = of

    @property
    def shapes(self) -> Mapping[int, tuple[int, int, int]]:
        """Pixel size to `band row col` of a patch as read; empty for an archive without patches."""
        return self._shapes

    def read(self, positions: Positions, room: Pixels | None = None) -> Pixels:
        """The stored pixels of these patches, in this order.

        Args:
            positions: in the archive's index.
            room: to write into, as this returns it; a new one if None.

        Raises:
            ArchiveError: a shard is damaged, or patches are of several sizes.
        """
        places = [(self._scenes[s], c, r) for s, c, r in self._places[positions].tolist()]
        room = self._room(len(places)) if room is None else room
        try:
            return self._pixels.read_many(places, room)
        except ValueError as error:
            if isinstance(error, BenError):
                raise
            raise ArchiveError("patches are not all of one size", where=self._root) from error

    def _room(self, count: int) -> dict[int, npt.NDArray[np.uint16]]:
        """Where a batch is read to; pinned for a GPU, which then fetches it while others work."""
        rooms = {}
        for size, shape in self._shapes.items():
            if self._pinned:
                rooms[size] = pinned((count, *shape))
            else:
                rooms[size] = room_for((count, *shape))
        return rooms


def pinned(shape: tuple[int, ...]) -> npt.NDArray[np.uint16]:
    """An array that a GPU fetches by itself; torch takes it back when it is used no more."""
    array: npt.NDArray[np.uint16] = (
        torch.empty(shape, dtype=torch.int16, pin_memory=True).numpy().view(np.uint16)
    )
    return array


def _shapes(
    archive: Archive, sensor: Sensor, bands: Sequence[str]
) -> dict[int, tuple[int, int, int]]:
    """Pixel size to `band row col` of a patch, for the sizes that hold these bands."""
    if not len(archive):
        return {}
    scene, column, row = (archive.index[name][0].as_py() for name in ("scene", "column", "row"))
    sizes = sorted({sensor.band(name).pixel_size for name in bands})
    found = {size: archive.pixels.read_array(scene, size, column, row) for size in sizes}
    return {size: array.shape for size, array in found.items()}


def read_ahead(work: Callable[[A], B], tasks: Iterable[A], workers: int) -> Iterator[B]:
    """The results of `work`, in the order of the tasks, computed ahead by `workers` threads.

    With no worker each is computed when it is asked for. Errors come where their result would.
    """
    if workers < 1:
        yield from map(work, tasks)
        return
    with ThreadPoolExecutor(workers, "read-ahead") as pool:
        waiting: deque[Future[B]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(work, task))
                if len(waiting) > AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
