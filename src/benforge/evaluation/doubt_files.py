"""Doubts about an archive's labels on disk: from files of predictions to a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_sidecar
from benforge.core.files import storage_errors
from benforge.core.predictions import Predictions
from benforge.errors import InputError, MissingError
from benforge.evaluation.doubt import SCHEMA, Doubts, count_trained, find_doubts, join_predictions
from benforge.evaluation.files import check_replaceable, read_predictions
from benforge.labels.hot import labels_hot

FORMAT = 1
"""Of a file of doubts; a higher one was written by a newer benforge."""
_KEY, _ADVICE = b"benforge", "Make it again: ben doubt"


class ClassDoubts(msgspec.Struct, frozen=True, kw_only=True):
    """The doubts of one class.

    Args:
        name: of the class.
        patches: that have it.
        yes: mean score of these; None without any.
        no: mean score of the others; None likewise.
        doubted: of its labels.
        missing: patches that should have it.
    """

    name: str
    patches: int
    yes: float | None
    no: float | None
    doubted: int
    missing: int


class DoubtFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where doubts come from.

    Args:
        format: of the file.
        archive: name of the archive's folder.
        simulated: whether the archive is.
        nomenclature: of the labels; "" where the predictions do not tell it.
        model: that predicted; "" where several did.
        run: of the training; likewise.
        split: that the patches are of; likewise.
        part: of it, all of them.
        patches: that were predicted and that the archive holds.
        decisions: patches times classes.
        doubted: labels that are given and doubted.
        missing: labels that are not given and should be.
        trained_on: how many of the patches the model was trained on; None where it is not known.
        not_in_archive: patches predicted that the archive does not hold, left out.
        changed: labels that the archive no longer has as the predictions say; None where its
            classes are others.
        classes: in order.
    """

    format: int = FORMAT
    archive: str
    simulated: bool
    nomenclature: str
    model: str
    run: str
    split: str
    part: str
    patches: int
    decisions: int
    doubted: int
    missing: int
    trained_on: int | None
    not_in_archive: int
    changed: int | None
    classes: tuple[ClassDoubts, ...]


def doubt_labels(files: Sequence[Path], archive: Path, out: Path) -> tuple[DoubtFacts, pa.Table]:
    """Write the labels of an archive that predictions speak against, the strongest doubt first.

    Args:
        files: of predictions; of several, scores of the same patch are averaged.
        archive: its folder; nothing in it is changed.
        out: a Parquet file, replaced where it holds doubts.

    Returns:
        The facts, and a table of `doubt.SCHEMA`.

    Raises:
        MissingError: no such file or archive.
        InputError: a file is damaged, files do not fit together, or the archive holds none of
            their patches.
        ConflictError: there is another file than one of doubts.
        StorageError: the disk is full or the file cannot be written.
    """
    opened = Archive.open(archive)
    check_replaceable(out, SCHEMA.names, "doubts")
    whole = join_predictions([read_predictions(file) for file in files])
    held, rows = _held(whole, opened)
    found = find_doubts(held)
    facts = _facts(whole, held, found, opened, rows)
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_sidecar(out, found.table, facts)
    return facts, found.table


def read_doubts(path: Path) -> tuple[DoubtFacts, pa.Table]:
    """The facts of a file of doubts, and its table.

    Raises:
        MissingError: there is no such file.
        InputError: it holds no doubts, is damaged, or was written by a newer benforge.
    """
    if not path.is_file():
        raise MissingError("no such file", where=path, do="Make one: ben doubt")
    try:
        table = pq.read_table(path, partitioning=None)
        facts = msgspec.json.decode((table.schema.metadata or {})[_KEY], type=DoubtFacts)
        rows = table.replace_schema_metadata(None).cast(SCHEMA)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"holds no doubts, {reason}", where=path, do=_ADVICE) from error
    if facts.format > FORMAT:
        what = f"of format {facts.format}, this benforge reads {FORMAT}"
        raise InputError(what, where=path, do="Update benforge")
    return facts, rows


def _held(whole: Predictions, archive: Archive) -> tuple[Predictions, pa.Array]:
    """The predictions of patches that the archive holds, and where these stand in its index."""
    places = pc.index_in(whole.patch_ids, archive.index["patch_id"].cast(pa.string()))
    there = np.asarray(places.is_valid())
    if not there.any():
        raise InputError(
            "the archive holds none of the predicted patches",
            where=archive.root,
            do="Name the archive that they were predicted of: --archive",
        )
    held = Predictions(
        whole.patch_ids.filter(pa.array(there)),
        whole.scores[there],
        whole.targets[there],
        whole.classes,
        whole.facts,
    )
    return held, places.drop_null()


def _facts(
    whole: Predictions, held: Predictions, found: Doubts, archive: Archive, rows: pa.Array
) -> DoubtFacts:
    told, simulated = whole.facts, bool(archive.meta.simulated) or bool(whole.facts.simulated)
    return DoubtFacts(
        archive=archive.root.resolve().name,
        simulated=simulated,
        nomenclature=told.nomenclature,
        model=told.model,
        run=told.run,
        split=told.split,
        part=told.part,
        patches=len(held),
        decisions=found.decisions,
        doubted=found.count("doubted"),
        missing=found.count("missing"),
        trained_on=count_trained(whole),
        not_in_archive=len(whole) - len(held),
        changed=_count_changed(held, archive, rows),
        classes=_classes(held, found),
    )


def _count_changed(held: Predictions, archive: Archive, rows: pa.Array) -> int | None:
    nomenclature = archive.meta.nomenclature
    if tuple(nomenclature.names) != held.classes:
        return None
    now = labels_hot(archive.index.take(rows), nomenclature)
    return int((now != held.targets).sum())


def _classes(held: Predictions, found: Doubts) -> tuple[ClassDoubts, ...]:
    kinds = found.table.group_by(["label", "direction"]).aggregate([([], "count_all")])
    counts = {(one["label"], one["direction"]): one["count_all"] for one in kinds.to_pylist()}

    def mean(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    return tuple(
        ClassDoubts(
            name=name,
            patches=int(held.targets[:, i].sum()),
            yes=mean(found.yes[i]),
            no=mean(found.no[i]),
            doubted=counts.get((name, "doubted"), 0),
            missing=counts.get((name, "missing"), 0),
        )
        for i, name in enumerate(held.classes)
    )
