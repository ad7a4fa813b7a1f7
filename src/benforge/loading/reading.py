"""Patches read ahead of whoever needs them, by threads that share one memory map."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from benforge.archive.archive import Archive
from benforge.core.record import number_texts
from benforge.core.sensor import Sensor
from benforge.errors import ArchiveError
from benforge.loading.order import Positions

Pixels = Mapping[int, npt.NDArray[np.uint16]]
"""Pixel size (m) to `patch band row col`, all bands of that size, as stored."""

AHEAD = 2
"""Batches that each worker may be ahead."""

A = TypeVar("A")
B = TypeVar("B")


class PatchReader:
    """Reads patches by their position in an archive's index, only the pixel sizes it must.

    Args:
        archive: opened.
        bands: names of the bands that are needed.
    """

    def __init__(self, archive: Archive, bands: Sequence[str]) -> None:
        sensor = archive.meta.sensor
        self._archive, self._shapes = archive, _shapes(archive, sensor, bands)
        self._scenes, scenes = number_texts(archive.index["scene"])
        columns, rows = (np.asarray(archive.index[name]) for name in ("column", "row"))
        self._places = np.stack([scenes.astype(np.int32), columns, rows], axis=1, dtype=np.int32)

    def read(self, positions: Positions) -> Pixels:
        """The stored pixels of these patches, in this order.

        Raises:
            ArchiveError: a shard is damaged, or patches are of several sizes.
        """
        places = [(self._scenes[s], c, r) for s, c, r in self._places[positions].tolist()]
        room = {
            size: np.empty((len(places), *shape), np.uint16) for size, shape in self._shapes.items()
        }
        try:
            return self._archive.pixels.read_many(places, room)
        except ValueError as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(
                "patches are not all of one size", where=self._archive.root
            ) from error


def _shapes(
    archive: Archive, sensor: Sensor, bands: Sequence[str]
) -> dict[int, tuple[int, int, int]]:
    """Pixel size to `band row col` of a patch, for the sizes that hold these bands."""
    sizes = sorted({sensor.band(name).pixel_size for name in bands})
    found = archive[0].arrays if len(archive) else {}
    return {size: found[size].shape for size in sizes if size in found}


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
