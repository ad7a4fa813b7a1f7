"""Published files read as Arrow tables: whole and as expected, or refused in one line."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from benforge.errors import InputError

NAME = r"^S2[A-Z]_MSIL2A_[0-9]{8}T[0-9]{1,6}_(?:0|[1-9][0-9]?)_(?:0|[1-9][0-9]?)$"
"""A v1 patch name (fidelity 3)."""

ENDINGS = (".csv", ".csv.bz2", ".csv.gz")
"""How the name of a list of texts may end."""

_OPEN: Mapping[str, Callable[[bytes], bytes]] = {
    ".bz2": bz2.decompress,
    ".gz": gzip.decompress,
    ".csv": bytes,
}
RESTORE = "Copy the file anew from where it was published"


def read_text(
    path: Path,
    names: Sequence[str] | None,
    columns: Sequence[str] | None = None,
    *,
    skip: int = 0,
) -> pa.Table:
    """The columns of a comma-separated file as texts.

    Args:
        path: the file.
        names: its columns; None where its first line tells them.
        columns: those wanted, in order; all of `names` if left out.
        skip: lines to pass over.

    Raises:
        InputError: the file is empty, cut off or damaged, or lacks a column.
    """
    wanted = list(columns or names or ())
    try:
        data = _OPEN[path.suffix](path.read_bytes())
        if data == b"\n" and names:  # a list of nothing; no byte at all is a failed download
            return pa.table({name: pa.array([], pa.string()) for name in wanted})
        return pcsv.read_csv(
            pa.BufferReader(data),
            # Arrow's threads may outlive an error here and abort the process when it ends.
            pcsv.ReadOptions(column_names=names, skip_rows=skip, use_threads=False),
            pcsv.ParseOptions(ignore_empty_lines=True),
            pcsv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
            ),
        )
    except (OSError, EOFError, ValueError, KeyError, zlib.error, pa.ArrowException) as error:
        raise damaged(path, error) from error


def read_parquet(path: Path, schema: pa.Schema) -> pa.Table:
    """The columns of `schema` of a Parquet file.

    Raises:
        InputError: the file is damaged, or lacks a column or its type.
    """
    try:
        table = pq.read_table(path, partitioning=None)
        if lacking := [name for name in schema.names if name not in table.column_names]:
            raise KeyError(f"it has no column {', '.join(lacking)}")
        return table.select(schema.names).cast(schema).combine_chunks()
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise damaged(path, error) from error


def check_names(names: pa.Array, path: Path) -> None:
    """Raise unless each is a v1 patch name, and none stands there twice.

    Raises:
        InputError: names the first that is wrong.
    """
    matches = pc.match_substring_regex(names, NAME).fill_null(False)
    strangers = names.filter(pc.invert(matches))
    if len(strangers):
        raise InputError(f"{strangers[0].as_py()!r} is no v1 patch name", where=path, do=RESTORE)
    check_once(names, path)


def check_once(names: pa.Array, path: Path) -> None:
    """Raise where a name stands there twice.

    Raises:
        InputError: names one.
    """
    if pc.count_distinct(names).as_py() == len(names):
        return
    counts = pc.value_counts(names)
    twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")[0].as_py()
    raise InputError(f"{twice} stands there twice", where=path, do=RESTORE)


def damaged(path: Path, why: object) -> InputError:
    """The error for a list that cannot be read, with the first line of the reason."""
    reason = str(why.args[0] if isinstance(why, KeyError) else why).partition("\n")[0]
    return InputError(f"the published list cannot be read, {reason}", where=path, do=RESTORE)
