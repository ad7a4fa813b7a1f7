"""Files that are either whole or not there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benforge.errors import BenError, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def storage_errors(
    where: Path,
    full: str = "Free space and run the same command again: it goes on where it stopped",
) -> Iterator[None]:
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
        is_full = error.errno in _FULL
        raise StorageError(
            "the disk is full" if is_full else f"cannot be written, {str(error.strerror).lower()}",
            where=where,
            do=full if is_full else "See to the folder and run the command again",
        ) from error


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is seen whole or not at all.

    Raises:
        StorageError: the disk is full or the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with storage_errors(path, "Free space and run the same command again"):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
