"""From an archive to the published v1 layout: one folder a patch, whole or not there."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from benforge.archive.archive import Archive
from benforge.archive.files import storage_errors
from benforge.archive.index import read_provenance
from benforge.archive.layout import META, scene_path
from benforge.archive.locking import writing
from benforge.archive.v1_names import SIMULATED, V1Name, published_metadata
from benforge.archive.v1_read import EDGE
from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.nomenclature import load_nomenclature
from benforge.core.progress import Progress, silent
from benforge.core.record import PatchRecord
from benforge.core.sensor import Sensor
from benforge.errors import ConflictError, GridError, InputError


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an export did.

    Args:
        new_patches: patches of this export.
        held_patches: patches that were there already.
        seconds: how long it took.
    """

    new_patches: int
    held_patches: int
    seconds: float


def export_v1(archive: Archive, out: Path, progress: Progress = silent) -> ExportSummary:
    """Write the patches of an archive in the published v1 layout.

    What was imported comes back with equal pixels, geometry and JSON content. The JSON of a
    simulated patch has one key more than the published five, "simulated". A patch that never
    had a v1 name gets one from its sensing time. Patches that are there are left alone, so the
    same call goes on where one was cut off.

    Args:
        archive: labels of `clc-43`, patches of 1,200 m.
        out: the folder for the patch folders.
        progress: told how many patches are done.

    Raises:
        InputError: the archive's labels or products are not what v1 publishes.
        GridError: patches of another size.
        ConflictError: two patches get one name, `out` holds another patch of a name, or `out`
            is an archive or lies in this one.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
    """
    start = time.monotonic()
    _check_nomenclature(archive)
    _check_target(archive, out)
    names = name_patches(archive.records())
    kept = _kept_values(archive)
    written = 0
    with writing(out), rasterio.Env(GDAL_PAM_ENABLED=False):
        for done, (name, record) in enumerate(zip(names, archive.records(), strict=True), 1):
            text = _metadata(record, kept.scenes[record.scene] | kept.patches.get(name, {}))
            if not _is_held(out / name, text):
                arrays = archive.pixels.read(record.scene, record.column, record.row)
                _write_patch(out / name, record, text, arrays, archive.meta.sensor)
                written += 1
            progress("exporting", done, len(archive))
    return ExportSummary(
        new_patches=written,
        held_patches=len(names) - written,
        seconds=round(time.monotonic() - start, 3),
    )


def name_patches(records: Iterable[PatchRecord]) -> list[str]:
    """The v1 name of every record: its own, else one from its product's sensing time.

    Raises:
        InputError: a name that is none of v1, or a patch without one that is not of L2A.
        ConflictError: two patches get the same name.
    """
    taken: dict[str, str] = {}
    for record in records:
        name = str(V1Name.parse(record.v1_name)) if record.v1_name else _new_name(record)
        if name in taken:
            raise ConflictError(
                f"{taken[name]} and {record.patch_id} would both be named {name}: a v1 name "
                "holds no tile, and theirs were sensed at the same time",
                do="Export the tiles into different folders, each from an archive of its own",
            )
        taken[name] = record.patch_id
    return list(taken)


def _new_name(record: PatchRecord) -> str:
    product = ProductId.parse(record.product)
    if product.level != "L2A":
        raise InputError(
            f"the v1 layout publishes L2A, and this is {product.level}",
            where=record.patch_id,
            do="Build the archive from L2A products",
        )
    return str(V1Name.of(product, record.column, record.row))


def _check_nomenclature(archive: Archive) -> None:
    nomenclature = archive.meta.nomenclature
    if nomenclature.names != load_nomenclature("clc-43").names:
        raise InputError(
            f"the v1 layout publishes labels of clc-43, these are of {nomenclature.name}",
            where=archive.root,
            do="Build the archive with --profile ben-v1",
        )


def _check_target(archive: Archive, out: Path) -> None:
    if (out / META).exists() or out.resolve().is_relative_to(archive.root.resolve()):
        raise ConflictError(
            "the folder is an archive or lies in one", where=out, do="Export into a new folder"
        )


@dataclass(frozen=True, slots=True)
class _KeptValues:
    """JSON values that a record does not rebuild: of all patches of a scene, and of single ones."""

    scenes: dict[str, dict[str, Any]]
    patches: dict[str, dict[str, Any]]


def _kept_values(archive: Archive) -> _KeptValues:
    kept = _KeptValues({}, {})
    for scene in archive.index["scene"].unique().to_pylist():
        provenance = read_provenance(scene_path(archive.root, scene))
        # An imported patch has the key, if it has it, among its own values.
        marked = provenance.get("simulated", False) and "imported" not in provenance
        kept.scenes[scene] = {SIMULATED: True} if marked else {}
        for value in provenance.get("v1_differences", ()):
            for name in value["patches"]:
                kept.patches.setdefault(name, {})[value["key"]] = value["value"]
    return kept


def _metadata(record: PatchRecord, kept: Mapping[str, Any]) -> bytes:
    """The text of the patch's JSON."""
    rebuilt = published_metadata(
        labels=record.labels,
        crs=record.crs,
        ulx=record.ulx,
        uly=record.uly,
        edge=EDGE,
        source=record.source,
        sensing_time=record.sensing_time,
    )
    return json.dumps({**rebuilt, **kept}).encode()


def _is_held(folder: Path, text: bytes) -> bool:
    """Whether the patch is there already.

    Raises:
        ConflictError: the folder holds something else.
    """
    path = folder / f"{folder.name}_labels_metadata.json"
    if not folder.exists():
        return False
    if not path.is_file() or path.read_bytes() != text:
        raise ConflictError(
            "another patch of this name is there", where=folder, do="Export into a new folder"
        )
    return True


def _write_patch(
    folder: Path,
    record: PatchRecord,
    text: bytes,
    arrays: Mapping[int, npt.NDArray[np.uint16]],
    sensor: Sensor,
) -> None:
    """Write a patch's folder beside its place, then rename it."""
    draft = folder.with_name(f".{folder.name}")
    with storage_errors(folder):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for size, array in arrays.items():
            grid = _grid(record, size, array.shape[1:])
            for band, pixels in zip(sensor.bands_at(size), array, strict=True):
                path = draft / f"{folder.name}_{band.name}.tif"
                path.write_bytes(encode_geotiff(pixels, grid))
        (draft / f"{folder.name}_labels_metadata.json").write_bytes(text)
        draft.rename(folder)


def _grid(record: PatchRecord, pixel_size: int, shape: tuple[int, ...]) -> Grid:
    grid = Grid(record.crs, record.ulx, record.uly, pixel_size, shape[0], shape[1])
    if (shape[0] * pixel_size, shape[1] * pixel_size) != (EDGE, EDGE):
        raise GridError(
            f"the v1 layout has patches of {EDGE} m, this has {shape[0] * pixel_size} m",
            where=record.patch_id,
        )
    return grid


def encode_geotiff(pixels: npt.NDArray[np.uint16], grid: Grid) -> bytes:
    """The bytes of a GeoTIFF as v1 publishes them: one band of uint16, uncompressed, no no-data.

    Args:
        pixels: `row col`.
        grid: their ground.
    """
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=1,
            dtype="uint16",
            height=grid.height,
            width=grid.width,
            crs=grid.crs,
            transform=Affine(*grid.transform),
        ) as target:
            target.write(pixels, 1)
        return bytes(memory.getbuffer())
