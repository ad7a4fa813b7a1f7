"""Whether an archive is whole: structure, counts, every checksum, shares, footprints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from benforge.archive.check_meta import check_foreign, check_meta
from benforge.archive.check_rows import check_rows
from benforge.archive.check_scene import check_files, check_structure
from benforge.archive.check_sidecars import check_sidecars
from benforge.archive.finding import Finding
from benforge.archive.index import (
    merge_rows,
    read_attributes,
    read_provenance,
    read_rows,
    same_rows,
)
from benforge.archive.layout import (
    BUILD,
    INDEX,
    MANIFEST,
    META,
    SCENES,
    parse_frame,
    scene_names,
    scene_path,
)
from benforge.archive.manifest import hash_manifest
from benforge.archive.meta import ArchiveMeta, SceneEntry, read_meta
from benforge.core.bucket import asking_threads
from benforge.core.object_path import ObjectPath
from benforge.core.progress import Progress, silent
from benforge.errors import ArchiveError, BenError, InputError, ObjectStorageError

__all__ = ["Finding", "check_archive"]


REMOTE_THREADS = 16
"""Objects read at a time, 8 MiB of memory each."""

ADVICE = "damaged. Remove the scene's folder and run the build or import again"
REMOTE_ADVICE = "damaged. Remove its manifest.sha256 there, and copy the archive again: ben copy"


def check_archive(root: Path, *, progress: Progress = silent) -> list[Finding]:
    """Check an archive; damage is reported, never raised.

    Args:
        root: the archive's folder or address.
        progress: told which scene is checked.

    Returns:
        What was found, most general first; nothing with the severity "error" means that every
        byte is as it was written and that rows, scenes and pixels fit each other.

    Raises:
        ObjectStorageError: the storage cannot be asked.
    """
    try:
        meta = read_meta(root)
    except BenError as error:
        return [_from_error(error, root / META)]
    threads = REMOTE_THREADS if isinstance(root, ObjectPath) else os.cpu_count() or 1
    names = _scenes(root, meta)
    findings = [*_check_leavings(root), *check_foreign(root), *check_meta(root, meta)]
    findings += _check_scene_list(root, meta)
    with asking_threads(threads) as pool:
        for done, name in enumerate(names):
            progress(f"checking {name}", done, len(names))
            findings += _check_scene(root, name, meta, pool)
    progress("checking the index", len(names), len(names))
    return [*findings, *_check_index(root, names)]


def _scenes(root: Path, meta: ArchiveMeta) -> list[str]:
    """The scenes that are checked: all that lie in a folder, those listed in object storage."""
    listed = {scene.name for scene in meta.scenes}
    return sorted(listed if isinstance(root, ObjectPath) else listed | set(scene_names(root)))


def _from_error(error: BenError, where: Path) -> Finding:
    """Damage as a finding; what cannot be asked for is not damaged, and ends the check."""
    if isinstance(error, ObjectStorageError):
        raise error
    return Finding(where=error.where or str(where), what=error.what)


def _check_leavings(root: Path) -> Iterator[Finding]:
    for path in sorted((root / BUILD).glob("*")):
        yield Finding(
            where=str(path),
            what="left behind by a build that was cut off; the next build or import removes it",
            severity="note",
        )


def _check_scene_list(root: Path, meta: ArchiveMeta) -> Iterator[Finding]:
    listed, there = {scene.name for scene in meta.scenes}, set(scene_names(root))
    for name in sorted(listed - there):
        yield Finding(
            where=str(root / SCENES / f"{name}.zarr"),
            what="the scene is missing. Restore its folder or run the build or import again",
        )
    remote = isinstance(root, ObjectPath)
    goes_on = (
        "the copy goes on with: ben copy" if remote else "the next build or import takes it up"
    )
    for name in sorted(there - listed):
        yield Finding(
            where=str(root / SCENES / f"{name}.zarr"),
            what=f"archive.json does not list this scene; {goes_on}",
            severity="note" if remote else "error",
        )


def _check_scene(
    root: Path, name: str, meta: ArchiveMeta, pool: ThreadPoolExecutor
) -> list[Finding]:
    try:
        folder = scene_path(root, name)
    except InputError as error:
        return [_from_error(error, root)]
    found = _check_folder(folder, name, meta, pool) if folder.is_dir() else []
    advice = REMOTE_ADVICE if isinstance(root, ObjectPath) else ADVICE
    return [*found, Finding(where=str(folder), what=advice)] if found else []


def _check_folder(
    folder: Path, name: str, meta: ArchiveMeta, pool: ThreadPoolExecutor
) -> list[Finding]:
    entries = [scene for scene in meta.scenes if scene.name == name]
    findings = check_files(folder, pool)
    try:
        findings += _check_manifest(folder, entries)
        imported = bool(read_provenance(folder).get("imported"))
        frame = parse_frame(read_attributes(folder), folder)
        findings += check_structure(folder, frame, meta.sensor)
        rows = read_rows(folder / INDEX)
        findings += check_rows(
            rows, name, frame, meta.nomenclature, folder / INDEX, imported=imported
        )
    except BenError as error:
        return [*findings, _from_error(error, folder)]
    return [*findings, *_check_count(folder, rows, entries)]


def _check_manifest(folder: Path, entries: Sequence[SceneEntry]) -> Iterator[Finding]:
    path = folder / MANIFEST
    if path.is_file() and any(hash_manifest(folder) != entry.manifest for entry in entries):
        yield Finding(where=str(path), what="differs from what archive.json says of it")


def _check_count(folder: Path, rows: pa.Table, entries: Sequence[SceneEntry]) -> Iterator[Finding]:
    for entry in entries:
        if entry.patches != len(rows):
            what = f"{len(rows)} rows, archive.json says {entry.patches}"
            yield Finding(where=str(folder / INDEX), what=what)


def _check_index(root: Path, names: Sequence[str]) -> list[Finding]:
    """Whether the index holds the rows of the scenes, and flags and splits name them."""
    path = root / INDEX
    try:
        index = read_rows(path)
    except BenError as error:
        return [_from_error(error, path)]
    found = list(check_sidecars(root, index))
    expected = _merged_rows(root, names)
    if expected is None or same_rows(index, expected):
        return found
    what = "differs from the rows of the scenes"
    if len(index) != len(expected):
        what = f"{len(index)} rows, the scenes have {len(expected)}"
    again = (
        "copy puts it right" if isinstance(root, ObjectPath) else "build or import makes it anew"
    )
    what += f"; the next {again}"
    return [*found, Finding(where=str(path), what=what)]


def _merged_rows(root: Path, names: Sequence[str]) -> pa.Table | None:
    """The rows of all scenes as the index has them; None where a scene's cannot be read."""
    try:
        return merge_rows([read_rows(scene_path(root, name) / INDEX) for name in names])
    except (ArchiveError, InputError):
        return None
