"""Flags of a review or a screening; published lists of flags in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.files import storage_errors
from benforge.archive.layout import FLAGS as FLAGS_FOLDER
from benforge.archive.layout import SCREENINGS
from benforge.archive.sidecars import PUBLISHED, read_flags, sidecar_names, write_flags
from benforge.core.flags import Flags
from benforge.errors import InputError, MissingError
from benforge.layouts.import_lists import ImportLists, find_import_lists, make_flags
from benforge.layouts.v1_lists import write_flag_lists
from benforge.published.lists import PublishedLists
from benforge.published.reading import check_once, read_text
from benforge.quality.decisions import review_names
from benforge.quality.ledger import Ledger, Verdict
from benforge.quality.review import Review
from benforge.quality.screening import FLAGS
from benforge.quality.screening_files import read_screening

Agree = Literal["last", "all"]
"""What holds where reviewers disagree: the last decision, or none."""


class FlagsExport(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported.

    Args:
        source: what the flags came from, in words.
        looked_at: patches that the source names.
        lists: name of each list written, and how many patches stand there.
        disputed: patches that reviewers disagree on.
        damaged_lines: lines of the review's log that cannot be read.
        not_in_archive: patches that the source names and the archive does not hold.
        saved: name of the flags written into the archive; empty if none were.
    """

    source: str
    looked_at: int
    lists: dict[str, int]
    disputed: int = 0
    damaged_lines: int = 0
    not_in_archive: int = 0
    saved: str = ""

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        told: dict[str, object] = {
            "patches looked at": f"{self.looked_at:,}",
            "lists": [f"{file} {count:,}" for file, count in self.lists.items()],
            "disputed": f"{self.disputed:,}",
        }
        if self.not_in_archive:
            told["not in the archive"] = f"{self.not_in_archive:,}, left out of the lists"
        if self.damaged_lines:
            told["damaged lines"] = f"{self.damaged_lines:,} of the log, passed over"
        return told | ({"kept as flags": self.saved} if self.saved else {})


class FlagsImport(msgspec.Struct, frozen=True, kw_only=True):
    """What was imported.

    Args:
        name: of the flags written.
        looked_at: patches of the archive that the lists tell of.
        marked: flag to how many of them have it.
        not_in_archive: names in the lists that are none of the archive's patches.
    """

    name: str
    looked_at: int
    marked: dict[str, int]
    not_in_archive: int

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        return {
            "patches looked at": f"{self.looked_at:,}",
            **{flag: f"{count:,}" for flag, count in self.marked.items()},
            "named, not in the archive": f"{self.not_in_archive:,}",
        }


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    flags: Flags
    disputed: int = 0
    damaged_lines: int = 0


def export_flags(
    root: Path, out: Path, source: str, *, agree: Agree = "last", name: str = ""
) -> FlagsExport:
    """Write flags as published lists, a v1 name a line; a patch id where there is none.

    Args:
        root: the archive's folder.
        out: the folder of the lists, made where it is missing; lines of other patches are kept.
        source: name of a review, a screening or flags of the archive, looked for in this order.
        agree: what holds where reviewers disagree.
        name: of flags to write into the archive too; empty for none.

    Raises:
        MissingError: there is nothing of this name; names what there is.
        ArchiveError: the source is damaged.
        ConflictError: other flags of `name` are there.
        StorageError: the disk is full.
    """
    rows = Archive.open(root).index.select(["patch_id", "v1_name"])
    found = _find(root, source, agree, name or source)
    flags = found.flags
    if name:
        write_flags(root, flags)
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    names = pc.coalesce(rows["v1_name"], rows["patch_id"]).to_pylist()
    lists = write_flag_lists(out, flags, rows["patch_id"], names)
    return FlagsExport(
        source=flags.source,
        looked_at=len(flags.table),
        lists=lists,
        disputed=found.disputed,
        damaged_lines=found.damaged_lines,
        not_in_archive=_strangers(flags.table["patch_id"], rows["patch_id"]),
        saved=name,
    )


def _find(root: Path, source: str, agree: Agree, name: str) -> _Found:
    if source in review_names(root):
        return flags_of_review(Review(root, source), agree, name)
    if source in sidecar_names(root, SCREENINGS):
        return _Found(flags=_flags_of_screening(root, source, name))
    if source in sidecar_names(root, FLAGS_FOLDER):
        kept = read_flags(root, source)
        return _Found(flags=Flags(name, kept.source, kept.table, kept.parameters))
    there = (
        *review_names(root),
        *sidecar_names(root, SCREENINGS),
        *sidecar_names(root, FLAGS_FOLDER),
    )
    raise MissingError(
        f"no review, screening or flags are called {source!r}",
        where=root,
        do=f"It has: {', '.join(there) or 'none'}. Make some with ben screen or ben inspect",
    )


def flags_of_review(review: Review, agree: Agree, name: str) -> _Found:
    """What reviewers decided, as flags.

    Under "last" the last decision holds where they disagree; under "all" such a patch is left
    out, as one that nobody looked at.
    """
    ledger = review.ledger
    patches, verdicts = _verdicts(ledger)
    disputed = np.array([v.disputed for v in verdicts], np.bool_)
    kept = ~disputed if agree == "all" else np.ones(len(patches), np.bool_)
    marks = {flag: np.array([flag in v.flags for v in verdicts], np.bool_)[kept] for flag in FLAGS}
    by = {reviewer: ledger.count_of(reviewer) for reviewer in ledger.reviewers}
    source = f"the review {review.name} by {', '.join(by) or 'nobody'}"
    parameters = {"agree": agree, "patches_of": by, "disputed": int(disputed.sum())}
    ids = pa.array(patches, pa.string()).filter(pa.array(kept))
    return _Found(
        flags=Flags.of(name, source, ids, marks, parameters),
        disputed=int(disputed.sum()),
        damaged_lines=review.log.damaged,
    )


def _verdicts(ledger: Ledger) -> tuple[list[str], list[Verdict]]:
    patches = sorted(ledger.decided())
    found = ((patch, ledger.verdict(patch)) for patch in patches)
    pairs = [(patch, verdict) for patch, verdict in found if verdict is not None]
    return [patch for patch, _ in pairs], [verdict for _, verdict in pairs]


def _flags_of_screening(root: Path, screening: str, name: str) -> Flags:
    found = read_screening(root, screening)
    marks = {flag: np.asarray(found.table[flag]) for flag in FLAGS}
    source = f"the screening {screening}: {found.method}"
    return Flags.of(name, source, found.table["patch_id"], marks, found.parameters)


def import_flags(root: Path, lists: Path, name: str = PUBLISHED) -> FlagsImport:
    """Bring published lists of flags into an archive as `flags/<name>.parquet`.

    Of v1's two lists, else of v2's metadata. What is there of this name is written anew.

    Args:
        root: the archive's folder.
        lists: the folder of the lists; .csv, .csv.bz2, .csv.gz, or v2's metadata.parquet.
        name: of the flags.

    Raises:
        MissingError: there is no such folder, or it holds no list of flags.
        InputError: a list is damaged, or they name none of the archive's patches.
        StorageError: the disk is full.
    """
    rows = Archive.open(root).index.select(["patch_id", "v1_name"]).combine_chunks()
    for found in _read_lists(find_import_lists(lists), lists):
        if flags := make_flags(found, rows, name):
            write_flags(root, flags, replace=True)
            return FlagsImport(
                name=name,
                looked_at=len(flags.table),
                marked={flag: pc.sum(flags.table[flag]).as_py() or 0 for flag in flags.flags},
                not_in_archive=_unknown(found, rows),
            )
    raise InputError(
        "the lists name none of the archive's patches",
        where=lists,
        do="Name the lists of this archive",
    )


def _read_lists(lists: PublishedLists, folder: Path) -> Iterator[ImportLists]:
    """V1's lists of flags, then v2's metadata, each where it is there."""
    marks = {flag: _names(lists.files[flag]) for flag in FLAGS if lists.has(flag)}
    if not marks and not lists.has("v2"):
        raise MissingError(
            "holds no list of flags",
            where=folder,
            do="It is patches_with_seasonal_snow.csv, patches_with_cloud_and_shadow.csv or "
            "metadata.parquet",
        )
    if marks:
        yield ImportLists(marks, {}, None)
    if lists.has("v2"):
        yield ImportLists({}, {}, lists.v2().combine_chunks())


def _names(path: Path) -> pa.Array:
    """The names of a list, of v1 or patch ids."""
    names = read_text(path, ["name"])["name"].combine_chunks().drop_null()
    check_once(names, path)
    return names


def _unknown(lists: ImportLists, rows: pa.Table) -> int:
    """How many names are none of the archive's patches."""
    known: Mapping[str, pa.ChunkedArray] = {name: rows[name] for name in ("patch_id", "v1_name")}
    if lists.v2 is not None:
        own = _strangers(lists.v2["patch_id"], known["patch_id"])
        return min(own, _strangers(lists.v2["s2v1_name"], known["v1_name"]))
    named = pa.concat_arrays(list(lists.marks.values())).unique()
    both = pa.chunked_array([*known["patch_id"].chunks, *known["v1_name"].chunks])
    return _strangers(named, both)


def _strangers(named: pa.Array, known: pa.ChunkedArray) -> int:
    """How many of these names are not known."""
    return int(pc.sum(pc.invert(pc.is_in(named, known))).as_py() or 0)
