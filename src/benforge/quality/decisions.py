"""The log of a review on disk: `reviews/<name>.jsonl`, to which lines are only ever added."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benforge.archive.layout import REVIEWS
from benforge.archive.sidecars import sidecar_names, sidecar_path
from benforge.core.files import storage_errors
from benforge.errors import ArchiveError, InputError, StorageError
from benforge.quality.events import Event, decode_event, encode_event

DEFAULT_NAME = "review"
"""Name of a review where none is given."""
LONGEST_NAME = 255
"""Characters of a file's name."""


def review_path(root: Path, name: str = DEFAULT_NAME) -> Path:
    """Where the log of a review lies.

    Raises:
        InputError: the name could not be a file's everywhere.
    """
    return sidecar_path(root, REVIEWS, name).with_suffix(".jsonl")


def review_names(root: Path) -> tuple[str, ...]:
    """The names of the reviews of an archive, sorted."""
    return sidecar_names(root, REVIEWS)


def check_writable(path: Path) -> None:
    """Refuse a log to which nothing could be added, before anybody decides anything.

    Args:
        path: of the log, which need not be there yet.

    Raises:
        InputError: its name is longer than that of a file can be.
        StorageError: it, or the folder that it would be made in, cannot be written.
    """
    if len(path.name) > LONGEST_NAME:
        raise InputError(
            f"the name of the review is longer than {LONGEST_NAME - len(path.suffix)} characters",
            do="Choose a shorter one with --review",
        )
    folder = path.parent if path.parent.exists() else path.parent.parent
    for place in (folder, *([path] if path.exists() else [])):
        if not os.access(place, os.W_OK) or (place == folder and not folder.is_dir()):
            raise StorageError(
                "decisions cannot be kept, as this cannot be written",
                where=place,
                do="Make it writable, or look without deciding: ben view",
            )


class DecisionLog:
    """One event a line; several processes may read and add at once and lose nothing.

    A line is on the disk before `append` returns. What a killed writer left of a line is closed
    off by the next one: it is counted as damaged, and the lines around it are kept. Not for
    several threads at once; `benforge.quality.review` holds a lock between them.

    Args:
        path: of the file; made with the first event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        """Lines so far that cannot be read."""
        self.generation = 0
        """Counts up where the file was replaced, and `refresh` began anew."""
        self._end = 0
        self._file: tuple[int, int] | None = None

    def refresh(self) -> list[Event]:
        """The events added since the last call, by whomever, in their order.

        Raises:
            ArchiveError: the log cannot be read.
        """
        try:
            file = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            self._follow(None)
            return []
        except OSError as error:
            raise self._unreadable(error) from error
        with _held(file, fcntl.LOCK_SH):
            return self._read(file)

    def append(self, event: Event) -> None:
        """Add an event; it is on the disk when this returns.

        Raises:
            StorageError: the disk is full or the folder cannot be written; nothing is added.
        """
        self.update(lambda _: [event])

    def update(self, choose: Callable[[list[Event]], Sequence[Event]]) -> Sequence[Event]:
        """Read what is new and add the events that are chosen by it, with nobody in between.

        Args:
            choose: is given what `refresh` would return; nothing adds nothing.

        Returns:
            The events added, on the disk; `refresh` does not return them again.

        Raises:
            ArchiveError: the log cannot be read.
            StorageError: the disk is full or the folder cannot be written; nothing is added.
        """
        with storage_errors(self.path):
            self.path.parent.mkdir(exist_ok=True)
            anew = not self.path.exists()
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            with _held(file, fcntl.LOCK_EX):
                events = choose(self._read(file))
                if events:
                    self._write(file, b"".join(map(encode_event, events)))
                if anew:
                    _sync_folder(self.path.parent)
                return events

    def _read(self, file: int) -> list[Event]:
        """What lies behind the place read last.

        Nobody writes meanwhile, so a last line without an end is what a killed writer left.
        """
        status = os.fstat(file)
        self._follow((status.st_dev, status.st_ino), status.st_size)
        try:
            data = _read_from(file, self._end, status.st_size)
        except OSError as error:
            raise self._unreadable(error) from error
        self._end += len(data)
        lines = [line for line in data.split(b"\n") if line.strip()]
        events = [decode_event(line) for line in lines]
        self.damaged += events.count(None)
        return [event for event in events if event is not None]

    def _follow(self, file: tuple[int, int] | None, size: int = 0) -> None:
        """Begin anew where the file is another than before, or shorter than what was read."""
        if self._file is not None and (file != self._file or size < self._end):
            self.generation += 1
            self._end = self.damaged = 0
        self._file = file

    def _write(self, file: int, lines: bytes) -> None:
        """Add lines with one call; where it fails, the file is as it was."""
        size = self._end
        torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        data = b"\n" + lines if torn else lines
        try:
            if os.write(file, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        except OSError:
            os.ftruncate(file, size)
            raise
        self._end = size + len(data)

    def _unreadable(self, error: OSError) -> ArchiveError:
        reason = (error.strerror or str(error)).lower()
        return ArchiveError(
            f"the log of decisions cannot be read, {reason}",
            where=self.path,
            do="See to the file, then start again",
        )


@contextmanager
def _held(file: int, how: int) -> Iterator[None]:
    """Hold an open file's lock; the system frees it when the process ends, however it ends."""
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)


def _read_from(file: int, start: int, end: int) -> bytes:
    parts = []
    while start < end and (part := os.pread(file, end - start, start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
