"""From a published layout to an archive: describe all, plan the scenes, write those missing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benforge.archive.build_folder import begin, check_target, end, give_up
from benforge.archive.executors import run_tasks, workers_for
from benforge.archive.index import missing_scenes, read_provenance
from benforge.archive.layout import META, scene_names, scene_path
from benforge.archive.locking import writing
from benforge.archive.meta import ArchiveMeta, read_meta
from benforge.core.nomenclature import load_nomenclature
from benforge.core.progress import Progress, silent
from benforge.core.sensor import load_sensor
from benforge.errors import BenError, ConflictError, InputError
from benforge.layouts.import_lists import read_import_lists, write_import_lists
from benforge.layouts.port import ImportOptions, ImportSummary, Skipped
from benforge.layouts.scene_import import SceneJob, import_scene, left_out
from benforge.layouts.scene_plan import PlannedScene, plan_scenes
from benforge.layouts.source import PatchSource, SourcePatch, skipped
from benforge.published.lists import PublishedLists

CHUNK = 1024
"""Patches that a process describes at a time."""


@dataclass(slots=True)
class _Tally:
    """What has been left out, and what has been written, so far."""

    skip_bad: bool
    skipped: list[Skipped] = field(default_factory=list)
    held: int = 0
    scenes: int = 0
    patches: int = 0

    def refuse(self, patch: SourcePatch, error: BenError) -> None:
        """Leave a patch out, or raise."""
        if not self.skip_bad:
            raise error
        self.skipped.append(skipped(patch.name, error))

    def nothing_left(self) -> InputError:
        """The error where every patch was left out."""
        first = min(self.skipped, key=lambda one: one.patch)
        return InputError(
            f"none of the {len(self.skipped)} patches can be imported",
            do=f"The first: {first.reason}",
        )


def import_patches(
    source: PatchSource,
    out: Path,
    options: ImportOptions,
    lists: PublishedLists,
    progress: Progress = silent,
) -> ImportSummary:
    """Import the patches of a published layout into an archive.

    Everything but the pixels, published lists included, is checked before anything is written.
    Scenes are whole or not
    there; the same call goes on where one was cut off. Each process holds one shard of patches
    at a time.

    Args:
        source: the folder, as its layout reads it.
        out: the archive's folder; new, empty, or an archive that was imported alike.
        options: how.
        lists: published lists, whose flags and splits come along.
        progress: told how many patches are done.

    Raises:
        InputError: a folder, name, JSON or label that is not the layout's, or all were left out.
        MissingError: a file of a patch is missing.
        GridError: a patch lies off the grid of its tile.
        ArchiveError: pixels are corrupt, or `out` is no archive.
        ConflictError: two patches at one place, or the archive holds other patches of a scene.
        StorageError: the disk is full.
        WorkerError: a process died.
    """
    start = time.monotonic()
    check_target(out)
    listed = read_import_lists(lists)
    tally = _Tally(options.skip_bad)
    scenes = _plan(source, options, tally, progress)
    with writing(out):
        meta = _write(out, source, scenes, options, tally, progress)
        flags, splits = write_import_lists(out, listed)
    return ImportSummary(
        new_scenes=tally.scenes,
        new_patches=tally.patches,
        held_scenes=tally.held,
        scenes=len(meta.scenes),
        patches=sum(scene.patches for scene in meta.scenes),
        flags=flags,
        splits=splits,
        skipped=tuple(sorted(tally.skipped, key=lambda one: one.patch)),
        seconds=round(time.monotonic() - start, 3),
    )


def _plan(
    source: PatchSource, options: ImportOptions, tally: _Tally, progress: Progress
) -> list[PlannedScene]:
    """Every patch described, and the scenes that they make."""
    names = source.list()
    jobs = (_DescribeJob(source, chunk, tally.skip_bad) for chunk in _chunks(names))
    workers = workers_for(options.workers, len(names))
    found: list[SourcePatch] = []
    for patches, bad in run_tasks(_describe, jobs, workers, reads=source.paths):
        found += patches
        tally.skipped += bad
        progress("reading metadata", len(found) + len(tally.skipped), len(names))
    scenes = plan_scenes(found, tally.refuse)
    if not scenes:
        raise tally.nothing_left()
    return scenes


def _write(
    out: Path,
    source: PatchSource,
    scenes: Sequence[PlannedScene],
    options: ImportOptions,
    tally: _Tally,
    progress: Progress,
) -> ArchiveMeta:
    """Write the scenes that are not there; whatever happens, list those that are whole."""
    meta = _open_meta(out, source, options)
    begin(out, meta)
    anew = missing_scenes(out, meta, {scene.product for scene in scenes})
    held = _held(out, scenes, tally)
    tally.held = len(held)
    new = [scene for scene in scenes if scene.product not in held]
    try:
        _write_scenes(out, source, new, options, tally, progress)
    except BaseException:
        with suppress(BenError):
            give_up(out, meta, anew)
        raise
    return end(out, meta, anew)


def check_apart(source: Path, out: Path) -> None:
    """Raise where the archive would lie in the folder that it is imported from.

    Raises:
        ConflictError: it would.
    """
    if out.resolve().is_relative_to(source.resolve()):
        raise ConflictError(
            "the archive would lie in the folder that is imported",
            where=out,
            do="Name a folder outside it with --out",
        )


@dataclass(frozen=True, slots=True)
class _DescribeJob:
    source: PatchSource
    names: tuple[str, ...]
    skip_bad: bool


def _chunks(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(names[i : i + CHUNK]) for i in range(0, len(names), CHUNK))


def _describe(job: _DescribeJob) -> tuple[list[SourcePatch], list[Skipped]]:
    found, bad = [], []
    for name in job.names:
        try:
            found.append(job.source.describe(name))
        except BenError as error:
            if not job.skip_bad:
                raise
            bad.append(skipped(name, error))
    return found, bad


def _open_meta(out: Path, source: PatchSource, options: ImportOptions) -> ArchiveMeta:
    """The archive's meta: of a new archive, or of the one there, if it was imported alike."""
    recipe = {"imported": source.layout, "storage": msgspec.to_builtins(options.storage)}
    if (out / META).is_file():
        meta = read_meta(out)
        _check_alike(out, meta.recipe, recipe)
        return meta
    return ArchiveMeta(
        profile=source.profile,
        recipe=recipe,
        sensor=load_sensor(),
        nomenclature=load_nomenclature(source.nomenclature),
    )


def _check_alike(out: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise where an archive was built, or imported from another layout or with other storage."""
    if old.get("imported") != new["imported"]:
        came = f"imported from the {old['imported']} layout" if "imported" in old else "built"
        raise ConflictError(
            f"the archive was {came}, this is {new['imported']}", where=out, do="Name a new folder"
        )
    if old != new:
        raise ConflictError(
            "the archive was imported with another compression",
            where=out,
            do="Use the same --compression, or another folder",
        )


def _held(out: Path, scenes: Sequence[PlannedScene], tally: _Tally) -> set[str]:
    """The scenes that the archive has, from the same input."""
    there = set(scene_names(out))
    held = [scene for scene in scenes if scene.product in there]
    for scene in held:
        provenance = read_provenance(scene_path(out, scene.product))
        if provenance.get("inputs") != {"patches": scene.fingerprint}:
            raise ConflictError(
                f"the archive holds {scene.product} already, from other patches",
                where=out,
                do="Import into another archive, or remove that scene's folder first",
            )
        tally.skipped += left_out(provenance)
    return {scene.product for scene in held}


def _write_scenes(
    out: Path,
    source: PatchSource,
    scenes: Sequence[PlannedScene],
    options: ImportOptions,
    tally: _Tally,
    progress: Progress,
) -> None:
    total = sum(len(scene.patches) for scene in scenes)
    jobs = _jobs(out.absolute(), source, scenes, options)
    workers = workers_for(options.workers, total)
    for written, bad in run_tasks(import_scene, jobs, workers, reads=source.paths, writes=out):
        tally.scenes += written > 0
        tally.patches += written
        tally.skipped += bad
        progress("importing", tally.patches, total)
    if not tally.patches + tally.held:
        raise tally.nothing_left()


def _jobs(
    out: Path, source: PatchSource, scenes: Iterable[PlannedScene], options: ImportOptions
) -> Iterator[SceneJob]:
    sensor = load_sensor()
    for scene in scenes:
        yield SceneJob(
            out=out,
            source=source,
            scene=scene,
            sensor=sensor,
            storage=options.storage,
            skip_bad=options.skip_bad,
        )
