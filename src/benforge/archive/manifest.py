"""The checksums of a scene's files, in the form that `sha256sum -c` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benforge.archive.layout import MANIFEST
from benforge.core.files import storage_errors
from benforge.core.object_path import ObjectPath
from benforge.errors import ArchiveError


def scene_files(folder: Path) -> list[str]:
    """Every file of a scene but the manifest, as sorted POSIX paths below the folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = (path.relative_to(folder).as_posix() for path in files)
    return sorted(name for name in names if name != MANIFEST)


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(folder: Path, names: Iterable[str], *, threads: int = 2) -> dict[str, str]:
    """The SHA-256 of each named file of a folder."""
    names = list(names)
    with ThreadPoolExecutor(threads) as pool:
        sums = pool.map(lambda name: hash_file(folder / name), names)
        return dict(zip(names, sums, strict=True))


def write_manifest(folder: Path, *, threads: int = 2) -> str:
    """Write `manifest.sha256` over every other file of the folder.

    Returns:
        The SHA-256 of the manifest itself: it stands for the whole scene.

    Raises:
        StorageError: the disk is full.
    """
    sums = hash_files(folder, scene_files(folder), threads=threads)
    text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    with storage_errors(folder):
        (folder / MANIFEST).write_bytes(text.encode())
    return hashlib.sha256(text.encode()).hexdigest()


def hash_manifest(folder: Path) -> str:
    """The SHA-256 of a scene's manifest: it stands for the whole scene.

    Raises:
        ArchiveError: the manifest is missing or cannot be read.
    """
    try:
        return hash_file(folder / MANIFEST)
    except OSError as error:
        raise _unreadable(folder) from error


def _unreadable(folder: Path) -> ArchiveError:
    return ArchiveError(
        "the scene's checksums cannot be read",
        where=folder / MANIFEST,
        do="Copy the archive there again: ben copy"
        if isinstance(folder, ObjectPath)
        else "Remove the scene's folder and run the build again",
    )


def read_manifest(folder: Path) -> dict[str, str]:
    """File to SHA-256, as written when the scene was built.

    Raises:
        ArchiveError: the manifest is missing or is not one.
    """
    path = folder / MANIFEST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(folder) from error
    pairs = [line.split("  ", 1) for line in lines]
    if any(len(pair) != 2 or len(pair[0]) != 64 for pair in pairs):
        raise ArchiveError("not a list of checksums", where=path)
    return {name: digest for digest, name in pairs}
