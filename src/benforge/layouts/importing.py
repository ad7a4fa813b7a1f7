"""From the published v1 layout to an archive: check all, plan the scenes, write those missing."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from benforge.archive.build_folder import check_target
from benforge.archive.files import storage_errors
from benforge.archive.index import missing_scenes, read_provenance, write_index
from benforge.archive.layout import META, scene_names, scene_path
from benforge.archive.locking import writing
from benforge.archive.meta import ArchiveMeta, read_meta, write_meta
from benforge.archive.scene_writer import clear_leavings
from benforge.archive.storage import StorageRecipe
from benforge.archive.v1_plan import V1Scene, plan_scenes
from benforge.archive.v1_read import V1Patch, list_v1_patches, read_v1_patch
from benforge.archive.v1_scene import write_v1_scene
from benforge.core.nomenclature import load_nomenclature
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor, load_sensor
from benforge.errors import BenError, ConflictError


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did.

    Args:
        new_scenes: scenes of this import.
        new_patches: their patches.
        held_scenes: scenes that were there already, from the same input.
        scenes: scenes in the whole archive.
        patches: patches in the whole archive.
        seconds: how long it took.
    """

    new_scenes: int
    new_patches: int
    held_scenes: int
    scenes: int
    patches: int
    seconds: float


def import_v1(
    source: Path,
    out: Path,
    storage: StorageRecipe | None = None,
    progress: Progress = silent,
) -> ImportSummary:
    """Import patches of the published v1 layout into an archive of profile ben-v1.

    Everything but the pixels is checked before anything is written. Scenes are whole or not
    there; the same call goes on where one was cut off. One shard of patches is in memory at a
    time.

    Args:
        source: the folder that holds the patch folders.
        out: the archive's folder; new, empty, or an archive that was imported alike.
        storage: how pixels are stored.
        progress: told how many patches are done.

    Raises:
        InputError: a folder, name, JSON or label that is not v1's.
        MissingError: a file of a patch is missing.
        GridError: a patch lies off the grid of its tile.
        ArchiveError: a GeoTIFF is corrupt, or `out` is no archive.
        ConflictError: two patches at one place, the archive holds other patches of a scene, or
            `out` lies in `source`.
        StorageError: the disk is full.
    """
    start = time.monotonic()
    sensor, storage = load_sensor(), storage or StorageRecipe()
    _check_apart(source, out)
    scenes = plan_scenes(_read_patches(source, sensor, progress))
    check_target(out)
    with writing(out):
        clear_leavings(out)
        meta = _begin(out, sensor, storage)
        anew = missing_scenes(out, meta, {scene.name for scene in scenes})
        held = _held(out, scenes)
        new = [scene for scene in scenes if scene.name not in held]
        try:
            _write_scenes(out, new, sensor, storage, progress)
        except BaseException:
            with suppress(BenError):
                _end(out, meta, anew)
            raise
        meta = _end(out, meta, anew)
    return ImportSummary(
        new_scenes=len(new),
        new_patches=sum(len(scene.patches) for scene in new),
        held_scenes=len(held),
        scenes=len(meta.scenes),
        patches=sum(scene.patches for scene in meta.scenes),
        seconds=round(time.monotonic() - start, 3),
    )


def _check_apart(source: Path, out: Path) -> None:
    if out.resolve().is_relative_to(source.resolve()):
        raise ConflictError(
            "the archive would lie in the folder that is imported",
            where=out,
            do="Name a folder outside it with --out",
        )


def _end(out: Path, meta: ArchiveMeta, anew: Collection[str]) -> ArchiveMeta:
    """Clear up and list the scenes that are whole."""
    clear_leavings(out)
    return write_index(out, meta, anew)


def _read_patches(source: Path, sensor: Sensor, progress: Progress) -> list[V1Patch]:
    folders = list_v1_patches(source)
    patches = []
    for done, folder in enumerate(folders, 1):
        patches.append(read_v1_patch(folder, sensor))
        progress("reading metadata", done, len(folders))
    return patches


def _begin(out: Path, sensor: Sensor, storage: StorageRecipe) -> ArchiveMeta:
    """The archive's meta: of a new archive, or of the one there, if it was imported alike."""
    recipe = {"imported": "v1", "storage": msgspec.to_builtins(storage)}
    if (out / META).is_file():
        meta = read_meta(out)
        if meta.recipe != recipe:
            raise ConflictError(
                "the archive was not imported from the v1 layout with this compression",
                where=out,
                do="Use the same --compression, or another folder",
            )
        return meta
    meta = ArchiveMeta(
        profile="ben-v1",
        recipe=recipe,
        sensor=sensor,
        nomenclature=load_nomenclature("clc-43"),
    )
    with storage_errors(out):
        write_meta(out, meta)
    return meta


def _held(out: Path, scenes: Sequence[V1Scene]) -> list[str]:
    """The scenes that the archive has, from the same input."""
    there = set(scene_names(out))
    held = [scene for scene in scenes if scene.name in there]
    for scene in held:
        provenance = read_provenance(scene_path(out, scene.name))
        if provenance.get("inputs") != {"patches": scene.fingerprint}:
            raise ConflictError(
                f"the archive holds {scene.name} already, from other patches",
                where=out,
                do="Import into another archive, or remove that scene's folder first",
            )
    return [scene.name for scene in held]


def _write_scenes(
    out: Path,
    scenes: Sequence[V1Scene],
    sensor: Sensor,
    storage: StorageRecipe,
    progress: Progress,
) -> None:
    done, total = 0, sum(len(scene.patches) for scene in scenes)
    for scene in scenes:
        progress(f"importing {scene.name}", done, total)
        write_v1_scene(out, scene, sensor, storage)
        done += len(scene.patches)
    progress("imported", done, total)
