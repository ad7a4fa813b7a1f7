"""One scene of patches on its way into an archive: pixels shard by shard, rows, provenance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.archive.footprints import centres, footprints, to_wkb
from benforge.archive.index import find_scene, read_provenance
from benforge.archive.layout import LAND_COVER, SceneFrame, array_name, scene_path
from benforge.archive.scene_writer import SceneWriter
from benforge.archive.storage import StorageRecipe
from benforge.core.bigearthnet import EDGE, load_bigearthnet
from benforge.core.identity import PatchId, ProductId
from benforge.core.record import PatchRecord, to_table
from benforge.core.season import season_of
from benforge.core.sensor import Sensor
from benforge.errors import BenError, ConflictError
from benforge.labels.countries import countries_of
from benforge.labels.port import GAP
from benforge.layouts.port import Skipped
from benforge.layouts.scene_plan import Place, PlannedScene
from benforge.layouts.source import PatchPixels, PatchSource, SourcePatch, skipped
from benforge.patches.cut import nodata_shares
from benforge.patches.plan import PatchPlan

Shard = tuple[int, int]
"""Row and column of a shard in its scene."""

SIMULATED = "simulated"
"""Key among the kept values of a simulated patch, true; real patches have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneJob:
    """What a worker is told to import.

    Args:
        out: the archive's folder.
        source: where the pixels come from.
        scene: which patches.
        sensor: names and order of the bands.
        storage: how pixels are stored.
        skip_bad: leave patches out whose pixels cannot be read.
    """

    out: Path
    source: PatchSource
    scene: PlannedScene
    sensor: Sensor
    storage: StorageRecipe
    skip_bad: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """What only the pixels tell of a patch: no-data share, and classes with their pixels."""

    nodata: float
    cover: tuple[tuple[int, ...], tuple[int, ...]] | None


@dataclass(slots=True)
class _Block:
    """The pixels of one shard, being filled."""

    kept: npt.NDArray[np.bool_]
    bands: dict[int, npt.NDArray[np.uint16]]
    cover: npt.NDArray[np.uint16] | None = None
    facts: dict[Place, _Facts] = field(default_factory=dict)


def import_scene(job: SceneJob) -> tuple[int, list[Skipped]]:
    """Read the pixels of a scene and write it into the archive, whole or not at all.

    A scene that a worker which was thought lost has written, from the same patches, stays.

    Returns:
        how many patches were written, and those left out; a scene of none is not written.

    Raises:
        BenError: a patch is bad and may not be left out.
        StorageError: the disk is full.
    """
    try:
        return _find_done(job) or _import(job)
    except ConflictError:
        if done := _find_done(job):
            return done
        raise


def _find_done(job: SceneJob) -> tuple[int, list[Skipped]] | None:
    name = job.scene.product
    there = find_scene(job.out, name, {"patches": job.scene.fingerprint})
    if there is None:
        return None
    return there.patches, left_out(read_provenance(scene_path(job.out, name)))


def left_out(provenance: Mapping[str, Any]) -> list[Skipped]:
    """The patches that were left out of a scene, of which its provenance keeps the names."""
    reason = "left out when its scene was imported"
    return [Skipped(patch=name, reason=reason) for name in provenance.get("left_out", ())]


def _import(job: SceneJob) -> tuple[int, list[Skipped]]:
    bad: list[Skipped] = []
    facts: dict[Place, _Facts] = {}
    scene = job.scene
    with SceneWriter(job.out, scene.product, scene.frame, job.sensor, job.storage) as writer:
        for shard, places in _by_shard(scene).items():
            facts |= _write_shard(writer, job, shard, places, bad)
        if facts:
            rows = to_table(_records(scene, facts))
            writer.finish(rows, _provenance(job, facts, bad))
    return len(facts), bad


def _by_shard(scene: PlannedScene) -> Mapping[Shard, Sequence[Place]]:
    high, wide = scene.frame.shard_shape
    shards: dict[Shard, list[Place]] = defaultdict(list)
    for column, row in scene.patches:
        shards[row // high, column // wide].append((column, row))
    return shards


def _write_shard(
    writer: SceneWriter, job: SceneJob, shard: Shard, places: Sequence[Place], bad: list[Skipped]
) -> dict[Place, _Facts]:
    """Write the pixels of one shard; what they tell of each of its patches."""
    frame = job.scene.frame
    rows, columns = frame.shard_patches(*shard)
    block = _empty_block(frame, job.sensor, (rows.stop - rows.start, columns.stop - columns.start))
    for place, pixels in _read_patches(job, places, bad):
        _put(block, place, (place[1] - rows.start, place[0] - columns.start), pixels)
    if not block.facts:
        return {}
    for size, mosaic in block.bands.items():
        writer.write_block(array_name(size), *shard, mosaic, kept=block.kept)
    if block.cover is not None:
        writer.write_block(LAND_COVER, *shard, block.cover, kept=block.kept)
    return _with_nodata(block, frame, rows, columns)


def _empty_block(frame: SceneFrame, sensor: Sensor, shape: tuple[int, int]) -> _Block:
    def empty(size: int) -> npt.NDArray[np.uint16]:
        edge = frame.patch_edge(size)
        room = len(sensor.bands_at(size)), shape[0] * edge, shape[1] * edge
        return np.zeros(room, np.uint16)

    return _Block(np.zeros(shape, np.bool_), {size: empty(size) for size in sensor.pixel_sizes})


def _read_patches(
    job: SceneJob, places: Sequence[Place], bad: list[Skipped]
) -> Iterator[tuple[Place, PatchPixels]]:
    for place in places:
        patch = job.scene.patches[place]
        try:
            yield place, job.source.read(patch, job.sensor)
        except BenError as error:
            if not job.skip_bad:
                raise
            bad.append(skipped(patch.name, error))


def _put(block: _Block, place: Place, here: tuple[int, int], pixels: PatchPixels) -> None:
    block.kept[here] = True
    for size, array in pixels.bands.items():
        block.bands[size][(slice(None), *_window(here, array.shape[-1]))] = array
    cover = None
    if pixels.land_cover is not None:
        if block.cover is None:
            finest = block.bands[min(block.bands)]
            block.cover = np.zeros(finest.shape[1:], np.uint16)
        block.cover[_window(here, pixels.land_cover.shape[-1])] = pixels.land_cover
        cover = _classes(pixels.land_cover)
    block.facts[place] = _Facts(0.0, cover)


def _classes(cover: npt.NDArray[np.uint16]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The classes of a reference map, ascending, and the pixels of each; gaps are none."""
    counts = np.bincount(cover.ravel(), minlength=GAP + 1)
    counts[[0, GAP]] = 0
    codes = np.flatnonzero(counts)
    return tuple(codes.tolist()), tuple(counts[codes].tolist())


def _window(here: tuple[int, int], edge: int) -> tuple[slice, slice]:
    row, column = (at * edge for at in here)
    return slice(row, row + edge), slice(column, column + edge)


def _with_nodata(
    block: _Block, frame: SceneFrame, rows: slice, columns: slice
) -> dict[Place, _Facts]:
    """The facts with the no-data shares, which are counted over the whole block at once."""
    height, width = block.kept.shape
    grid = frame.grid.crop(
        rows.start * frame.patch_pixels,
        columns.start * frame.patch_pixels,
        height * frame.patch_pixels,
        width * frame.patch_pixels,
    )
    shares = nodata_shares(block.bands, PatchPlan(grid, EDGE, width, height))
    shares = shares.reshape(height, width)
    return {
        (column, row): _Facts(float(shares[row - rows.start, column - columns.start]), facts.cover)
        for (column, row), facts in block.facts.items()
    }


def _records(scene: PlannedScene, facts: Mapping[Place, _Facts]) -> Iterator[PatchRecord]:
    patches = [patch for place, patch in scene.patches.items() if place in facts]
    ulx, uly = (np.array([getattr(p, axis) for p in patches], float) for axis in ("ulx", "uly"))
    polygons = footprints(scene.frame.grid.crs, ulx, uly, EDGE)
    countries = countries_of(*centres(polygons), names=load_bigearthnet().countries)
    for patch, country, geometry in zip(patches, countries, to_wkb(polygons), strict=True):
        yield _record(patch, facts[patch.column, patch.row], country, geometry)


def _record(patch: SourcePatch, facts: _Facts, country: str, geometry: bytes) -> PatchRecord:
    return PatchRecord(
        patch_id=str(PatchId(patch.product, patch.column, patch.row)),
        scene=patch.product,
        product=patch.product,
        tile=patch.product[-5:],
        column=patch.column,
        row=patch.row,
        crs=patch.crs,
        ulx=patch.ulx,
        uly=patch.uly,
        sensing_time=patch.sensing_time,
        season=season_of(patch.sensing_time),
        country=patch.country or country,
        source=patch.source,
        v1_name=patch.v1_name,
        classes=facts.cover[0] if facts.cover else patch.classes,
        shares=None,
        pixels=facts.cover[1] if facts.cover else None,
        labels=patch.labels,
        nodata=facts.nodata,
        geometry=geometry,
    )


def _provenance(
    job: SceneJob, written: Mapping[Place, object], bad: Sequence[Skipped]
) -> dict[str, Any]:
    """What is written down of a scene: the same for the same patches, on every machine."""
    scene = job.scene
    patches = [patch for place, patch in scene.patches.items() if place in written]
    baseline = ProductId.parse(scene.product).baseline
    told: dict[str, Any] = {
        "product": scene.product,
        "source": patches[0].source,
        "level": "L2A",
        "baseline": f"{baseline[:2]}.{baseline[2:]}",
        "simulated": any(patch.kept.get(SIMULATED) is True for patch in patches),
        "imported": job.source.layout,
        "inputs": {"patches": scene.fingerprint},
        "kept": _kept(patches),
    }
    return told | ({"left_out": sorted(one.patch for one in bad)} if bad else {})


def _kept(patches: Sequence[SourcePatch]) -> list[dict[str, Any]]:
    """Published values that a record does not rebuild, each with the patches that have it."""
    found: dict[tuple[str, bytes], list[str]] = defaultdict(list)
    for patch in patches:
        for key, value in patch.kept.items():
            found[key, msgspec.json.encode(value)].append(patch.name)
    return [
        {"key": key, "value": msgspec.json.decode(value), "patches": names}
        for (key, value), names in found.items()
    ]
