"""The lists beside exported v1 patches: split, quality, and the products behind the names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.sidecars import published_flags
from benforge.core.files import write_atomic
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.split import Split
from benforge.errors import InputError

_PARTS = {"train": "train.csv", "validation": "val.csv", "test": "test.csv"}
_FLAGS = {
    SEASONAL_SNOW: "patches_with_seasonal_snow.csv",
    CLOUD_OR_SHADOW: "patches_with_cloud_and_shadow.csv",
}
PRODUCTS = "tile_names_and_links.csv"
LISTS = frozenset((*_PARTS.values(), *_FLAGS.values(), PRODUCTS))
"""Every list that may lie beside the patches."""


def write_lists(
    archive: Archive, out: Path, names: Sequence[str], split: Split | None, *, products: bool
) -> None:
    """Write the lists as published, one patch a line; our import brings them back.

    A list of no patch is one empty line: a file of no byte is a download that failed. Lines of a
    list that is there are kept where they are of other patches, and of patches that the flags
    do not name.

    Args:
        archive: what was exported.
        out: the folder of the patch folders.
        names: the v1 name of each patch, in order.
        split: `train.csv`, `val.csv` and `test.csv`; none without.
        products: whether to write `tile_names_and_links.csv`: name, product, and an empty link.

    Raises:
        StorageError: the disk is full.
    """
    lists: dict[str, Sequence[str]] = {}
    if flags := published_flags(archive.root):
        write_flag_lists(out, flags, archive.index["patch_id"], names)
    if split:
        parts = split.assign(archive.index["patch_id"]).to_pylist()
        for part, file in _PARTS.items():
            lists[file] = [n for n, p in zip(names, parts, strict=True) if p == part]
    if products:
        sources = archive.index["source"].to_pylist()
        lists[PRODUCTS] = [
            f"{name},{source}.SAFE," for name, source in zip(names, sources, strict=True)
        ]
    ours = frozenset(names)
    for file, lines in lists.items():
        _write_list(out / file, lines, ours)


@dataclass(frozen=True, slots=True)
class WrittenList:
    """A list as it stands on disk.

    Args:
        listed: lines of the patches that were to be listed.
        lines: all lines, those of other patches included.
    """

    listed: int
    lines: int


def write_flag_lists(
    out: Path, flags: Flags, patch_ids: pa.ChunkedArray, names: Sequence[str]
) -> dict[str, WrittenList]:
    """Write the lists of flags alone, as `write_lists` does.

    Args:
        out: the folder, which is there.
        flags: what is marked, and by the patches that it names, what was looked at.
        patch_ids: of the patches to list where they are marked.
        names: what each of them is called in the lists.

    Returns:
        Name of each list to what stands there.

    Raises:
        InputError: a list that is there cannot be read.
        StorageError: the disk is full.
    """
    lists = _flag_lists(flags, patch_ids, names)
    looked_at = np.asarray(pc.is_in(patch_ids, flags.table["patch_id"]))
    ours = frozenset(np.array(names, object)[looked_at]) | frozenset(
        patch_ids.filter(pa.array(looked_at)).to_pylist()
    )
    return {
        file: WrittenList(len(lines), _write_list(out / file, lines, ours))
        for file, lines in lists.items()
    }


def _flag_lists(
    flags: Flags, ids: pa.ChunkedArray, names: Sequence[str]
) -> dict[str, Sequence[str]]:
    named = np.array(names, object)
    marks: Mapping[str, str] = {flag: _FLAGS[flag] for flag in flags.flags if flag in _FLAGS}
    return {file: named[flags.marked(ids, (flag,))].tolist() for flag, file in marks.items()}


def _write_list(path: Path, lines: Sequence[str], ours: frozenset[str]) -> int:
    """Write a list and return how many lines it has; one that says the same is left alone.

    Lines of what is not `ours` stay, and all stay in their order.
    """
    there, wanted = _read_lines(path), frozenset(lines)
    kept = (line for line in there if line in wanted or line.partition(",")[0] not in ours)
    found = list(dict.fromkeys(line for line in (*kept, *lines) if line))
    if not there or found != [line for line in there if line]:
        write_atomic(path, ("\n".join(found) + "\n").encode())
    return len(found)


def _read_lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "the list cannot be read", where=path, do="Remove it, or export into a new folder"
        ) from error
