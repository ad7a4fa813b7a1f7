"""Small GeoTIFFs read and written at the speed of files: GDAL sees each kind of header once.

Hundreds of thousands of patches share a few dozen headers, which differ in the corner alone. The
first file of a kind is read by GDAL, and its header is remembered if our own reading of it is
equal; what follows with that header needs no GDAL. Whatever is different is GDAL's.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from benforge.core.grid import Grid
from benforge.errors import ArchiveError, BenError, GridError, InputError, MissingError
from benforge.layouts.geotiff_form import GeoTiffForm, parse_form
from benforge.layouts.v1_names import parse_projection

Compression = Literal["none", "deflate"]
FilePath = str | os.PathLike[str]

_KEPT = 8
"""Headers remembered of one kind of grid."""
_ROOM = 8192
"""Bytes that a header may have."""

_forms: dict[tuple[str, float, int, int], list[GeoTiffForm]] = {}


def read_geotiff(path: FilePath, grid: Grid) -> npt.NDArray[np.uint16]:
    """The pixels of a GeoTIFF of one band of uint16, `row col`; not to be written into.

    Args:
        path: the file.
        grid: where it must lie.

    Raises:
        MissingError: there is no such file.
        ArchiveError: it is corrupt, or its size, type, CRS or corner is another.
    """
    data = _read_head_and_all(path, 2 * grid.height * grid.width + _ROOM)
    known = _forms.setdefault((grid.crs, grid.pixel_size, grid.height, grid.width), [])
    for form in known:
        if form.fits(data, grid.ulx, grid.uly):
            pixels = form.decode(data)
            if pixels is not None:
                return pixels
    pixels = _read_with_gdal(path, grid)
    _remember(known, data, grid, pixels)
    return pixels


def _read_head_and_all(path: FilePath, limit: int) -> bytes:
    """The file's bytes, in one call; its first `limit` where it is larger."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(file, limit)
        finally:
            os.close(file)
    except FileNotFoundError as error:
        raise MissingError(
            "the file is missing", where=path, do="Copy the whole patch folder again"
        ) from error
    except OSError as error:
        raise ArchiveError(
            f"cannot be read, {(error.strerror or str(error)).lower()}", where=path
        ) from error


def _remember(
    known: list[GeoTiffForm], data: bytes, grid: Grid, pixels: npt.NDArray[np.uint16]
) -> None:
    """Keep the header of a file that GDAL read, if we read the same."""
    form = parse_form(data)
    if form is None or not form.fits(data, grid.ulx, grid.uly):
        return
    ours = form.decode(data)
    if ours is not None and np.array_equal(ours, pixels):
        known.insert(0, form)
        del known[_KEPT:]


def _read_with_gdal(path: FilePath, grid: Grid) -> npt.NDArray[np.uint16]:
    try:
        with (
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told apart in _check_file
            with rasterio.open(path, driver="GTiff") as source:
                _check_file(path, source, grid)
                pixels: npt.NDArray[np.uint16] = source.read(1)
    except BenError:
        raise
    except Exception as error:  # what GDAL and rasterio raise of damaged files has no one base
        raise ArchiveError(
            "the GeoTIFF is corrupt", where=path, do="Copy the patch folder again"
        ) from error
    return pixels


def _check_file(path: FilePath, source: Any, grid: Grid) -> None:
    form = (source.count, source.dtypes[0], source.shape)
    if form != (1, "uint16", grid.shape):
        raise ArchiveError(
            f"{form[0]} band(s) of {form[1]}, {form[2][0]} x {form[2][1]} pixels, "
            f"where the layout has 1 of uint16, {grid.height} x {grid.width}",
            where=path,
        )
    crs = _crs_of(source)
    if (crs, tuple(source.transform)[:6]) != (grid.crs, grid.transform):
        raise ArchiveError(
            f"lies at {crs} {source.transform.c:.0f} {source.transform.f:.0f} in pixels of "
            f"{source.transform.a:g} m, its patch at {grid.crs} {grid.ulx:.0f} {grid.uly:.0f} "
            f"in pixels of {grid.pixel_size:g} m",
            where=path,
        )


def _crs_of(source: Any) -> str:
    try:
        return parse_projection(source.crs.to_wkt()) if source.crs else "no CRS"
    except InputError:
        return "a CRS without EPSG code"


def encode_geotiff(
    pixels: npt.NDArray[np.uint16],
    grid: Grid,
    *,
    nodata: int | None = None,
    compression: Compression = "none",
) -> bytes:
    """The bytes of a GeoTIFF of one band of uint16, as GDAL writes them.

    Without compression they are GDAL's bytes exactly; deflate, with horizontal differences
    (predictor 2), gives other bytes of the same pixels and blocks.

    Args:
        pixels: `row col`.
        grid: their ground.
        nodata: the value that means nothing; None declares none, as v1 has it.
        compression: "none" as published, or "deflate".

    Raises:
        GridError: the pixels are not of the grid's shape.
    """
    if pixels.shape != grid.shape or pixels.dtype != np.uint16:
        raise GridError(
            f"pixels of {pixels.dtype}, shape {pixels.shape}, on a grid of {grid.shape} of uint16"
        )
    form = _template(grid.crs, grid.pixel_size, grid.height, grid.width, nodata, compression)
    made = form and form.encode(pixels, grid.ulx, grid.uly)
    return made or _encode_with_gdal(pixels, grid, nodata, compression)


@cache
def _template(
    crs: str,
    pixel_size: float,
    height: int,
    width: int,
    nodata: int | None,
    compression: Compression,
) -> GeoTiffForm | None:
    """The form of what GDAL writes for such a grid; None where it is too unusual."""
    grid = Grid(crs, 300_000, 5_400_000, pixel_size, height, width)
    # GDAL writes empty strips last, so that they are not in order.
    some = np.full(grid.shape, 1, np.uint16)
    return parse_form(_encode_with_gdal(some, grid, nodata, compression))


def _encode_with_gdal(
    pixels: npt.NDArray[np.uint16], grid: Grid, nodata: int | None, compression: Compression
) -> bytes:
    packed = {"compress": "deflate", "predictor": 2} if compression == "deflate" else {}
    with rasterio.Env(GDAL_PAM_ENABLED=False), MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=1,
            dtype="uint16",
            height=grid.height,
            width=grid.width,
            crs=grid.crs,
            transform=Affine(*grid.transform),
            nodata=nodata,
            **packed,
        ) as target:
            target.write(pixels, 1)
        return bytes(memory.getbuffer())
