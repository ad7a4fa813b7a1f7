"""Cutting: every band is decoded once, several at a time, and never window by window."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

import numpy as np
import numpy.typing as npt

from benforge.core.progress import Progress, silent
from benforge.patches.plan import PatchPlan
from benforge.scenes.port import SceneReader

Mosaics = Mapping[int, npt.NDArray[np.uint16]]
"""Pixel size (m) to all patches of a scene side by side, `band row col`."""


def read_mosaics(
    scene: SceneReader,
    plan: PatchPlan,
    *,
    threads: int = 1,
    progress: Progress = silent,
) -> Mosaics:
    """All kept bands of a scene, cut to its whole patches.

    `threads` bands are decoded at a time, each by one thread: with bands to spare that keeps
    every core busy, which threads inside one decoder do not. Takes 1.4 GB for a full tile.

    Args:
        scene: the opened product.
        plan: the patches of its tile.
        threads: bands decoded at the same time.
        progress: told each band once it is decoded; what it raises ends the reading.

    Raises:
        ProductError: a band is corrupt; nothing is returned.
    """
    meta = scene.metadata
    whole = {size: _empty(scene, size) for size in meta.sensor.pixel_sizes}
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        futures: dict[Future[object], str] = {}
        for size in meta.sensor.pixel_sizes:
            for i, band in enumerate(meta.sensor.bands_at(size)):
                futures[pool.submit(scene.read_band, band.name, whole[size][i])] = band.name
        _await(futures, progress)
    return {size: _crop(array, plan, size) for size, array in whole.items()}


def _empty(scene: SceneReader, size: int) -> npt.NDArray[np.uint16]:
    grid = scene.metadata.grid.resized(size)
    return np.empty((len(scene.metadata.sensor.bands_at(size)), *grid.shape), np.uint16)


def _await(futures: Mapping[Future[object], str], progress: Progress) -> None:
    """Wait for all; on the first failure, or ^C, drop what has not begun."""
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            progress(f"decoded {futures[future]}", done, len(futures))
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _crop(
    array: npt.NDArray[np.uint16], plan: PatchPlan, pixel_size: int
) -> npt.NDArray[np.uint16]:
    height, width = plan.mosaic_shape(pixel_size)
    return array[:, :height, :width]


def nodata_shares(mosaics: Mosaics, plan: PatchPlan) -> npt.NDArray[np.float32]:
    """For every patch, the share of its coarsest pixels that hold a 0 in any band.

    A coarse pixel counts when any finer pixel inside it is 0, so the share is an upper bound.

    Returns:
        one value a patch, row by row.
    """
    coarsest = max(mosaics)
    empty = np.zeros(plan.mosaic_shape(coarsest), bool)
    for size, array in mosaics.items():
        empty |= _lowest(array, coarsest // size) == 0
    pixels = plan.patch_pixels(coarsest)
    blocks = empty.reshape(plan.rows, pixels, plan.columns, pixels)
    shares: npt.NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32).ravel()
    return shares


def _lowest(array: npt.NDArray[np.uint16], factor: int) -> npt.NDArray[np.uint16]:
    """The lowest value over the bands and over blocks of `factor` x `factor` pixels."""
    _, height, width = array.shape
    lowest = np.empty((height // factor, width // factor), np.uint16)
    for i in range(len(lowest)):
        row = array[:, i * factor : (i + 1) * factor].min(axis=(0, 1))
        lowest[i] = row.reshape(-1, factor).min(axis=1)
    return lowest
