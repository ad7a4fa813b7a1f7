"""The folder of a run: what was asked for, held against what is asked for now."""

from __future__ import annotations

from pathlib import Path

import msgspec

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.files import read_json, write_atomic
from benforge.errors import ConflictError, MissingError
from benforge.loading.targets import digest_labels
from benforge.training.features import FEATURES
from benforge.training.recipe import TrainRequest

RUN = "run.json"


class RunNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was asked for.

    Args:
        archive: name of its folder.
        patches: how many it had.
        split_digest: SHA-256 of the split.
        labels_digest: SHA-256 of the classes, where they are those of a user's file.
        request: the rest.
    """

    archive: str
    patches: int
    split_digest: str
    labels_digest: str = ""
    request: TrainRequest


def check_run(out: Path, archive: Path, request: TrainRequest) -> RunNote:
    """What the folder's run is asked for; call it while `writing` is held.

    Raises:
        ConflictError: it holds another run, or other things.
    """
    opened = Archive.open(archive)
    note = RunNote(
        archive=opened.root.resolve().name,
        patches=len(opened),
        split_digest=read_split(opened.root, request.split).digest,
        labels_digest=digest_labels(request.labels),
        request=request,
    )
    if not (out / RUN).is_file():
        names = sorted(p.name for p in out.iterdir() if not p.name.startswith((".", FEATURES)))
        if others := names:
            raise ConflictError(
                f"the folder holds other things, such as {others[0]}",
                where=out,
                do="Name a new folder",
            )
        return note
    if differing := _differing(msgspec.to_builtins(read_run(out)), msgspec.to_builtins(note)):
        name, there, here = differing
        raise ConflictError(
            f"the folder holds a run with {name} {there}, not {here}",
            where=out,
            do="Name a new folder, or ask for the same",
        )
    return note


def claim_run(out: Path, note: RunNote) -> None:
    """Make the folder that of this run, if it is not: once all that was asked for is there."""
    if not (out / RUN).is_file():
        text = msgspec.json.encode(note, order="deterministic")
        write_atomic(out / RUN, msgspec.json.format(text, indent=2) + b"\n")


def read_run(out: Path) -> RunNote:
    """What the run of a folder was asked for.

    Raises:
        MissingError: the folder holds no run.
        InputError: its note is damaged.
    """
    path = out / RUN
    if not path.is_file():
        raise MissingError("holds no run", where=out, do="Name a folder that ben train wrote")
    return read_json(path, RunNote, do="Remove the folder of the run and train again")


def _differing(old: object, new: object, name: str = "") -> tuple[str, object, object] | None:
    """The first value that differs: its name, and both."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if found := _differing(old.get(key), new.get(key), key):
                return found
        return None
    return None if old == new else (name, old, new)
