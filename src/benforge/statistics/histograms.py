"""Every pixel value of an archive counted, band by band: what exact statistics are made of."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.archive.archive import Archive
from benforge.archive.executors import Workers, few_workers, run_tasks
from benforge.archive.pixels import PixelReader, Place
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor

VALUES = 65_536
"""Of uint16."""
AT_ONCE = 8
"""Patches read at a time: the 115,200 values of a band at 10 m stay in the cache."""
A_TASK = 512
"""Patches that a process is sent at a time."""
WORTH_A_PROCESS = 4096
"""Patches below which starting processes takes longer than counting."""

Counts = dict[str, npt.NDArray[np.int64]]
"""Band to how often each value occurs, `value`."""


@dataclass(frozen=True, slots=True, eq=False)
class Histograms:
    """How often every value occurs in every band.

    Args:
        sensor: the bands.
        counts: band to `value`, 65,536 of them; 0 is no data.
        patches: how many were read.
        seconds: how long it took.
    """

    sensor: Sensor
    counts: Mapping[str, npt.NDArray[np.int64]]
    patches: int
    seconds: float

    @property
    def patches_per_second(self) -> float:
        """How fast they were read and counted."""
        return self.patches / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class _Task:
    pixels: PixelReader
    sensor: Sensor
    places: Sequence[Place]


def count_pixels(
    archive: Archive, workers: Workers = None, progress: Progress = silent
) -> Histograms:
    """Every value of every band, in one pass over the pixels, in parallel.

    Args:
        archive: it, or what `filter` left of it.
        workers: processes; None for every core, or this process alone if the archive is small;
            or the address of a dask scheduler.
        progress: told how many patches are counted.

    Raises:
        ArchiveError: a scene is missing or a shard is damaged.
        WorkerError: a process died.
    """
    started = time.perf_counter()
    workers = few_workers(workers, 1 + len(archive) // WORTH_A_PROCESS)
    total = {band.name: np.zeros(VALUES, np.int64) for band in archive.meta.sensor.patch_bands}
    done = 0
    results = run_tasks(_count_task, _tasks(archive), workers, reads=[archive.root])
    for counted, counts in results:
        for band, found in counts.items():
            total[band][: len(found)] += found
        done += counted
        progress("counting pixel values", done, len(archive))
    return Histograms(archive.meta.sensor, total, done, time.perf_counter() - started)


def _tasks(archive: Archive) -> Iterator[_Task]:
    """Tasks of one scene each: patches of a scene are of one size."""
    for _, places in archive.places_by_scene():
        for start in range(0, len(places), A_TASK):
            part = places[start : start + A_TASK]
            yield _Task(archive.pixels, archive.meta.sensor, part)


def _count_task(task: _Task) -> tuple[int, Counts]:
    counts: Counts = {}
    room: Mapping[int, npt.NDArray[np.uint16]] | None = None
    for start in range(0, len(task.places), AT_ONCE):
        places = task.places[start : start + AT_ONCE]
        if len(places) < AT_ONCE:
            room = None  # the last few have room of their own
        pixels = room = task.pixels.read_many(places, room)
        for band, values in _by_band(task.sensor, pixels):
            counts[band] = add_counts(counts.get(band), np.bincount(values))
    return len(task.places), counts


def _by_band(
    sensor: Sensor, pixels: Mapping[int, npt.NDArray[np.uint16]]
) -> Iterator[tuple[str, npt.NDArray[np.uint16]]]:
    for size, array in pixels.items():
        for i, band in enumerate(sensor.bands_at(size)):
            yield band.name, array[:, i].ravel()


def add_counts(
    one: npt.NDArray[np.int64] | None, other: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The sum of two counts of values, as long as the longer; one of the two may be changed."""
    if one is None:
        return other
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    longer[: len(shorter)] += shorter
    return longer
