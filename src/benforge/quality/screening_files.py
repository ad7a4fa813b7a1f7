"""Screenings on disk: `screenings/<name>.parquet` beside the scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from benforge.archive.layout import SCREENINGS
from benforge.archive.sidecars import (
    check_same,
    damaged_sidecar,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)
from benforge.errors import BenError
from benforge.quality.screening import SCHEMA, SHARES, Screening

DEFAULT_NAME = "screen"
"""Name of a screening where none is given."""


class _ScreeningNote(msgspec.Struct, kw_only=True):
    method: str
    parameters: dict[str, Any]
    simulated: bool


def write_screening(root: Path, screening: Screening, *, replace: bool = False) -> Path:
    """Write `screenings/<name>.parquet`; an equal screening that is there is left alone.

    Raises:
        InputError: a name that cannot be a file's.
        ConflictError: another screening of this name is there, and not `replace`.
        StorageError: the disk is full.
    """
    path = sidecar_path(root, SCREENINGS, screening.name)
    if path.exists() and not replace:
        check_same(
            path, _same(read_screening(root, screening.name), screening), "another screening"
        )
        return path
    note = _ScreeningNote(
        method=screening.method,
        parameters=dict(screening.parameters),
        simulated=screening.simulated,
    )
    return write_sidecar(path, screening.table.cast(SCHEMA), note)


def read_screening(root: Path, name: str = DEFAULT_NAME) -> Screening:
    """Read `screenings/<name>.parquet`.

    Raises:
        InputError: a name that cannot be a file's.
        MissingError: the archive has no such screening; names those it has.
        ArchiveError: the file is damaged.
    """
    path = sidecar_path(root, SCREENINGS, name)
    table, note = read_sidecar(root, SCREENINGS, name, _ScreeningNote)
    try:
        rows = table.cast(SCHEMA)
        _check_shares(rows)
        return Screening(name, note.method, rows, note.parameters, note.simulated)
    except (BenError, pa.ArrowException, ValueError) as error:
        raise damaged_sidecar(path, error) from error


def _same(one: Screening, other: Screening) -> bool:
    notes = [(s.method, dict(s.parameters), s.simulated) for s in (one, other)]
    return notes[0] == notes[1] and one.table.equals(other.table.cast(SCHEMA))


def _check_shares(rows: pa.Table) -> None:
    """Refuse shares that are no shares.

    Raises:
        ValueError: one below 0 or above 1, or not a number.
    """
    for name in SHARES:
        values = rows[name].to_numpy()
        if not np.all((values >= 0) & (values <= 1)):
            raise ValueError(f"its column {name} holds what is no share from 0 to 1")
