"""A patch told by the mean and the standard deviation of each of its bands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from benforge.archive.archive import Archive
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor

Vectors = npt.NDArray[np.float32]
"""`patch feature`."""

AT_ONCE = 64
"""Patches read at a time."""


def names_of(sensor: Sensor) -> tuple[str, ...]:
    """What each feature is: the mean of every band, then the deviation of every band."""
    bands = [b.name for size in sensor.pixel_sizes for b in sensor.bands_at(size)]
    return (*(f"{b} mean" for b in bands), *(f"{b} deviation" for b in bands))


def describe_bands(pixels: Mapping[int, npt.NDArray[np.uint16]]) -> Vectors:
    """Mean and standard deviation of each band, `patch feature`, in stored numbers.

    Pixels of value 0 are no data and do not count; a band without others has 0 and 0.

    Args:
        pixels: pixel size (m) to `patch band row col`, as stored.
    """
    means, deviations = [], []
    for size in sorted(pixels):
        values = pixels[size].reshape(*pixels[size].shape[:2], -1).astype(np.float64)
        count = np.maximum(np.count_nonzero(values, axis=2), 1)
        mean = values.sum(axis=2) / count
        square = np.einsum("pbx,pbx->pb", values, values) / count
        means.append(mean)
        deviations.append(np.sqrt(np.maximum(square - mean * mean, 0)))
    return np.concatenate([*means, *deviations], axis=1).astype(np.float32)


def describe_archive(
    archive: Archive, progress: Progress = silent, size: int = AT_ONCE
) -> Iterator[Vectors]:
    """`describe_bands` of every patch of an archive, in the order of its index, in batches.

    Args:
        archive: opened.
        progress: told how many are done.
        size: patches a batch.

    Raises:
        ArchiveError: a shard is damaged.
    """
    places = archive.places()
    for start in range(0, len(places), size):
        part = places[start : start + size]
        yield describe_bands(archive.pixels.read_many(part))
        progress("describing", start + len(part), len(places))
