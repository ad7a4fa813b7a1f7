"""Build an archive, or add products to one: plan, build tile by tile, then write the index."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benforge.archive.build_folder import begin, check_target, end, give_up, open_meta, read_held
from benforge.archive.build_plan import BuildPlan, Candidate, plan_build
from benforge.archive.build_recipe import BuildRecipe
from benforge.archive.build_summary import BuildSummary, summarise
from benforge.archive.build_tile import TileJob, build_tile
from benforge.archive.executors import (
    Workers,
    available_cores,
    check_workers,
    few_workers,
    run_tasks,
)
from benforge.archive.index import missing_scenes
from benforge.archive.layout import scene_names
from benforge.archive.locking import writing
from benforge.archive.meta import SceneEntry
from benforge.core.progress import Progress, silent
from benforge.errors import BenError, InputError
from benforge.labels.nomenclature import read_nomenclature
from benforge.labels.sources import open_land_cover
from benforge.scenes.open import open_scene

CORES_PER_WORKER = 2
"""A worker decodes this many bands at a time when the number of workers is not given."""


def build_archive(
    products: Sequence[Path],
    land_cover: Path,
    out: Path,
    recipe: BuildRecipe,
    *,
    workers: Workers = None,
    verify: bool = True,
    progress: Progress = silent,
) -> BuildSummary:
    """Build an archive from products and a land-cover map, or add products to it.

    The same inputs give a byte-identical archive, whatever the order, the workers and the
    interruptions. Scenes that are there already are left alone. A build that fails keeps the
    scenes that are whole, and leaves nothing where there is none.

    Args:
        products: SAFE folders or zips.
        land_cover: vector or raster map.
        out: the archive's folder; new, empty, or an archive of the same recipe.
        recipe: all rules.
        workers: tiles built at a time, as many as cores and tiles allow if None; or the address of
            a dask scheduler.
        verify: hold each band to the checksum in its product's manifest.safe, where it has one.
        progress: told what is being done.

    Raises:
        BenError: whatever is wrong with the input.
    """
    start = time.monotonic()
    check_workers(workers)
    candidates = _open_products(products, recipe.products.sensor, verify)
    labels = recipe.labels
    source = open_land_cover(land_cover, code_field=labels.code_field, layer=labels.layer)
    nomenclature = read_nomenclature(labels.nomenclature)
    check_target(out)
    with writing(out):
        meta = open_meta(out, recipe, nomenclature, candidates[0].metadata.sensor)
        anew: frozenset[str] = frozenset()
        try:
            map_sum = str(source.provenance["sha256"])
            plan = plan_build(candidates, read_held(out), map_sum, recipe.products)
            anew = missing_scenes(out, meta, plan.scenes)
            begin(out, meta)
            jobs = _jobs(plan, out, land_cover, source.provenance, recipe, workers, verify)
            built = _run(jobs, workers, progress)
        except BaseException:
            with suppress(BenError):
                give_up(out, meta, anew)
            raise
        meta = end(out, meta, anew)
    return summarise(out, meta, plan, built, time.monotonic() - start)


def _open_products(products: Iterable[Path], sensor: str, verify: bool) -> list[Candidate]:
    """The products, each once."""
    paths = dict.fromkeys(path.absolute() for path in products)
    if not paths:
        raise InputError("no product was named", do="Name SAFE folders or zips")
    return [
        Candidate(path, open_scene(path, sensor=sensor, verify=verify).metadata) for path in paths
    ]


def _jobs(
    plan: BuildPlan,
    out: Path,
    land_cover: Path,
    provenance: Mapping[str, object],
    recipe: BuildRecipe,
    workers: Workers,
    verify: bool,
) -> list[TileJob]:
    """One job a tile; the cores here are shared out, a cluster's worker has a few."""
    here = _workers(workers, len(plan.tiles))
    threads = CORES_PER_WORKER
    if isinstance(here, int):
        threads = max(1, available_cores() // here)
    return [
        TileJob(
            root=out.absolute(),
            products=tile,
            land_cover=land_cover.absolute(),
            provenance=dict(provenance),
            recipe=recipe,
            threads=threads,
            verify=verify,
        )
        for tile in plan.tiles
    ]


def _workers(wanted: Workers, tiles: int) -> Workers:
    """Where to build; here no more tiles at a time than there are."""
    chosen = few_workers(wanted, available_cores() // CORES_PER_WORKER)
    return max(1, min(tiles, chosen)) if isinstance(chosen, int) else chosen


def _run(jobs: Sequence[TileJob], workers: Workers, progress: Progress) -> list[SceneEntry]:
    if not jobs:
        return []
    workers = _workers(workers, len(jobs))
    if workers == 1:
        return [entry for job in jobs for entry in build_tile(job, progress)]
    root, total = jobs[0].root, sum(len(job.products) for job in jobs)
    before = len(scene_names(root))
    reads = [jobs[0].land_cover, *(one.path for job in jobs for one in job.products)]
    built = run_tasks(
        build_tile,
        jobs,
        workers,
        reads=_folders(reads),
        writes=root,
        watch=lambda: progress("scenes", len(scene_names(root)) - before, total),
    )
    return [entry for entries in built for entry in entries]


def _folders(paths: Iterable[Path]) -> list[Path]:
    """The folders that these lie in, each once."""
    return list(dict.fromkeys(path.parent for path in paths))
