"""Building the scenes of one tile: the unit of work that a worker takes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.archive.build_plan import Candidate, inputs_of
from benforge.archive.build_recipe import BuildRecipe
from benforge.archive.index import find_scene
from benforge.archive.layout import (
    CLASSIFICATION,
    CLASSIFICATION_PIXEL_SIZE,
    LAND_COVER,
    SceneFrame,
    array_name,
)
from benforge.archive.meta import SceneEntry
from benforge.archive.rows import TileRows, scene_table, tile_rows
from benforge.archive.scene_writer import SceneWriter
from benforge.core.progress import Progress, silent
from benforge.errors import ConflictError, GridError
from benforge.labels.nomenclature import read_crosswalk
from benforge.labels.policy import keep_patches, label_patches
from benforge.labels.sources import open_land_cover
from benforge.patches.cut import Mosaics, nodata_shares, read_mosaics
from benforge.patches.plan import PatchPlan, plan_patches
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneReader


@dataclass(frozen=True, slots=True)
class TileJob:
    """Everything a worker needs to build the scenes of one tile.

    Args:
        root: the archive.
        products: the products of the tile, all on the same grid.
        land_cover: the map's path.
        provenance: what is written down of the map; its `sha256` identifies it.
        recipe: all rules.
        threads: cores the job may use.
        verify: hold each band to the checksum that its product lists.
    """

    root: Path
    products: tuple[Candidate, ...]
    land_cover: Path
    provenance: Mapping[str, Any]
    recipe: BuildRecipe
    threads: int
    verify: bool


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTile:
    """Land cover and index rows of a tile, shared by all its dates."""

    rows: TileRows
    reference_map: npt.NDArray[np.uint16]
    repaired: int


def build_tile(job: TileJob, progress: Progress = silent) -> list[SceneEntry]:
    """Build every scene of a tile, one after the other; labels are made once, beside the first.

    Takes 2.5 GB of memory for a full tile. A scene is renamed into the archive when it is whole.

    Raises:
        ProductError: a product is damaged.
        LandCoverError: the map gives no labels here.
        GridError: the products of the tile are not on one grid.
        StorageError: the disk is full.
    """
    plan = _common_plan(job)
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as beside:
        labelled = beside.submit(label_tile, job, plan)
        return [_build_once(job, one, plan, labelled, beside, progress) for one in job.products]


def _common_plan(job: TileJob) -> PatchPlan:
    first, *others = (one.metadata.grid for one in job.products)
    if any(grid != first for grid in others):
        raise GridError(
            "the products of a tile lie on different grids",
            where=job.products[0].metadata.tile,
            do="Build them into different archives",
        )
    return plan_patches(first, job.recipe.patches)


def label_tile(job: TileJob, plan: PatchPlan) -> LabelledTile:
    """Land cover, labels, countries and footprints of a tile."""
    recipe = job.recipe.labels
    source = open_land_cover(job.land_cover, code_field=recipe.code_field, layer=recipe.layer)
    tile = source.read_labels(plan.grid, plan.patch_pixels(int(plan.grid.pixel_size)))
    crosswalk = read_crosswalk(recipe.nomenclature)
    multi_hot = label_patches(tile.fractions, recipe, crosswalk)
    labels = [list(compress(crosswalk.target.names, row)) for row in multi_hot]
    kept = keep_patches(tile.fractions, recipe, crosswalk)
    rows = tile_rows(plan, tile.fractions, labels, kept, recipe.countries)
    return LabelledTile(rows, tile.reference_map, tile.repaired)


def _build_once(
    job: TileJob,
    one: Candidate,
    plan: PatchPlan,
    labelled: Future[LabelledTile],
    beside: Executor,
    progress: Progress,
) -> SceneEntry:
    """A scene, unless a worker that was thought lost has built it, or does so meanwhile."""
    inputs = inputs_of(one, str(job.provenance["sha256"]))
    try:
        there = find_scene(job.root, one.scene, inputs)
        return there or _build_scene(job, one, plan, labelled, beside, progress)
    except ConflictError:
        if there := find_scene(job.root, one.scene, inputs):
            return there
        raise


def _build_scene(
    job: TileJob,
    one: Candidate,
    plan: PatchPlan,
    labelled: Future[LabelledTile],
    beside: Executor,
    progress: Progress,
) -> SceneEntry:
    scene = open_scene(one.path, sensor=job.recipe.products.sensor, verify=job.verify)
    classification = beside.submit(scene.read_classification)
    watched = _watching(progress, one, labelled)
    mosaics = read_mosaics(scene, plan, threads=job.threads, progress=watched)
    tile = labelled.result()
    nodata = nodata_shares(mosaics, plan)
    kept = tile.rows.kept & ~((nodata > 0) & job.recipe.patches.drop_nodata)
    arrays = _arrays(plan, mosaics, tile.reference_map, classification.result())
    frame = SceneFrame(
        plan.grid, plan.columns, plan.rows, plan.patch_pixels(int(plan.grid.pixel_size))
    )
    progress(f"{one.scene}: writing")
    sensor, storage = scene.metadata.sensor, job.recipe.storage
    with SceneWriter(job.root, one.scene, frame, sensor, storage, threads=job.threads) as writer:
        _write(writer, arrays, kept.reshape(plan.rows, plan.columns), job.threads)
        table = scene_table(tile.rows, scene.metadata, nodata, kept)
        return writer.finish(table, _provenance(job, one, scene, tile, kept))


def _watching(progress: Progress, one: Candidate, labelled: Future[LabelledTile]) -> Progress:
    """Progress of one scene, which ends its decoding once the labels are known to have failed."""

    def tell(message: str, done: float = 0, total: float = 0) -> None:
        if labelled.done():
            labelled.result()
        progress(f"{one.scene}: {message}", done, total)

    return tell


def _arrays(
    plan: PatchPlan,
    mosaics: Mosaics,
    reference_map: npt.NDArray[np.uint16],
    classification: npt.NDArray[np.uint8] | None,
) -> dict[str, npt.NDArray[Any]]:
    """Every array of a scene by name, cut to its whole patches."""
    arrays: dict[str, npt.NDArray[Any]] = {array_name(s): a for s, a in mosaics.items()}
    arrays[LAND_COVER] = reference_map
    if classification is not None:
        height, width = plan.mosaic_shape(CLASSIFICATION_PIXEL_SIZE)
        arrays[CLASSIFICATION] = classification[:height, :width]
    return arrays


def _write(
    writer: SceneWriter,
    arrays: Mapping[str, npt.NDArray[Any]],
    kept: npt.NDArray[np.bool_],
    threads: int,
) -> None:
    """Several arrays at a time: class maps are compressed while bands go to the disk."""
    with ThreadPoolExecutor(threads, thread_name_prefix="write") as pool:
        jobs = [pool.submit(writer.write_mosaic, n, a, kept=kept) for n, a in arrays.items()]
        for job in jobs:
            job.result()


def _provenance(
    job: TileJob,
    one: Candidate,
    scene: SceneReader,
    tile: LabelledTile,
    kept: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    """What is written down of a scene: the same for the same inputs, on every machine."""
    meta = scene.metadata
    return {
        "product": str(meta.product),
        "source": meta.source,
        "level": meta.level,
        "baseline": meta.baseline,
        **({"origin_baseline": meta.origin_baseline} if meta.origin_baseline else {}),
        "sensing_time": meta.sensing_time.isoformat(),
        "relative_orbit": meta.orbit,
        "cloud_cover": meta.cloud_cover,
        "quality_checks": dict(sorted(meta.quality_checks.items())),
        "quantification": meta.quantification,
        "offsets": dict(sorted(meta.offsets.items())),
        "simulated": meta.simulated,
        "land_cover": dict(job.provenance),
        "repaired_polygons": tile.repaired,
        "recipe": msgspec.to_builtins(job.recipe),
        "inputs": inputs_of(one, str(job.provenance["sha256"])),
        "patches": {
            "candidates": int(kept.size),
            "dropped_by_labels": int((~tile.rows.kept).sum()),
            "dropped_by_nodata": int((tile.rows.kept & ~kept).sum()),
        },
    }
