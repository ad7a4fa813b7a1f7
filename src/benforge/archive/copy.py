"""An archive copied, between folders and object storage: whole scenes, verified, resumable.

A scene's checksums are written when all else of it is there, `archive.json` when all else of the
archive is: who opens the copy sees whole scenes, and a copy that is cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from benforge.archive.copy_scene import SceneFiles, copy_scene, list_scene
from benforge.archive.layout import BUILD, INDEX, META, SCENES, SIDECARS, scene_path
from benforge.archive.locking import writing
from benforge.archive.meta import ArchiveMeta, read_meta
from benforge.core.files import clear_drafts, storage_errors, write_atomic
from benforge.core.object_path import ObjectPath
from benforge.core.progress import Progress, silent
from benforge.errors import ArchiveError, ConflictError


class CopySummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy did; JSON-able.

    Args:
        scenes: of the archive.
        scenes_copied: that were not whole at the target.
        files: of those scenes, and the sidecars, that were copied.
        bytes: of these files.
        kept: files of those scenes that were at the target already, verified.
        sidecars: flags, splits, screenings and reviews that were copied.
    """

    scenes: int
    scenes_copied: int
    files: int
    bytes: int
    kept: int
    sidecars: int

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        there = self.scenes - self.scenes_copied
        return {
            "scenes": f"{self.scenes_copied:,} copied, {there:,} there already",
            "files": f"{self.files:,} copied, {self.bytes / 1e6:,.1f} MB; {self.kept:,} kept",
            "sidecars": f"{self.sidecars:,} copied",
        }


def copy_archive(
    source: Path, target: Path, *, replace: bool = False, progress: Progress = silent
) -> CopySummary:
    """Copy an archive, or what it has grown by, to where it is not or not whole.

    Every file of a scene is held to the scene's checksums on its way.

    Args:
        source: folder or address of an archive.
        target: folder or address: new, empty, or an earlier copy, whole or cut off.
        replace: whether flags, splits, screenings and reviews that differ at the target give way.
        progress: told how many files are there.

    Raises:
        MissingError: there is no archive to copy.
        ArchiveError: a scene is damaged or missing; nothing of it is taken for whole.
        ConflictError: the target holds other things, other scenes or other sidecars.
        ObjectStorageError: a storage cannot be asked.
        StorageError: the disk is full.
    """
    meta, index = read_meta(source), _read_index(source)
    _check_apart(source, target)
    _check_target(target, meta)
    _check_index(source, index, meta)
    changed = _changed_sidecars(source, target, replace=replace)
    with nullcontext() if isinstance(target, ObjectPath) else writing(target):
        scenes = [list_scene(source, scene.name, scene.manifest) for scene in meta.scenes]
        copied = _copy_scenes(scenes, target, progress)
        for path, data in changed.items():
            _write(path, data)
        _write(target / INDEX, index)
        _write(target / META, (source / META).read_bytes())
        if not isinstance(target, ObjectPath):
            _tidy(target)
    return CopySummary(
        scenes=len(meta.scenes),
        scenes_copied=sum(one.copied for one in copied),
        files=sum(one.files for one in copied) + len(changed),
        bytes=sum(one.bytes for one in copied) + sum(map(len, changed.values())),
        kept=sum(one.kept for one in copied),
        sidecars=len(changed),
    )


@dataclass(frozen=True, slots=True)
class _Copied:
    """What was done for one scene."""

    copied: bool
    files: int
    bytes: int
    kept: int


def _copy_scenes(scenes: Sequence[SceneFiles], target: Path, progress: Progress) -> list[_Copied]:
    total, done, found = sum(len(scene.sums) for scene in scenes), 0, []
    for scene in scenes:

        def tell(files: int, name: str = scene.name, before: int = done) -> None:
            progress(f"copying {name}", before + files, total)

        written = copy_scene(scene, target, tell)
        done += len(scene.sums)
        if written is None:
            found.append(_Copied(False, 0, 0, 0))
        else:
            sizes = written.values()
            kept = len(scene.sums) - len(sizes)
            found.append(_Copied(True, len(sizes), sum(sizes), kept))
    return found


def _read_index(source: Path) -> bytes:
    path = source / INDEX
    try:
        with path.open("rb") as file:
            return bytes(file.read())
    except OSError as error:
        raise _no_index(path) from error


def _check_index(source: Path, index: bytes, meta: ArchiveMeta) -> None:
    """Raise unless the index has as many rows as `archive.json` says: a build may be at work."""
    path, expected = source / INDEX, sum(scene.patches for scene in meta.scenes)
    try:
        rows = pq.read_metadata(pa.BufferReader(index)).num_rows
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _no_index(path) from error
    if rows != expected:
        raise ArchiveError(
            f"{rows} rows, archive.json says {expected}",
            where=path,
            do="Wait until the archive is built, or see what is damaged with: ben check",
        )


def _no_index(path: Path) -> ArchiveError:
    return ArchiveError("the index cannot be read", where=path, do="See more with: ben check")


def _check_apart(source: Path, target: Path) -> None:
    """Raise where an archive would be copied into or over itself.

    Raises:
        ConflictError: it would.
    """
    here, there = source.resolve(), target.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise ConflictError(
            "the target and the archive lie in each other", where=target, do="Name another target"
        )


def _check_target(target: Path, meta: ArchiveMeta) -> None:
    """Raise unless the target is new, or holds nothing but scenes of this archive.

    Raises:
        ConflictError: what it holds would be lost, or be mixed with the copy.
    """
    if target.is_file():
        raise ConflictError("not a folder", where=target, do="Name a new folder")
    names = {path.name for path in target.glob("*") if path.name == BUILD or path.name[0] != "."}
    if strangers := sorted(names - {META, INDEX, SCENES, BUILD, *SIDECARS}):
        raise ConflictError(
            f"the target holds other things, such as {strangers[0]}",
            where=target,
            do="Name a new folder or prefix",
        )
    if META not in names:
        return
    ours = {scene.name: scene.manifest for scene in meta.scenes}
    for scene in read_meta(target).scenes:
        if ours.get(scene.name) != scene.manifest:
            what = "another scene of this name" if scene.name in ours else "a scene that is not"
            raise ConflictError(
                f"the target holds {what} in the archive to be copied",
                where=scene_path(target, scene.name),
                do="Name another target, or remove what is there",
            )


def _changed_sidecars(source: Path, target: Path, *, replace: bool) -> dict[Path, bytes]:
    """Target to bytes of every flag, split, screening and review that is not there alike.

    Raises:
        ConflictError: another of its name is there, and not `replace`.
    """
    found = {}
    for kind in SIDECARS:
        there = {path.name: path for path in (target / kind).glob("[!.]*")}
        for path in sorted((source / kind).glob("[!.]*")):
            data = path.read_bytes()
            other = there.get(path.name)
            if other is not None and other.read_bytes() == data:
                continue
            if other is not None and not replace:
                raise ConflictError(
                    "the target holds another of this name",
                    where=other,
                    do="Remove it, or put this one in its place: --replace",
                )
            found[target / kind / path.name] = data
    return found


def _write(path: Path, data: bytes) -> None:
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)


def _tidy(target: Path) -> None:
    """Remove what copies that were cut off left in a folder."""
    for folder in (target, *(target / name for name in SIDECARS)):
        clear_drafts(folder)
    with suppress(OSError):  # not empty, or not there
        (target / BUILD).rmdir()
