"""Files that are either whole or not there, and one clear line where they cannot be had."""

from __future__ import annotations

import errno
import glob
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

import msgspec

from benforge.core.object_path import ObjectPath
from benforge.errors import BenError, ConflictError, InputError, StorageError

_T = TypeVar("_T")

_DRAFT = re.compile(r"\..+\.\d+")
_HERE = platform.node() or "here"
"""This machine among those that may write into one folder."""
_FULL = {errno.ENOSPC, errno.EDQUOT}

ANEW = "Free space and run the same command again"
GOES_ON = f"{ANEW}: it goes on where it stopped"
"""What to do where the disk is full."""


@contextmanager
def storage_errors(where: Path, full: str = GOES_ON) -> Iterator[None]:
    """Turn what the operating system says while writing into a `StorageError`.

    Args:
        where: what is written.
        full: what to do where the disk is full.

    Raises:
        StorageError: the disk or a quota is full, or `where` cannot be written.
    """
    try:
        yield
    except BenError:
        raise
    except OSError as error:
        raise _storage_error(error, where, full) from error


def _storage_error(error: OSError, where: Path, full: str) -> StorageError:
    if error.errno in _FULL:
        return StorageError("the disk is full", where=where, do=full)
    reason = (error.strerror or str(error)).lower()
    return StorageError(
        f"cannot be written, {reason}",
        where=where,
        do="See to the folder and run the command again",
    )


def is_draft(path: Path) -> bool:
    """Whether a name is that of a draft, which a process that was killed may have left."""
    return _DRAFT.fullmatch(path.name) is not None


def clear_drafts(folder: Path) -> None:
    """Remove what `write_atomic` left where it was killed; call it while `writing` is held."""
    for draft in folder.glob(".*"):
        if is_draft(draft) and draft.is_file():
            draft.unlink()


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that is seen whole or not at all: fill the draft that is given.

    The draft lies beside `out`, or in it where `out` is there and empty. Where what fills it
    fails, or is interrupted, nothing stays and `out` is as it was.

    Raises:
        ConflictError: `out` holds other things.
        StorageError: the disk is full or the folder cannot be written.
    """
    place = out.resolve()
    with storage_errors(out, ANEW):
        begun = place.exists()
        draft = (place if begun else place.parent) / _draft_of(place)
        if begun:
            _check_empty(out)
        try:
            rmtree(draft, ignore_errors=True)  # of a process that had this number, and is gone
            draft.mkdir(parents=True)
            yield draft
            if begun:
                for path in draft.iterdir():
                    path.rename(place / path.name)
            else:
                draft.rename(place)
        except StorageError as error:
            do = error.do.replace(GOES_ON, ANEW)  # nothing is kept to go on with
            raise StorageError(error.what, where=out, do=do) from error
        finally:
            rmtree(draft, ignore_errors=True)


def _draft_of(place: Path) -> str:
    """Name of the draft of a file or folder: hidden, of this machine, and of this process."""
    return f".{place.name}.{_HERE}.{os.getpid()}"


def clear_dead_drafts(place: Path) -> None:
    """Remove the drafts of a folder that processes of this machine left when they were killed.

    Those of other machines stay: whether they still work cannot be told from here.
    """
    for draft in place.parent.glob(f".{glob.escape(place.name)}.{glob.escape(_HERE)}.*"):
        pid = draft.name.rpartition(".")[2]
        if pid.isdecimal() and not _runs(int(pid)):
            rmtree(draft, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _check_empty(folder: Path) -> None:
    """Raise unless a folder is empty; drafts of processes that were killed are removed."""
    held = list(folder.iterdir())
    if not all(map(is_draft, held)):
        raise ConflictError("the folder holds other things", where=folder, do="Name a new folder")
    for path in held:
        rmtree(path)


def write_atomic(path: Path, data: bytes, full: str = GOES_ON) -> None:
    """Write a file or an object that is seen whole or not at all, also after a crash.

    Args:
        path: in a folder that is there.
        data: what is in it.
        full: what to do where the disk is full.

    Raises:
        StorageError: the disk is full or the file cannot be written.
        ObjectStorageError: the storage of the object cannot be asked.
    """
    if isinstance(path, ObjectPath):
        path.write_bytes(data)
        return
    draft = path.with_name(_draft_of(path))
    with storage_errors(path, full):
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def decoding(
    where: str | os.PathLike[str], *, do: str, what: str = "cannot be read"
) -> Iterator[None]:
    """Turn what a decoder says of a damaged text into one clear line.

    Args:
        where: the file, or "" where `errors_at` will say it.
        do: what a reader of the line is to do.
        what: is wrong, before the decoder's reason.

    Raises:
        InputError: the text is no JSON, or not what is to be there.
    """
    try:
        yield
    except BenError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{what}, {error}", where=where, do=do) from error


def read_json(path: Path, kind: type[_T], *, do: str) -> _T:
    """A small note that benforge wrote as JSON.

    Args:
        path: its file.
        kind: what is to be in it.
        do: what to do where it is damaged.

    Raises:
        InputError: it is damaged, cut off, or cannot be opened.
    """
    with decoding(path, do=do):
        return msgspec.json.decode(path.read_bytes(), type=kind)
