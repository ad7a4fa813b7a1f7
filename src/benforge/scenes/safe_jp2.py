"""JPEG 2000 bands: their headers checked, their pixels decoded block by block."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.windows import Window

from benforge.core.grid import Grid
from benforge.errors import ProductError

HEADER = 256 * 2**10
"""Bytes at the start of a file that hold its header and georeference, with much to spare."""

_DRIVER = "JP2OpenJPEG"
"""Named at each open, so that no other format, such as a VRT that leads elsewhere, is read."""

_OPENING = Lock()
"""Held while warnings are silenced, which Python does for all threads at once."""

Pixels: TypeAlias = npt.NDArray[np.uint16] | npt.NDArray[np.uint8]


def check_header(head: bytes, grid: Grid, dtype: str, where: str) -> None:
    """Hold the start of a JPEG 2000 file to what the metadata announce.

    A file without georeference is accepted, one with another is not.

    Raises:
        ProductError: not JPEG 2000, or of another size, type, CRS or corner.
    """
    try:
        with MemoryFile(head, ext=".jp2") as memory, _open(memory.name) as source:
            found = (source.shape, source.count, source.dtypes[0])
            epsg = source.crs.to_epsg() if source.crs else None
            transform = source.transform
    except RasterioError as error:
        raise ProductError(
            f"not a JPEG 2000 file ({error})", where=where, do="Download the product again"
        ) from error
    if found != (grid.shape, 1, dtype):
        (height, width), count, kind = found
        raise _contradiction(
            f"{height} x {width} pixels, {count} band(s), {kind}",
            f"{grid.height} x {grid.width} pixels, 1 band, {dtype}",
            where,
        )
    if epsg is not None and f"EPSG:{epsg}" != grid.crs:
        raise _contradiction(f"EPSG:{epsg}", grid.crs, where)
    announced = rasterio.Affine(*grid.transform)
    if epsg is not None and not transform.almost_equals(announced, precision=1e-3):
        raise _contradiction(str(tuple(transform)[:6]), str(grid.transform), where)


def decode(
    path: str,
    out: Pixels,
    where: str,
    *,
    threads: int = 1,
    finish: Callable[[npt.NDArray[Any]], None] | None = None,
) -> None:
    """Decode the one band of a JPEG 2000 file into `out`, each of its blocks once.

    The blocks are shared out among our own threads, each with GDAL on one thread: as fast as
    GDAL's own, which however drop the errors of a damaged file. Python's lock is not held.

    Args:
        path: what GDAL opens.
        out: `row col`, of the file's size and type.
        where: the file as an error names it.
        threads: how many work.
        finish: what is done in place to each block once it is decoded.

    Raises:
        ProductError: the file is damaged, or no longer of the size it had.
    """
    blocks = _plan_blocks(path, out, where)

    def work() -> None:
        with _single_thread(), _open(path) as source:
            while (window := _next(blocks)) is not None:
                block = out[window.toslices()]
                source.read(1, window=window, out=block)
                if finish is not None:
                    finish(block)

    try:
        if threads == 1:
            work()
        else:
            with ThreadPoolExecutor(threads) as pool:
                for job in [pool.submit(work) for _ in range(threads)]:
                    job.result()
    except RasterioError as error:
        raise _damaged(error, where) from error


def _plan_blocks(path: str, out: Pixels, where: str) -> deque[Window]:
    try:
        with _single_thread(), _open(path) as source:
            if source.shape != out.shape or source.dtypes[0] != out.dtype:
                raise _contradiction(f"now {source.shape}", str(out.shape), where)
            return deque(window for _, window in source.block_windows(1))
    except RasterioError as error:
        raise _damaged(error, where) from error


def _open(path: str) -> DatasetReader:
    """The file as JPEG 2000, without a warning where it has no georeference: metadata tell it."""
    with _OPENING, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, driver=_DRIVER)


def _next(blocks: deque[Window]) -> Window | None:
    """The next block; a deque may be emptied by several threads."""
    try:
        return blocks.popleft()
    except IndexError:
        return None


def _single_thread() -> rasterio.Env:
    """GDAL on one thread, where it raises what it finds; files beside the band are left alone."""
    return rasterio.Env(GDAL_NUM_THREADS="1", GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR")


def _damaged(error: Exception, where: str) -> ProductError:
    cause = error.__cause__ or error
    return ProductError(
        f"cannot be decoded ({cause})", where=where, do="Download the product again"
    )


def _contradiction(found: str, announced: str, where: str) -> ProductError:
    return ProductError(
        f"the file is {found}, the metadata announce {announced}",
        where=where,
        do="Download the product again",
    )
