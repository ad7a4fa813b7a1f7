"""Sidecars on disk: Parquet files beside the scenes, which rewrite none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from benforge.archive.layout import FLAGS, REVIEWS, SPLITS
from benforge.core.files import storage_errors, write_atomic
from benforge.core.flags import Flags
from benforge.core.object_path import readable
from benforge.core.split import SCHEMA, Split
from benforge.errors import ArchiveError, BenError, ConflictError, InputError, MissingError

PUBLISHED = "published"
"""Name of the flags and the split that an archive's own edition published."""

_KEY = b"benforge"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


Note = TypeVar("Note", bound=msgspec.Struct)
"""What the file of a sidecar says besides its rows."""


class _SplitNote(msgspec.Struct, kw_only=True):
    """What the file of a split says besides its rows."""

    rule: str
    seed: int | None
    parameters: dict[str, Any]
    digest: str


class _FlagsNote(msgspec.Struct, kw_only=True):
    source: str
    parameters: dict[str, Any]


def write_split(root: Path, split: Split, *, replace: bool = False) -> Path:
    """Write `splits/<name>.parquet`; an equal split that is there is left alone.

    Raises:
        InputError: a name that cannot be a file's.
        ConflictError: another split of this name is there, and not `replace`.
        StorageError: the disk is full.
    """
    path = sidecar_path(root, SPLITS, split.name)
    if path.exists() and not replace:
        check_same(path, read_split(root, split.name).digest == split.digest, "another split")
        return path
    note = _SplitNote(
        rule=split.rule, seed=split.seed, parameters=dict(split.parameters), digest=split.digest
    )
    return write_sidecar(path, split.table, note)


def read_split(root: Path, name: str) -> Split:
    """Read `splits/<name>.parquet` and hold it to its hash.

    Raises:
        MissingError: the archive has no such split; names those it has.
        ArchiveError: the file is damaged.
    """
    path = sidecar_path(root, SPLITS, name)
    table, note = read_sidecar(root, SPLITS, name, _SplitNote)
    try:
        split = Split(name, note.rule, table.cast(SCHEMA), note.seed, note.parameters)
    except (BenError, pa.ArrowException, ValueError) as error:
        raise damaged_sidecar(path, error) from error
    if split.digest != note.digest:
        raise damaged_sidecar(path, "its rows do not match its hash")
    return split


def write_flags(root: Path, flags: Flags, *, replace: bool = False) -> Path:
    """Write `flags/<name>.parquet`; equal flags that are there are left alone.

    Raises:
        InputError: a name that cannot be a file's.
        ConflictError: other flags of this name are there, and not `replace`.
        StorageError: the disk is full.
    """
    path = sidecar_path(root, FLAGS, flags.name)
    if path.exists() and not replace:
        check_same(
            path,
            read_flags(root, flags.name).table.equals(flags.table),
            "another set of flags",
            do="Take another name, or put these in its place: --replace",
        )
        return path
    return write_sidecar(
        path, flags.table, _FlagsNote(source=flags.source, parameters=dict(flags.parameters))
    )


def read_flags(root: Path, name: str) -> Flags:
    """Read `flags/<name>.parquet`.

    Raises:
        MissingError: the archive has no such flags; names those it has.
        ArchiveError: the file is damaged.
    """
    path = sidecar_path(root, FLAGS, name)
    table, note = read_sidecar(root, FLAGS, name, _FlagsNote)
    try:
        return Flags(name, note.source, table, note.parameters)
    except (BenError, KeyError) as error:
        raise damaged_sidecar(path, error) from error


def published_flags(root: Path) -> Flags | None:
    """The flags "published", or None where the archive has none.

    Raises:
        ArchiveError: the file is damaged.
    """
    return read_flags(root, PUBLISHED) if PUBLISHED in sidecar_names(root, FLAGS) else None


def published_split(root: Path) -> Split | None:
    """The split "published", or None where the archive has none.

    Raises:
        ArchiveError: the file is damaged.
    """
    return read_split(root, PUBLISHED) if PUBLISHED in sidecar_names(root, SPLITS) else None


def sidecar_names(root: Path, kind: str) -> tuple[str, ...]:
    """The names of an archive's sidecars of one kind, "flags" or "reviews" for example, sorted."""
    ending = "jsonl" if kind == REVIEWS else "parquet"
    return tuple(sorted(path.stem for path in (root / kind).glob(f"[!.]*.{ending}")))


def sidecar_path(root: Path, kind: str, name: str) -> Path:
    """Where the sidecar of this kind and name lies.

    Raises:
        InputError: the name could not be a file's everywhere.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name for {kind}", do="Use letters, digits, . _ -")
    return root / kind / f"{name}.parquet"


def write_sidecar(path: Path, table: pa.Table, note: msgspec.Struct) -> Path:
    """Write one sidecar's rows and note, atomically; equal ones give equal bytes.

    Raises:
        StorageError: the disk is full.
    """
    text = msgspec.json.encode(note, order="deterministic")
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({_KEY: text}), sink, compression="zstd")
    with storage_errors(path):
        path.parent.mkdir(exist_ok=True)
    write_atomic(path, bytes(sink.getvalue()))
    return path


def read_sidecar(root: Path, kind: str, name: str, note: type[Note]) -> tuple[pa.Table, Note]:
    """Read one sidecar's rows and note.

    Raises:
        InputError: the name could not be a file's.
        MissingError: the archive has no such sidecar; names those it has.
        ArchiveError: the file is damaged.
    """
    path = sidecar_path(root, kind, name)
    if not path.is_file():
        there = ", ".join(sidecar_names(root, kind)) or "none"
        raise MissingError(
            f"the archive has no {kind} of this name", where=path, do=f"It has: {there}"
        )
    try:
        table = pq.read_table(readable(path), partitioning=None)
        metadata: Mapping[bytes, bytes] = table.schema.metadata or {}
        return table.replace_schema_metadata(None), msgspec.json.decode(metadata[_KEY], type=note)
    except (OSError, KeyError, pa.ArrowException, msgspec.MsgspecError) as error:
        raise damaged_sidecar(path, error) from error


def check_same(
    path: Path, same: bool, other: str, *, do: str = "Take another name or remove it"
) -> None:
    """Refuse to write over `other` that has the same name.

    Args:
        path: where it is.
        same: whether it is what was to be written.
        other: what it is.
        do: what to do about it.

    Raises:
        ConflictError: what is there is not the same.
    """
    if not same:
        raise ConflictError(
            f"{other} of this name is there already",
            where=path,
            do=do,
        )


def damaged_sidecar(path: Path, why: object) -> ArchiveError:
    """The error where a sidecar cannot be used."""
    reason = str(why).partition("\n")[0]
    return ArchiveError(f"damaged, {reason}", where=path, do="Make it again, or restore it")
