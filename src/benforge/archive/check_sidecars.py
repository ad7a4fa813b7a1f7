"""Flags, splits, screenings and reviews held to the archive: whole files, that name its patches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benforge.archive.finding import Finding
from benforge.archive.layout import FLAGS, REVIEWS, SCREENINGS, SPLITS
from benforge.archive.sidecars import (
    read_flags,
    read_split,
    sidecar_names,
    sidecar_path,
)
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.core.object_path import readable
from benforge.errors import ArchiveError, BenError, ObjectStorageError


def check_sidecars(root: Path, rows: pa.Table) -> Iterator[Finding]:
    """What is wrong with flags, splits, screenings and reviews.

    Args:
        root: the archive's folder.
        rows: its index.
    """
    for kind, read in _READ.items():
        for name in sidecar_names(root, kind):
            yield from _check_table(root, kind, name, read, rows)
    for log in sorted((root / REVIEWS).glob("[!.]*.jsonl")):
        yield from _check_log(log, rows)


def _check_table(
    root: Path, kind: str, name: str, read: Callable[[Path, str], pa.ChunkedArray], rows: pa.Table
) -> Iterator[Finding]:
    try:
        named = read(root, name)
    except ObjectStorageError:
        raise
    except BenError as error:
        yield Finding(where=error.where, what=f"{error.what}. {error.do}")
        return
    yield from _strangers(sidecar_path(root, kind, name), named, rows)


def _screened(root: Path, name: str) -> pa.ChunkedArray:
    """The patches of a screening, whose other columns are its own room's concern."""
    path = sidecar_path(root, SCREENINGS, name)
    try:
        return pq.read_table(readable(path), partitioning=None, columns=["patch_id"])["patch_id"]
    except (OSError, KeyError, pa.ArrowException, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ArchiveError(f"damaged, {reason}", where=path, do="Make it again") from error


_READ: Mapping[str, Callable[[Path, str], pa.ChunkedArray]] = {
    FLAGS: lambda root, name: read_flags(root, name).table["patch_id"],
    SPLITS: lambda root, name: read_split(root, name).table["patch_id"],
    SCREENINGS: _screened,
}


_DECIDED = frozenset((SEASONAL_SNOW, CLOUD_OR_SHADOW))


def _check_log(path: Path, rows: pa.Table) -> Iterator[Finding]:
    """A damaged line is what a killed writer leaves; the lines around it hold, so it is a note."""
    try:
        lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        yield Finding(where=str(path), what=f"cannot be read, {error.strerror}. Restore it")
        return
    found = [_patches_of(line) for line in lines]
    if damaged := found.count(None):
        what = f"{damaged} of {len(lines)} lines cannot be read; the others hold"
        yield Finding(where=str(path), what=what, severity="note")
    patches = {patch for named in found for patch in named or ()}
    yield from _strangers(path, pa.array(sorted(patches), pa.string()), rows)


def _patches_of(line: bytes) -> list[str] | None:
    """The patches that a line of a log names; None where it is no event."""
    try:
        told = json.loads(line)
        if not all(isinstance(told[key], str) for key in ("id", "time", "reviewer")):
            return None
        if not set(told.get("flags", ())) <= _DECIDED:
            return None
        decided = "flags" in told or ("label" in told and isinstance(told["present"], bool))
        named = told["patches"] if decided else [] if told["undo"] else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    strings = isinstance(named, list) and all(isinstance(patch, str) for patch in named)
    return named if strings else None


def _strangers(path: Path, named: pa.ChunkedArray, rows: pa.Table) -> Iterator[Finding]:
    strange = pc.sum(pc.invert(pc.is_in(named, rows["patch_id"]))).as_py() or 0
    if strange:
        yield Finding(
            where=str(path),
            what=f"{strange} of {len(named)} patches named are not in the archive",
            severity="note",
        )
