"""One writer at a time: a lock on the archive's folder that leaves no file behind."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benforge.core.files import storage_errors
from benforge.errors import ConflictError


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the archive for writing; the system frees it when the process ends, however it ends.

    The folder is made where it is missing. Readers need no lock: what they see is renamed into
    place whole.

    Raises:
        ConflictError: another process, or another thread of this one, is writing here.
        StorageError: the folder cannot be made.
    """
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(folder, root)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, root: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConflictError(
            "another command is writing here", where=root, do="Wait until it ends, then run again"
        ) from error
