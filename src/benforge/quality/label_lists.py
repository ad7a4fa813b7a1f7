"""What reviewers decided on labels, as a list beside the labels of the archive, and as a flag."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.sidecars import PUBLISHED, write_flags
from benforge.core.files import storage_errors, write_atomic
from benforge.core.flags import Flags
from benforge.errors import ConflictError, InputError
from benforge.quality.decisions import DEFAULT_NAME
from benforge.quality.flag_sources import Agree
from benforge.quality.ledger import Ledger
from benforge.quality.review import Review

WRONG_LABEL = "wrong_label"
"""The flag of a patch that has a label too many or too few."""
COLUMNS = ("patch_id", "v1_name", "label", "in_archive", "present", "wrong", "by", "disputed")


class JudgedLabel(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list; names as in `COLUMNS`, truth values as 0 and 1.

    Args:
        patch_id: of the patch.
        v1_name: "" without one.
        label: name of the class.
        in_archive: whether the archive gives the patch this label.
        present: whether the reviewer found the class there.
        wrong: whether the two differ.
        by: whose decision counts.
        disputed: whether reviewers disagree.
    """

    patch_id: str
    v1_name: str
    label: str
    in_archive: int
    present: int
    wrong: int
    by: str
    disputed: int


class LabelsExport(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported.

    Args:
        review: its name.
        file: the list.
        labels: in it.
        wrong: of these, too many or too few in the archive.
        patches: with a wrong label.
        disputed: labels that reviewers disagree on.
        left_out: of patches that the archive does not hold, and under "all" disputed ones.
        saved: name of the flags written into the archive; empty if none were.
    """

    review: str
    file: str
    labels: int
    wrong: int
    patches: int
    disputed: int
    left_out: int
    saved: str = ""

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        return {
            "labels decided": f"{self.labels:,}",
            "wrong": f"{self.wrong:,} in {self.patches:,} patches",
            "disputed": f"{self.disputed:,}",
            **({"left out": f"{self.left_out:,}"} if self.left_out else {}),
            **({"kept as flags": self.saved} if self.saved else {}),
            "file": self.file,
        }


def export_labels(
    root: Path,
    out: Path,
    review: str = DEFAULT_NAME,
    *,
    agree: Agree = "last",
    name: str = "",
    replace: bool = False,
) -> LabelsExport:
    """Write what reviewers decided on labels as CSV; the archive's own labels stay as they are.

    Args:
        root: the archive's folder.
        out: the list, a CSV file; one that is there is replaced.
        review: name of the log of decisions.
        agree: what holds where reviewers disagree: the last decision, or none.
        name: of flags to write into the archive too, with the flag `wrong_label`; empty for none.
        replace: whether other flags of `name` give way.

    Raises:
        InputError: nobody decided on a label of the archive's patches, or a name that cannot be.
        ArchiveError: the log cannot be read.
        ConflictError: other flags of `name` are there, and not `replace`, or `out` is no such list.
        StorageError: the disk is full.
    """
    archive, ledger = Archive.open(root), Review(root, review).ledger
    every = ledger.judged()
    found = list(judge_labels(archive, ledger))
    kept = [one for one in found if agree == "last" or not one.disputed]
    if not kept:
        raise InputError(
            "nobody decided on a label of the archive's patches",
            where=root,
            do="Decide on some: ben doubt, then ben inspect with --doubt",
        )
    _check_list(out)
    if name:
        write_flags(root, _flags(name, review, kept), replace=replace)
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(out, _as_csv(kept))
    return LabelsExport(
        review=review,
        file=str(out),
        labels=len(kept),
        wrong=sum(one.wrong for one in kept),
        patches=len({one.patch_id for one in kept if one.wrong}),
        disputed=sum(one.disputed for one in found),
        left_out=len(every) - len(kept),
        saved=name,
    )


def judge_labels(archive: Archive, ledger: Ledger) -> Iterator[JudgedLabel]:
    """The decisions on labels of an archive's patches, by patch and label."""
    columns = ("patch_id", "v1_name", "labels")
    wanted = pa.array(sorted({patch for patch, _ in ledger.judged()}), pa.string())
    rows = archive.index.select(columns)
    held = rows.filter(pc.is_in(rows["patch_id"], wanted)).to_pylist()
    known: Mapping[str, dict[str, object]] = {row["patch_id"]: row for row in held}
    for patch, label in sorted(ledger.judged()):
        verdict = ledger.label_verdict(patch, label)
        if verdict is None or patch not in known:
            continue
        labels, v1_name = (known[patch][key] for key in ("labels", "v1_name"))
        given = label in labels if isinstance(labels, list) else False
        yield JudgedLabel(
            patch_id=patch,
            v1_name=str(v1_name or ""),
            label=label,
            in_archive=int(given),
            present=int(verdict.present),
            wrong=int(given != verdict.present),
            by=verdict.by,
            disputed=int(verdict.disputed),
        )


def _flags(name: str, review: str, kept: Sequence[JudgedLabel]) -> Flags:
    """Patches that somebody decided a label of; marked are those with a wrong one."""
    if name == PUBLISHED:
        raise InputError(
            "BigEarthNet published no wrong labels", do=f"Use another name than --name {PUBLISHED}"
        )
    wrong = {one.patch_id: False for one in kept}
    wrong |= {one.patch_id: True for one in kept if one.wrong}
    source = f"labels decided in the review {review}"
    ids = pa.array(list(wrong), pa.string())
    return Flags.of(name, source, ids, {WRONG_LABEL: np.array(list(wrong.values()), np.bool_)})


def _as_csv(kept: Sequence[JudgedLabel]) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(one, column) for column in COLUMNS] for one in kept)
    return sink.getvalue().encode()


def _check_list(out: Path) -> None:
    """Raise where something else than such a list would be lost."""
    if not out.exists():
        return
    head = ",".join(COLUMNS).encode()
    if not out.is_file() or out.read_bytes()[: len(head)] != head:
        raise ConflictError(
            "there is something else than a list of labels",
            where=out,
            do="Name a new file: --out labels.csv",
        )
