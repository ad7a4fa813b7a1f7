"""Patch folders of the v1 layout, written whole or not at all, many in a process."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benforge.archive.pixels import PixelReader
from benforge.core.bigearthnet import EDGE
from benforge.core.files import storage_errors
from benforge.core.grid import Grid
from benforge.core.record import PatchRecord
from benforge.core.sensor import Sensor
from benforge.errors import ConflictError, GridError
from benforge.layouts.geotiff import Compression, encode_geotiff
from benforge.layouts.v1_names import V1Name, published_metadata


@dataclass(frozen=True, slots=True)
class V1Item:
    """One patch to be written.

    Args:
        name: of its folder.
        record: its row of the index.
        counted: seconds by which its name, new in this export, was counted up.
        kept: published JSON values that the record does not rebuild.
    """

    name: str
    record: PatchRecord
    counted: int
    kept: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class V1Job:
    """What a worker is told to write.

    Args:
        out: the folder for the patch folders.
        pixels: the archive's reader.
        sensor: names and order of the bands.
        compression: of the GeoTIFFs.
        items: the patches.
    """

    out: Path
    pixels: PixelReader
    sensor: Sensor
    compression: Compression
    items: tuple[V1Item, ...]


def write_patches(job: V1Job) -> tuple[int, int]:
    """Write the patches that are not there yet.

    Returns:
        how many were written, and how many were there.

    Raises:
        ConflictError: a folder of this name holds another patch.
        GridError: patches of another size.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
    """
    written = 0
    for item in job.items:
        text = v1_json(item)
        if not _is_held(job.out / item.name, text):
            with storage_errors(job.out / item.name):
                _write_patch(job, item, text)
            written += 1
    return written, len(job.items) - written


def v1_json(item: V1Item) -> bytes:
    """The text of a patch's JSON; where its name was counted up, source and date are with it."""
    record = item.record
    source, time = record.source, record.sensing_time
    if item.counted:
        spacecraft, level, _, *rest = source.split("_")
        name = V1Name.parse(item.name)
        source = "_".join([spacecraft, level, f"{name.date}T{name.time}", *rest])
        time += timedelta(seconds=item.counted)
    rebuilt = published_metadata(
        labels=record.labels,
        crs=record.crs,
        ulx=record.ulx,
        uly=record.uly,
        edge=EDGE,
        source=source,
        sensing_time=time,
    )
    return json.dumps({**rebuilt, **item.kept}).encode()


def _is_held(folder: Path, text: bytes) -> bool:
    """Whether the patch is there already.

    Raises:
        ConflictError: the folder holds something else.
    """
    if not folder.exists():
        return False
    path = folder / f"{folder.name}_labels_metadata.json"
    if not path.is_file() or path.read_bytes() != text:
        raise ConflictError(
            "another patch of this name is there", where=folder, do="Export into a new folder"
        )
    return True


def _write_patch(job: V1Job, item: V1Item, text: bytes) -> None:
    """Write a patch's folder beside its place, then rename it."""
    record, name = item.record, item.name
    draft = job.out / f".{name}"
    arrays = job.pixels.read(record.scene, record.column, record.row)
    grids = {size: _grid(record, size, array.shape[1:]) for size, array in arrays.items()}
    _make_empty(draft)
    for size, array in arrays.items():
        for band, pixels in zip(job.sensor.bands_at(size), array, strict=True):
            data = encode_geotiff(pixels, grids[size], compression=job.compression)
            _write_file(f"{draft}/{name}_{band.name}.tif", data)
    _write_file(f"{draft}/{name}_labels_metadata.json", text)
    draft.rename(job.out / name)


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir()
    except FileExistsError:
        shutil.rmtree(folder)
        folder.mkdir()


def _write_file(path: str, data: bytes) -> None:
    """Write a new file in three calls to the system."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _grid(record: PatchRecord, pixel_size: int, shape: tuple[int, ...]) -> Grid:
    if (shape[0] * pixel_size, shape[1] * pixel_size) != (EDGE, EDGE):
        raise GridError(
            f"the v1 layout has patches of {EDGE} m, this has {shape[0] * pixel_size} m",
            where=record.patch_id,
        )
    return Grid(record.crs, record.ulx, record.uly, pixel_size, shape[0], shape[1])
