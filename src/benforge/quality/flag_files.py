"""Flags of a review or a screening as published lists, and published lists as flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.sidecars import PUBLISHED, write_flags
from benforge.core.files import storage_errors
from benforge.errors import ConflictError, InputError, MissingError
from benforge.layouts.import_lists import ImportLists, find_import_lists, make_flags
from benforge.layouts.v1_lists import write_flag_lists
from benforge.published.lists import PublishedLists, file_name
from benforge.published.reading import check_once, read_text
from benforge.quality.flag_sources import Agree, SourceFlags, read_source
from benforge.quality.screening import FLAGS


class FlagsExport(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported.

    Args:
        source: what the flags came from, in words.
        patches: of the archive.
        looked_at: how many of them the source names.
        lists: name of each list, and how many of the patches looked at stand there.
        lines: name of each list to all of its lines, those of other patches included.
        disputed: patches that reviewers disagree on.
        damaged_lines: lines of the review's log that cannot be read.
        not_in_archive: patches that the source names and the archive does not hold.
        saved: name of the flags written into the archive; empty if none were.
    """

    source: str
    patches: int
    looked_at: int
    lists: dict[str, int]
    lines: dict[str, int]
    disputed: int = 0
    damaged_lines: int = 0
    not_in_archive: int = 0
    saved: str = ""

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        told: dict[str, object] = {
            "patches looked at": f"{self.looked_at:,} of {self.patches:,}",
            "lists": [
                f"{file} {count:,} of its {_number(self.lines[file], 'line')}"
                for file, count in self.lists.items()
            ],
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
        patches: of the archive.
        looked_at: how many of them the lists tell of.
        marked: flag to how many of them have it.
        not_in_archive: names in the lists that are none of the archive's patches.
        lacking: flags whose list was not there; nothing is said of them.
    """

    name: str
    patches: int
    looked_at: int
    marked: dict[str, int]
    not_in_archive: int
    lacking: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """The figures as lines to print."""
        lacking = {flag: f"not known, no {file_name(flag)} there" for flag in self.lacking}
        return {
            "patches looked at": f"{self.looked_at:,} of {self.patches:,}",
            **{flag: f"{count:,}" for flag, count in self.marked.items()},
            **lacking,
            "named, not in the archive": f"{self.not_in_archive:,}",
        }


def export_flags(
    root: Path,
    out: Path,
    source: str,
    *,
    agree: Agree = "last",
    name: str = "",
    replace: bool = False,
) -> FlagsExport:
    """Write flags as published lists, a v1 name a line; a patch id where there is none.

    Args:
        root: the archive's folder.
        out: the folder of the lists, made where it is missing; lines of patches that the source
            did not look at are kept, and a list that would say the same is left alone.
        source: name of a review, a screening or flags of the archive, or kind and name,
            "screening:screen".
        agree: what holds where reviewers disagree.
        name: of flags to write into the archive too; empty for none.
        replace: whether other flags of `name` give way.

    Raises:
        MissingError: there is nothing of this name; names what there is.
        InputError: several are called so, the source looked at none of the archive's patches,
            or it would pass for what BigEarthNet published.
        ArchiveError: the source is damaged.
        ConflictError: other flags of `name` are there, and not `replace`, or compressed lists.
        StorageError: the disk is full.
    """
    rows = Archive.open(root).index.select(["patch_id", "v1_name"])
    found = read_source(root, source, agree, name)
    named = found.flags.table["patch_id"]
    strangers = _strangers(named, rows["patch_id"])
    _check_export(root, found, len(named) - strangers, name)
    _check_plain(out)
    if name:
        write_flags(root, found.flags, replace=replace)
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    names = pc.coalesce(rows["v1_name"], rows["patch_id"]).to_pylist()
    written = write_flag_lists(out, found.flags, rows["patch_id"], names)
    return FlagsExport(
        source=found.flags.source,
        patches=len(rows),
        looked_at=len(named) - strangers,
        lists={file: one.listed for file, one in written.items()},
        lines={file: one.lines for file, one in written.items()},
        disputed=found.disputed,
        damaged_lines=found.damaged_lines,
        not_in_archive=strangers,
        saved=name,
    )


def _check_export(root: Path, found: SourceFlags, looked_at: int, name: str) -> None:
    """Refuse a source that says nothing, and one that would pass for another.

    Raises:
        InputError: as told.
    """
    if not looked_at:
        raise InputError(
            f"{found.flags.source} looked at none of the archive's patches",
            where=root,
            do="Look at some first, or name another source: --from",
        )
    if name == PUBLISHED and (found.kind, found.origin) != ("flags", PUBLISHED):
        raise InputError(
            f"{found.flags.source} is not what BigEarthNet published",
            where=root,
            do=f"Give these flags another name than --name {PUBLISHED}",
        )


def _check_plain(out: Path) -> None:
    """Refuse a folder of compressed lists, beside which a plain one would be taken for the whole.

    Raises:
        ConflictError: it has one.
    """
    for kind in FLAGS:
        for path in sorted(out.glob(f"{file_name(kind)}.*")):
            if path.suffix in (".bz2", ".gz"):
                raise ConflictError(
                    "a compressed list is there, which a plain one beside it would hide",
                    where=path,
                    do="Export into another folder: --out",
                )


def import_flags(
    root: Path, lists: Path, name: str = PUBLISHED, *, replace: bool = False
) -> FlagsImport:
    """Bring published lists of flags into an archive as `flags/<name>.parquet`.

    Of v1's two lists, else of v2's metadata. Equal flags that are there are left alone.

    Args:
        root: the archive's folder.
        lists: the folder of the lists; .csv, .csv.bz2, .csv.gz, or v2's metadata.parquet.
        name: of the flags.
        replace: whether other flags of this name give way.

    Raises:
        MissingError: there is no such folder, or it holds no list of flags.
        InputError: a list is damaged, or they name none of the archive's patches.
        ConflictError: other flags of `name` are there, and not `replace`.
        StorageError: the disk is full.
    """
    rows = Archive.open(root).index.select(["patch_id", "v1_name"]).combine_chunks()
    for found in _read_lists(find_import_lists(lists, option="--lists"), lists):
        named, unknown = _count_names(found, rows)
        if (named > unknown or not named) and (flags := make_flags(found, rows, name)):
            write_flags(root, flags, replace=replace)
            return FlagsImport(
                name=name,
                patches=len(rows),
                looked_at=len(flags.table),
                marked={flag: pc.sum(flags.table[flag]).as_py() or 0 for flag in flags.flags},
                not_in_archive=unknown,
                lacking=tuple(flag for flag in FLAGS if flag not in flags.flags),
            )
    raise InputError(
        "the lists name none of the archive's patches",
        where=lists,
        do="Name the lists of this archive: --lists. A list of no patch is one blank line",
    )


def _read_lists(lists: PublishedLists, folder: Path) -> Iterator[ImportLists]:
    """V1's lists of flags, then v2's metadata, each where it is there."""
    marks = {flag: _names(lists.files[flag]) for flag in FLAGS if lists.has(flag)}
    if not marks and not lists.has("v2"):
        raise MissingError(
            "holds no list of flags",
            where=folder,
            do="It is patches_with_seasonal_snow.csv, patches_with_cloud_and_shadow.csv or "
            "metadata.parquet; name its folder: --lists",
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


def _count_names(lists: ImportLists, rows: pa.Table) -> tuple[int, int]:
    """How many patches are named, and how many of them are none of the archive's."""
    known: Mapping[str, pa.ChunkedArray] = {name: rows[name] for name in ("patch_id", "v1_name")}
    if lists.v2 is not None:
        own = _strangers(lists.v2["patch_id"], known["patch_id"])
        return len(lists.v2), min(own, _strangers(lists.v2["s2v1_name"], known["v1_name"]))
    named = pa.concat_arrays(list(lists.marks.values())).unique()
    both = pa.chunked_array([*known["patch_id"].chunks, *known["v1_name"].chunks])
    return len(named), _strangers(named, both)


def _strangers(named: pa.Array, known: pa.ChunkedArray) -> int:
    """How many of these names are not known."""
    return int(pc.sum(pc.invert(pc.is_in(named, known))).as_py() or 0)


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
