"""Build an archive, or add products to one: plan, build tile by tile, then write the index."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

from benforge.archive.build_folder import begin, check_target, end, give_up, open_meta, read_held
from benforge.archive.build_plan import BuildPlan, Candidate, plan_build
from benforge.archive.build_recipe import BuildRecipe
from benforge.archive.build_summary import BuildSummary, summarise
from benforge.archive.build_tile import TileJob, build_tile
from benforge.archive.executors import (
    available_cores,
    interrupts_held,
    open_executor,
    worker_died,
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

SECONDS_BETWEEN_LOOKS = 0.5


def build_archive(
    products: Sequence[Path],
    land_cover: Path,
    out: Path,
    recipe: BuildRecipe,
    *,
    workers: int | None = None,
    cluster: str | None = None,
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
        workers: tiles built at a time; by default as many as cores and tiles allow.
        cluster: address of a dask scheduler, in place of processes here.
        verify: hold each band to the checksum in its product's manifest.safe, where it has one.
        progress: told what is being done.

    Raises:
        BenError: whatever is wrong with the input.
    """
    start = time.monotonic()
    _check_workers(workers)
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
            built = _run(jobs, workers, cluster, progress)
        except BaseException:
            with suppress(BenError):
                give_up(out, meta, anew)
            raise
        meta = end(out, meta, anew)
    return summarise(out, meta, plan, built, time.monotonic() - start)


def _check_workers(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers do no work", where="--workers", do="Use 1 or more")


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
    workers: int | None,
    verify: bool,
) -> list[TileJob]:
    """One job a tile; the cores are shared out among the workers."""
    threads = max(1, available_cores() // _workers(workers, len(plan.tiles)))
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


def _workers(wanted: int | None, tiles: int) -> int:
    """How many workers there is work for."""
    return max(1, min(tiles, wanted or available_cores() // CORES_PER_WORKER))


def _run(
    jobs: Sequence[TileJob], workers: int | None, cluster: str | None, progress: Progress
) -> list[SceneEntry]:
    if not jobs:
        return []
    workers = _workers(workers, len(jobs))
    if workers == 1 and not cluster:
        return [entry for job in jobs for entry in build_tile(job, progress)]
    with open_executor(workers, cluster) as executor:
        return _run_beside(jobs, executor, progress)


def _run_beside(
    jobs: Sequence[TileJob], executor: Executor, progress: Progress
) -> list[SceneEntry]:
    """Run the jobs in other processes; on the first failure what has not begun is dropped."""
    total = sum(len(job.products) for job in jobs)
    before = len(scene_names(jobs[0].root))
    with interrupts_held():
        futures: set[Future[list[SceneEntry]]] = {executor.submit(build_tile, j) for j in jobs}
    waiting, errors = futures, []
    while waiting:
        done, waiting = wait(waiting, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
        errors += [e for future in done if (e := future.exception()) is not None]
        if errors:
            waiting = {future for future in waiting if not future.cancel()}
        progress("scenes", len(scene_names(jobs[0].root)) - before, total)
    if errors:
        raise _explained(errors[0])
    return [entry for future in futures for entry in future.result()]


def _explained(error: BaseException) -> BaseException:
    if isinstance(error, BrokenProcessPool):
        return worker_died()
    return error
