"""Predictions on disk: a Parquet file that any tool reads, and that any tool can write."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benforge.core.files import decoding, storage_errors, write_atomic
from benforge.core.predictions import FORMAT, PredictionFacts, Predictions
from benforge.errors import BenError, ConflictError, InputError, MissingError, errors_at

COLUMNS = ("patch_id", "scores", "targets")

_CLASSES, _FACTS = b"classes", b"benforge"
_NUMBERS = pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean
_ADVICE = "docs/evaluation.md says what a file of predictions holds"


class _Version(msgspec.Struct):
    """The one thing that is read of a file from a newer benforge."""

    format: int = FORMAT


def write_predictions(path: Path, predictions: Predictions) -> Path:
    """Write one row a patch: `patch_id`, `scores` and `targets`, both lists in class order.

    The schema's metadata holds `classes`, a JSON list, and `benforge`, the facts as JSON. A file
    that is there is replaced.

    Raises:
        InputError: extra facts that JSON cannot hold.
        ConflictError: another file than one of predictions is there.
        StorageError: the disk is full or the file cannot be written.
    """
    width = len(predictions.classes)
    columns = {
        "patch_id": predictions.patch_ids,
        "scores": pa.FixedSizeListArray.from_arrays(pa.array(predictions.scores.ravel()), width),
        "targets": pa.FixedSizeListArray.from_arrays(
            pa.array(predictions.targets.ravel().astype(np.uint8)), width
        ),
    }
    table = pa.table(columns).replace_schema_metadata(_metadata(path, predictions))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    check_replaceable(path, COLUMNS, "predictions")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, bytes(sink.getvalue()))
    return path


def read_predictions(path: Path) -> Predictions:
    """Read predictions of benforge or of any tool that writes the three columns and `classes`.

    Lists of any number type and further columns are accepted.

    Raises:
        MissingError: there is no such file.
        InputError: a folder, not Parquet or cut off, without a column or the classes, of a newer
            format, or with values that are no predictions; names the first patch.
    """
    if path.is_dir():
        raise InputError("is a folder", where=path, do=_inside(path))
    if not path.is_file():
        raise MissingError("no such file", where=path, do="Name a Parquet file of predictions")
    with errors_at(path):
        table = _read_table(path)
        classes = _read_classes(table)
        ids = table["patch_id"].to_pylist()
        scores = _matrix(table, "scores", len(classes))
        targets = _matrix(table, "targets", len(classes))
    try:
        return Predictions.of(ids, scores, targets, classes, _read_facts(table))
    except BenError as error:
        place = f"{path}, {error.where}" if error.where else path
        raise InputError(error.what, where=place, do=error.do or _ADVICE) from error


def _inside(folder: Path) -> str:
    """Which file of a folder is to be named instead."""
    found = sorted(folder.glob("*.parquet"))
    if len(found) == 1:
        return f"Name the file in it: {found[0]}"
    told = f", such as {found[0]}" if found else ""
    return f"Name a Parquet file of predictions{told}"


def check_replaceable(path: Path, columns: Collection[str], what: str) -> None:
    """Raise where something else would be lost than a Parquet file with these columns.

    Raises:
        ConflictError: there is; says that it is not `what`.
    """
    if not path.exists():
        return
    try:
        if path.is_file() and set(columns) <= set(pq.read_schema(path).names):
            return
    except (OSError, pa.ArrowException):
        pass
    raise ConflictError(
        f"there is something else than {what}", where=path, do="Name a new file: --out"
    )


def _metadata(path: Path, predictions: Predictions) -> dict[bytes, bytes]:
    try:
        facts = msgspec.json.encode(predictions.facts, order="deterministic")
    except (TypeError, ValueError) as error:
        raise InputError(f"facts that JSON cannot hold: {error}", where=path) from error
    return {_CLASSES: msgspec.json.encode(predictions.classes), _FACTS: facts}


def _read_table(path: Path) -> pa.Table:
    """The three columns, or all that there are; values are what their types say."""
    try:
        names = pq.read_schema(path).names
        here = [name for name in COLUMNS if name in names]
        table = pq.read_table(path, columns=here, partitioning=None)
        table.validate(full=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"not a Parquet file, or one that is cut off: {reason}", do="Make it again"
        ) from error
    if missing := [name for name in COLUMNS if name not in here]:
        raise InputError(f"has no column {missing[0]}", do=_ADVICE)
    return table


def _read_classes(table: pa.Table) -> list[str]:
    metadata = table.schema.metadata or {}
    if _CLASSES not in metadata:
        raise InputError("does not say the order of its classes", do=_ADVICE)
    with decoding("", do=_ADVICE, what="its classes are no JSON list of names"):
        return msgspec.json.decode(metadata[_CLASSES], type=list[str])


def _read_facts(table: pa.Table) -> PredictionFacts:
    text = (table.schema.metadata or {}).get(_FACTS, b"{}")
    with decoding("", do="Make it again", what="its facts cannot be read"):
        version = msgspec.json.decode(text, type=_Version).format
        if version > FORMAT:
            raise InputError(
                f"of format {version}, this benforge reads {FORMAT}", do="Update benforge"
            )
        return msgspec.json.decode(text, type=PredictionFacts)


def _matrix(table: pa.Table, name: str, width: int) -> npt.NDArray[Any]:
    """One column of lists as an array `patch label`."""
    column = table[name].combine_chunks()
    if not hasattr(column, "value_lengths"):
        raise InputError(f"its {name} are {column.type}, not lists", do=_ADVICE)
    lengths = set(column.value_lengths().unique().to_pylist()) if len(column) else {width}
    values = column.flatten()
    if lengths != {width} or values.null_count:
        raise InputError(f"its {name} are not {width} numbers a patch, one a class", do=_ADVICE)
    if not any(is_of(values.type) for is_of in _NUMBERS):
        raise InputError(f"its {name} are lists of {values.type}, not of numbers", do=_ADVICE)
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(-1, width)
