"""Build an archive, or add products to one: plan, build tile by tile, then write the index."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

import msgspec

from benforge.archive.build_plan import BuildPlan, Candidate, Held, plan_build
from benforge.archive.build_recipe import BuildRecipe
from benforge.archive.build_tile import TileJob, build_tile
from benforge.archive.executors import available_cores, open_executor
from benforge.archive.files import storage_errors
from benforge.archive.index import read_attributes, write_index
from benforge.archive.layout import META, scene_names, scene_path
from benforge.archive.locking import writing
from benforge.archive.meta import ArchiveMeta, SceneEntry, read_meta, write_meta
from benforge.archive.scene_writer import clear_leavings
from benforge.core.progress import Progress, silent
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, BenError, ConflictError, InputError, WorkerError
from benforge.labels.nomenclature import read_nomenclature
from benforge.labels.sources import open_land_cover
from benforge.scenes.open import open_scene

CORES_PER_WORKER = 2
"""A worker decodes this many bands at a time when the number of workers is not given."""

SECONDS_BETWEEN_LOOKS = 0.5


class BuildSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did.

    Args:
        archive: its folder.
        profile: whose rules it followed.
        built: scene to patches, of this build.
        held: scenes that were there already.
        left_out: product to the reason why it was left out.
        patches: patches in the whole archive.
        scenes: scenes in the whole archive.
        seconds: how long it took.
    """

    archive: str
    profile: str
    built: Mapping[str, int]
    held: Sequence[str]
    left_out: Mapping[str, str]
    patches: int
    scenes: int
    seconds: float

    def facts(self) -> dict[str, object]:
        """The summary as lines to print."""
        new = sum(self.built.values())
        facts: dict[str, object] = {
            "built": f"{len(self.built)} scenes, {new:,} patches in {self.seconds:.1f} s",
            "there already": f"{len(self.held)} scenes",
            "archive": f"{self.scenes} scenes, {self.patches:,} patches, profile {self.profile}",
        }
        return facts | {f"left out {name}": why for name, why in self.left_out.items()}


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
    interruptions. Scenes that are there already are left alone.

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
        BenError: whatever is wrong with the input; scenes that were whole by then are kept.
    """
    start = time.monotonic()
    if not products:
        raise InputError("no product was named", do="Name SAFE folders or zips")
    candidates = [_open(path, verify) for path in products]
    provenance = open_land_cover(
        land_cover, code_field=recipe.labels.code_field, layer=recipe.labels.layer
    ).provenance
    check_target(out)
    with writing(out):
        meta = _begin(out, recipe, candidates)
        plan = plan_build(candidates, _held(out), str(provenance["sha256"]), recipe.products)
        jobs = _jobs(plan, out, land_cover, provenance, recipe, workers, verify)
        try:
            built = _run(jobs, workers, cluster, progress)
        except BaseException:
            with suppress(BenError):
                _end(out, meta)
            raise
        meta = _end(out, meta)
    return _summary(out, meta, plan, built, time.monotonic() - start)


def _open(path: Path, verify: bool) -> Candidate:
    return Candidate(path.absolute(), open_scene(path, verify=verify).metadata)


def check_target(out: Path) -> None:
    """Raise unless `out` is new, empty, or an archive."""
    if out.exists() and not out.is_dir():
        raise ArchiveError("not a folder", where=out, do="Name a new folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / META).is_file():
        raise ArchiveError(
            "the folder holds other things and is not an archive",
            where=out,
            do="Name a new folder with --out",
        )


def _begin(out: Path, recipe: BuildRecipe, candidates: Sequence[Candidate]) -> ArchiveMeta:
    """The archive's meta: of a new archive, or of the one there, if its rules are the same."""
    clear_leavings(out)
    rules = msgspec.to_builtins(recipe)
    simulated = any(one.metadata.simulated for one in candidates)
    if (out / META).is_file():
        meta = read_meta(out)
        if differing := _differing(meta.recipe, rules):
            raise ConflictError(
                f"the archive was built by other rules: {', '.join(differing)}",
                where=out,
                do="Use the same profile, recipe and --set, or another folder",
            )
        return msgspec.structs.replace(meta, simulated=meta.simulated or simulated)
    meta = ArchiveMeta(
        profile=recipe.profile,
        recipe=rules,
        sensor=load_sensor(),
        nomenclature=read_nomenclature(recipe.labels.nomenclature),
        simulated=simulated,
    )
    with storage_errors(out):
        write_meta(out, meta)
    return meta


def _end(out: Path, meta: ArchiveMeta) -> ArchiveMeta:
    """Clear up and list the scenes that are whole."""
    clear_leavings(out)
    return write_index(out, meta)


def _differing(old: Mapping[str, object], new: Mapping[str, object], path: str = "") -> list[str]:
    """Dotted names of the rules that are not equal."""
    found: list[str] = []
    for key in sorted({*old, *new}):
        a, b = old.get(key), new.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += _differing(a, b, f"{path}{key}.")
        elif _plain(a) != _plain(b):
            found.append(f"{path}{key} was {a}, is {b}")
    return found


def _plain(value: object) -> object:
    """The value as JSON knows it: a tuple is a list."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _held(out: Path) -> dict[str, Held]:
    found = {}
    for name in scene_names(out):
        provenance = read_attributes(scene_path(out, name)).get("provenance", {})
        found[name] = Held(
            provenance.get("level", ""),
            provenance.get("baseline", ""),
            provenance.get("inputs", {}),
        )
    return found


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
    threads = max(1, available_cores() // (workers or _default_workers(len(plan.tiles))))
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


def _default_workers(tiles: int) -> int:
    return max(1, min(tiles, available_cores() // CORES_PER_WORKER))


def _run(
    jobs: Sequence[TileJob], workers: int | None, cluster: str | None, progress: Progress
) -> list[SceneEntry]:
    if not jobs:
        return []
    workers = workers or _default_workers(len(jobs))
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
    futures: set[Future[list[SceneEntry]]] = {executor.submit(build_tile, job) for job in jobs}
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
        return WorkerError(
            "a worker died, most likely for want of memory",
            do="Run the same command again with fewer --workers: it goes on where it stopped",
        )
    return error


def _summary(
    out: Path,
    meta: ArchiveMeta,
    plan: BuildPlan,
    built: Sequence[SceneEntry],
    seconds: float,
) -> BuildSummary:
    return BuildSummary(
        archive=os.fspath(out),
        profile=meta.profile,
        built={entry.name: entry.patches for entry in sorted(built, key=lambda e: e.name)},
        held=plan.held,
        left_out=plan.left_out,
        patches=sum(scene.patches for scene in meta.scenes),
        scenes=len(meta.scenes),
        seconds=round(seconds, 3),
    )
