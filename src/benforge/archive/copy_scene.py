"""One scene copied: file by file, each held to its checksum, the checksums themselves last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

from benforge.archive.layout import BUILD, MANIFEST, scene_path
from benforge.archive.manifest import hash_file, hash_manifest, read_manifest, scene_files
from benforge.core.bucket import asking_threads
from benforge.core.files import storage_errors, write_atomic
from benforge.core.object_path import ObjectPath
from benforge.errors import ArchiveError, ConflictError

THREADS = 8
"""Files on their way at a time; each is in memory, at most 20 MB in a full tile."""


@dataclass(frozen=True, slots=True)
class SceneFiles:
    """A scene to be copied.

    Args:
        folder: where it is.
        name: of the scene.
        sums: file below the folder to SHA-256, without the manifest.
        manifest: the SHA-256 of the manifest.
    """

    folder: Path
    name: str
    sums: Mapping[str, str]
    manifest: str


def list_scene(source: Path, name: str, manifest: str) -> SceneFiles:
    """The files of a scene of an archive.

    Raises:
        ArchiveError: its checksums are missing, or are not those that `archive.json` records.
    """
    folder = scene_path(source, name)
    if hash_manifest(folder) != manifest:
        raise ArchiveError(
            "the scene's checksums are not those recorded in archive.json",
            where=folder,
            do="See what is damaged with: ben check",
        )
    return SceneFiles(folder, name, read_manifest(folder), manifest)


def copy_scene(
    scene: SceneFiles, target: Path, tell: Callable[[int], None]
) -> dict[str, int] | None:
    """Copy what of a scene is not at the target.

    In a folder the scene is renamed into place when it is whole; in object storage its manifest
    is written when all else is there.

    Args:
        scene: to be copied.
        target: folder or address of the archive that it goes into.
        tell: told how many of its files are there.

    Returns:
        Each file that was copied to its bytes; None where the scene was whole.

    Raises:
        ArchiveError: a file is damaged or missing; the scene is not taken for whole.
        ConflictError: the target holds another scene of this name.
        ObjectStorageError: a storage cannot be asked.
        StorageError: the disk is full.
    """
    place = scene_path(target, scene.name)
    sizes = _sizes(scene.folder)
    if _is_whole(scene, place, sizes):
        tell(len(scene.sums))
        return None
    remote = isinstance(place, ObjectPath)
    drafted = not remote and not place.is_dir()
    folder = target / BUILD / place.name if drafted else place
    if drafted or (remote and not (place / MANIFEST).is_file()):
        _clear(folder, scene)
    copied = _copy_files(scene, folder, sizes, tell)
    _check_arrived(folder, scene, sizes)
    _put(folder / MANIFEST, (scene.folder / MANIFEST).read_bytes())
    if drafted:
        with storage_errors(place):
            place.parent.mkdir(exist_ok=True)
            folder.rename(place)
    return copied


def _sizes(folder: Path) -> dict[str, int]:
    """File below a folder to bytes, by one listing."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}


def _is_whole(scene: SceneFiles, place: Path, sizes: Mapping[str, int]) -> bool:
    """Whether the target holds the scene: the same checksums, and every file of the same size.

    Raises:
        ConflictError: it holds another one.
    """
    there = _sizes(place)
    if MANIFEST not in there:
        return False
    if hash_manifest(place) != scene.manifest:
        raise ConflictError(
            "the target holds another scene of this name",
            where=place,
            do="Name another target, or remove the scene there",
        )
    return all(name in sizes and there.get(name) == sizes[name] for name in scene.sums)


def _clear(folder: Path, scene: SceneFiles) -> None:
    """Remove what an earlier copy, of another state of the scene, left behind."""
    for name in set(scene_files(folder)) - set(scene.sums):
        with storage_errors(folder):
            (folder / name).unlink()


def _copy_files(
    scene: SceneFiles, folder: Path, sizes: Mapping[str, int], tell: Callable[[int], None]
) -> dict[str, int]:
    there, copied = _sizes(folder), {}

    def copy(name: str) -> tuple[str, int | None]:
        same = name in there and there[name] == sizes.get(name)
        if same and hash_file(folder / name) == scene.sums[name]:
            return name, None
        return name, _copy_file(scene, name, folder / name)

    with asking_threads(THREADS) as pool:
        waiting = [pool.submit(copy, name) for name in scene.sums]
        for done, future in enumerate(as_completed(waiting), 1):
            name, size = future.result()
            if size is not None:
                copied[name] = size
            tell(done)
    return copied


def _copy_file(scene: SceneFiles, name: str, target: Path) -> int:
    path = scene.folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _damaged("cannot be read", path) from error
    if hashlib.sha256(data).hexdigest() != scene.sums[name]:
        raise _damaged("damaged, its checksum differs", path)
    _put(target, data)
    return len(data)


def _put(path: Path, data: bytes) -> None:
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)


def _check_arrived(folder: Path, scene: SceneFiles, sizes: Mapping[str, int]) -> None:
    """Raise unless the target lists every file with its size, before the scene counts as whole."""
    there = _sizes(folder)
    for name in scene.sums:
        if there.get(name) != sizes[name]:
            raise ArchiveError(
                "did not arrive whole",
                where=folder / name,
                do="Run the same command again: it goes on where it stopped",
            )


def _damaged(what: str, path: Path) -> ArchiveError:
    return ArchiveError(what, where=path, do="See what else is damaged with: ben check")
