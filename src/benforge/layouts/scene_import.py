"""One scene of v1 patches on its way into an archive: pixels shard by shard, rows, provenance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.archive.footprints import centres, footprints, to_wkb
from benforge.archive.layout import SceneFrame, array_name
from benforge.archive.scene_writer import SceneWriter
from benforge.archive.storage import StorageRecipe
from benforge.archive.v1_names import SIMULATED
from benforge.archive.v1_plan import Place, V1Scene
from benforge.archive.v1_read import EDGE, V1Patch, read_v1_bands
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.identity import PatchId
from benforge.core.record import PatchRecord, to_table
from benforge.core.season import season_of
from benforge.core.sensor import Sensor
from benforge.labels.countries import countries_of
from benforge.patches.cut import nodata_shares
from benforge.patches.plan import PatchPlan

Shard = tuple[int, int]
"""Row and column of a shard in its scene."""


def write_v1_scene(out: Path, scene: V1Scene, sensor: Sensor, storage: StorageRecipe) -> None:
    """Read the pixels of a scene and write it into the archive, whole or not at all.

    Raises:
        ArchiveError: a GeoTIFF is corrupt or does not fit its JSON.
        StorageError: the disk is full.
    """
    with SceneWriter(out, scene.name, scene.frame, sensor, storage) as writer:
        nodata: dict[Place, float] = {}
        for shard, places in _by_shard(scene).items():
            nodata |= _write_shard(writer, scene, shard, places, sensor)
        writer.finish(to_table(_records(scene, nodata)), _provenance(scene))


def _by_shard(scene: V1Scene) -> Mapping[Shard, Sequence[Place]]:
    high, wide = scene.frame.shard_shape
    shards: dict[Shard, list[Place]] = defaultdict(list)
    for column, row in scene.patches:
        shards[row // high, column // wide].append((column, row))
    return shards


def _write_shard(
    writer: SceneWriter, scene: V1Scene, shard: Shard, places: Sequence[Place], sensor: Sensor
) -> dict[Place, float]:
    """Write the pixels of one shard; the no-data share of each of its patches."""
    rows, columns = scene.frame.shard_patches(*shard)
    shape = rows.stop - rows.start, columns.stop - columns.start
    mosaics = {size: _empty(scene.frame, sensor, size, shape) for size in sensor.pixel_sizes}
    kept = np.zeros(shape, np.bool_)
    nodata = {}
    for column, row in places:
        patch = scene.patches[column, row]
        arrays = _read_arrays(patch, sensor)
        here = row - rows.start, column - columns.start
        kept[here] = True
        for size, array in arrays.items():
            mosaics[size][(slice(None), *_window(here, array.shape[-1]))] = array
        nodata[column, row] = float(nodata_shares(arrays, PatchPlan(patch.grid, EDGE, 1, 1))[0])
    for size, mosaic in mosaics.items():
        writer.write_block(array_name(size), *shard, mosaic, kept=kept)
    return nodata


def _empty(
    frame: SceneFrame, sensor: Sensor, size: int, shape: tuple[int, int]
) -> npt.NDArray[np.uint16]:
    edge = frame.patch_edge(size)
    return np.zeros((len(sensor.bands_at(size)), shape[0] * edge, shape[1] * edge), np.uint16)


def _read_arrays(patch: V1Patch, sensor: Sensor) -> Mapping[int, npt.NDArray[np.uint16]]:
    """The pixels of a patch: pixel size (m) to `band row col`."""
    bands = {band.name: pixels for band, pixels in read_v1_bands(patch, sensor)}
    return {
        size: np.stack([bands[band.name] for band in sensor.bands_at(size)])
        for size in sensor.pixel_sizes
    }


def _window(here: tuple[int, int], edge: int) -> tuple[slice, slice]:
    row, column = (at * edge for at in here)
    return slice(row, row + edge), slice(column, column + edge)


def _records(scene: V1Scene, nodata: Mapping[Place, float]) -> list[PatchRecord]:
    patches = list(scene.patches.values())
    ulx, uly = (np.array([getattr(p, axis) for p in patches], float) for axis in ("ulx", "uly"))
    polygons = footprints(scene.frame.grid.crs, ulx, uly, EDGE)
    countries = countries_of(*centres(polygons), names=load_bigearthnet().countries)
    geometry = to_wkb(polygons)
    return [
        PatchRecord(
            patch_id=str(PatchId(scene.name, patch.name.column, patch.name.row)),
            scene=scene.name,
            product=scene.name,
            tile=scene.product.tile,
            column=patch.name.column,
            row=patch.name.row,
            crs=patch.crs,
            ulx=patch.ulx,
            uly=patch.uly,
            sensing_time=patch.sensing_time,
            season=season_of(patch.sensing_time),
            country=countries[i],
            source=patch.source,
            v1_name=str(patch.name),
            classes=patch.classes,
            shares=None,
            pixels=None,
            labels=patch.labels,
            nodata=nodata[patch.name.column, patch.name.row],
            geometry=geometry[i],
        )
        for i, patch in enumerate(patches)
    ]


def _provenance(scene: V1Scene) -> dict[str, Any]:
    """What is written down of a scene: the same for the same patches, on every machine."""
    first = next(iter(scene.patches.values()))
    baseline = scene.product.baseline
    return {
        "product": scene.name,
        "source": first.source,
        "level": "L2A",
        "baseline": f"{baseline[:2]}.{baseline[2:]}",
        "simulated": any(
            patch.differences.get(SIMULATED) is True for patch in scene.patches.values()
        ),
        "imported": "v1",
        "inputs": {"patches": scene.fingerprint},
        "v1_differences": _differences(scene),
    }


def _differences(scene: V1Scene) -> list[dict[str, Any]]:
    """Published JSON values that a record does not rebuild, each with the patches that have it."""
    found: dict[tuple[str, bytes], list[str]] = defaultdict(list)
    for patch in scene.patches.values():
        for key, value in patch.differences.items():
            found[key, msgspec.json.encode(value)].append(str(patch.name))
    return [
        {"key": key, "value": msgspec.json.decode(value), "patches": names}
        for (key, value), names in found.items()
    ]
