"""One patch into the published v2 layout: its reference map first, then its bands, at once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benforge.archive.layout import LAND_COVER
from benforge.archive.pixels import PixelReader
from benforge.core.bigearthnet import EDGE
from benforge.core.files import storage_errors
from benforge.core.grid import Grid
from benforge.core.sensor import Sensor
from benforge.errors import BenError, ConflictError, GridError
from benforge.layouts.geotiff import Compression, encode_geotiff, read_geotiff
from benforge.layouts.v2_layout import MAP_SUFFIX, MAPS, PIXELS

NODATA = 0
"""What v2's GeoTIFFs declare (fidelity 9)."""


@dataclass(frozen=True, slots=True)
class PatchPlace:
    """Where a patch lies in an archive and on the ground, as its row in the index says."""

    patch_id: str
    product: str
    scene: str
    column: int
    row: int
    crs: str
    ulx: float
    uly: float

    def grid(self, pixel_size: int) -> Grid:
        """Its ground in pixels of a size."""
        edge = EDGE // pixel_size
        return Grid(self.crs, self.ulx, self.uly, pixel_size, edge, edge)


def write_v2_patch(
    out: Path, place: PatchPlace, pixels: PixelReader, sensor: Sensor, compression: Compression
) -> bool:
    """Write a patch's folders, each beside its place and then renamed; the bands' comes last.

    Returns:
        whether it was not there yet.

    Raises:
        GridError: the patch is of another size.
        ConflictError: the folder holds other pixels.
        ArchiveError: the patch's pixels are damaged.
        StorageError: the disk is full.
    """
    folder = out / PIXELS / place.product / place.patch_id
    if folder.exists():
        _check_held(folder, place, pixels, sensor)
        return False
    arrays = pixels.read(place.scene, place.column, place.row)
    for size, stack in arrays.items():
        _check_size(place, size, stack)
    cover = pixels.read_map(place.scene, LAND_COVER, place.column, place.row)
    if cover is not None and cover.any():
        name = f"{place.patch_id}{MAP_SUFFIX}.tif"
        data = encode_geotiff(cover, place.grid(10), nodata=NODATA, compression="deflate")
        _write_folder(out / MAPS / place.product / place.patch_id, {name: data})
    files = {
        f"{place.patch_id}_{band.name}.tif": encode_geotiff(
            array, place.grid(size), nodata=NODATA, compression=compression
        )
        for size, stack in arrays.items()
        for band, array in zip(sensor.bands_at(size), stack, strict=True)
    }
    _write_folder(folder, files)
    return True


def _check_size(place: PatchPlace, size: int, stack: npt.NDArray[np.uint16]) -> None:
    if stack.shape[1] * size != EDGE or stack.shape[2] * size != EDGE:
        raise GridError(
            f"the v2 layout has patches of {EDGE} m, this has {stack.shape[1] * size} m",
            where=place.patch_id,
        )


def _check_held(folder: Path, place: PatchPlace, pixels: PixelReader, sensor: Sensor) -> None:
    """Raise unless the folder holds this patch: the pixels of its smallest band, there.

    Raises:
        ConflictError: it does not.
    """
    size = max(sensor.pixel_sizes)
    stack = pixels.read_array(place.scene, size, place.column, place.row)
    _check_size(place, size, stack)
    path = folder / f"{place.patch_id}_{sensor.bands_at(size)[0].name}.tif"
    try:
        same = np.array_equal(read_geotiff(path, place.grid(size)), stack[0])
    except BenError:
        same = False
    if not same:
        raise ConflictError(
            "another patch of this name is there", where=folder, do="Export into a new folder"
        )


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    draft = folder.with_name(f".{folder.name}")
    with storage_errors(folder):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for name, data in files.items():
            (draft / name).write_bytes(data)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
