"""One fingerprint of a map's content, whether it is a file, several files or a folder."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_SHAPEFILE_PARTS = (".cpg", ".dbf", ".prj", ".shp", ".shx")


def content_sha256(path: Path) -> str:
    """SHA-256 of a file; of all files, by name, of a folder (.gdb) or a shapefile.

    Computed once a process, as long as the files keep their time of change.
    """
    files = _files_of(path)
    return _digest(tuple((file, file.stat().st_mtime_ns) for file in files))


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".lock")
    if path.suffix.lower() == ".shp":
        return sorted(p for p in path.parent.glob(f"{path.stem}.*") if _is_shapefile_part(p))
    return [path]


def _is_shapefile_part(path: Path) -> bool:
    return path.suffix.lower() in _SHAPEFILE_PARTS


@cache
def _digest(files: tuple[tuple[Path, int], ...]) -> str:
    total = hashlib.sha256()
    for path, _ in files:
        with path.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
