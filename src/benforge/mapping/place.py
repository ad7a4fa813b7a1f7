"""Where the map of a product lies: whole or not there, and left alone where it is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile

import msgspec

from benforge.core.files import (
    ANEW,
    clear_dead_drafts,
    is_draft,
    new_folder,
    storage_errors,
    write_atomic,
)
from benforge.errors import ConflictError
from benforge.mapping.facts import FORMAT, MapFacts, VectorFormat

NOTE, SCORES, PICTURE = "map.json", "scores.tif", "map.png"
PATCHES: Mapping[VectorFormat, str] = {"gpkg": "patches.gpkg", "parquet": "patches.parquet"}
"""Names of the files of a map; that of its patches by their form."""

_OURS = (SCORES, PICTURE, *PATCHES.values(), NOTE)
_FREE = ("corrected_by", "clouds_by", "simulated")
"""Facts that follow from the others."""


class WindowCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the windows of a map.

    Args:
        windows: all.
        clouded: left out as cloud and shadow cover them.
        empty: left out as pixels have no data.
        labels: class to windows that have it as a label, of those asked about.
    """

    windows: int
    clouded: int
    empty: int
    labels: dict[str, int]


class MapNote(msgspec.Struct, frozen=True, kw_only=True):
    """What `map.json` holds.

    Args:
        facts: where the map comes from.
        counts: of its windows.
        files: name to SHA-256, of the others.
    """

    facts: MapFacts
    counts: WindowCounts
    files: dict[str, str]


def find_whole(folder: Path, facts: MapFacts) -> MapNote | None:
    """The note of a map that is there and whole; None where there is none, or a damaged one.

    Raises:
        ConflictError: a map of another model, product or other choices is there.
    """
    try:
        note = msgspec.json.decode((folder / NOTE).read_bytes(), type=MapNote)
    except (OSError, msgspec.DecodeError):
        return None
    if note.facts.format > FORMAT:
        raise ConflictError("a map of a newer benforge is there", where=folder, do="Name another")
    there, asked = (
        {k: v for k, v in msgspec.to_builtins(one).items() if k not in _FREE}
        for one in (note.facts, facts)
    )
    if other := next((name for name in asked if there[name] != asked[name]), None):
        raise ConflictError(
            f"a map of another {other} is there, {_short(there[other])} "
            f"and not {_short(asked[other])}",
            where=folder,
            do="Name another folder with --out, or remove that one",
        )
    whole = all(_digest(folder / name) == digest for name, digest in note.files.items())
    return note if whole else None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def check_place(folder: Path) -> None:
    """Raise before any work where a map could not be written.

    Args:
        folder: of the map; the one that it is to lie in is made if missing.

    Raises:
        ConflictError: the folder holds other things than a map.
        StorageError: nothing can be written beside it.
    """
    with storage_errors(folder.parent, ANEW):
        if folder.exists() and any(not _may_go(path) for path in folder.iterdir()):
            raise ConflictError("the folder holds other things", where=folder, do="Name another")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder.parent):
            pass


def _may_go(path: Path) -> bool:
    """Whether a file is a draft, or of a map that has its note."""
    return is_draft(path) or (path.name in _OURS and (path.parent / NOTE).is_file())


def write_whole(
    folder: Path, facts: MapFacts, counts: WindowCounts, fill: Callable[[Path], None]
) -> MapNote:
    """Fill a folder that is seen whole or not at all; a damaged map that is there goes.

    Args:
        folder: of the map.
        facts: for the note.
        counts: likewise.
        fill: writes the files into the folder that it is given.

    Raises:
        ConflictError: the folder holds other things than a map.
        StorageError: the disk is full.
    """
    check_place(folder)
    _clear(folder)
    with new_folder(folder) as draft:
        fill(draft)
        files = {path.name: _digest(path) for path in sorted(draft.iterdir())}
        note = MapNote(facts=facts, counts=counts, files=files)
        text = msgspec.json.format(msgspec.json.encode(note)) + b"\n"
        write_atomic(draft / NOTE, text, ANEW)
    return note


def _clear(folder: Path) -> None:
    """Remove a damaged map, its note last, and the drafts of processes that were killed."""
    with storage_errors(folder, ANEW):
        if (folder / NOTE).is_file():
            for name in _OURS:
                (folder / name).unlink(missing_ok=True)
        clear_dead_drafts(folder)
