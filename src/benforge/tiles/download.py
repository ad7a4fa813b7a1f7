"""One file: begun, gone on with where it broke off, verified, then moved into its place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benforge.core.files import storage_errors, write_atomic
from benforge.errors import FetchError, errors_at
from benforge.tiles.checksums import Checksum, checksum_of
from benforge.tiles.patience import Pace, Stopped
from benforge.tiles.profile import plain_url
from benforge.tiles.source import Interrupted, Opened, Source
from benforge.tiles.zips import flaw_of

AGAIN = "Run the same command again: it goes on where it stopped"

Arrived = Callable[[int], None]
"""Told how many bytes came; a negative number where some count no more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch.

    Args:
        href: where it lies.
        path: where it goes.
        size: in bytes, where that is known.
        checksum: that it must have, where that is known.
        root: folder that holds all of it, where it is a zip; "" for other files.
    """

    href: str
    path: Path
    size: int | None = None
    checksum: Checksum | None = None
    root: str = ""

    @property
    def part(self) -> Path:
        """What has arrived of it."""
        return self.path.with_name(f".{self.path.name}.part")

    @property
    def begun(self) -> int:
        """How many bytes have arrived."""
        with suppress(FileNotFoundError):
            return self.part.stat().st_size
        return 0


@dataclass(frozen=True, slots=True)
class Got:
    """A file that is whole.

    Args:
        size: in bytes.
        checksum: of what arrived.
        verified: whether the catalogue told that checksum.
    """

    size: int
    checksum: Checksum
    verified: bool


def download(source: Source, wanted: Wanted, pace: Pace, arrived: Arrived) -> Got:
    """Fetch a file until it is whole and has its size and checksum, and move it into place.

    A file whose checksum is wrong, or a zip that is damaged or no product, is fetched once more
    from its beginning.

    Raises:
        FetchError: it does not arrive whole; what came is kept, unless it is damaged.
        CredentialsError: the server does not let one in.
        StorageError: it cannot be written.
        Stopped: the fetch is being ended.
    """
    for _ in range(2):
        size = _fetch(source, wanted, pace, arrived)
        found = checksum_of(wanted.part, (wanted.checksum or _ANY).algorithm)
        flaw = _flaw(wanted, found)
        if not flaw:
            return _finish(wanted, Got(size, found, wanted.checksum is not None))
        _drop(wanted)
        arrived(-size)
    raise FetchError(
        f"it arrived twice {flaw}",
        where=plain_url(wanted.href),
        do="The server's file or the way to it is damaged; try again later, or another catalogue",
    )


def _flaw(wanted: Wanted, found: Checksum) -> str:
    """What is wrong with what arrived; "" if nothing is."""
    if wanted.checksum not in {None, found}:
        return f"with another checksum, {found} in place of {wanted.checksum}"
    flaw = flaw_of(wanted.part, wanted.root) if wanted.root else ""
    return f"and {flaw}" if flaw else ""


_ANY = Checksum("sha256", "")


def _fetch(source: Source, wanted: Wanted, pace: Pace, arrived: Arrived) -> int:
    """Fill the part file, over as many connections as it takes.

    Returns:
        Its size, bytes.
    """
    misses, whole = 0, False
    while not whole:
        before = wanted.begun
        try:
            pace.wait()
            with source.open(wanted.href, before, _version(wanted)) as opened:
                if pace.stop.is_set():  # left behind: another may write here by now
                    raise Stopped
                whole = _take(opened, wanted, pace, arrived)
            why, hold = "the connection was cut", 0.0
        except Interrupted as error:
            why, hold = error.why, error.hold
        if whole:
            break
        pace.trouble = why
        misses = 0 if wanted.begun > before else misses + 1
        if misses >= pace.patience.tries:
            raise FetchError(
                f"{why}, {misses} times in a row", where=plain_url(wanted.href), do=AGAIN
            )
        with errors_at(plain_url(wanted.href)):
            pace.hold(hold)
        pace.pause(misses)
    return wanted.begun


def _take(opened: Opened, wanted: Wanted, pace: Pace, arrived: Arrived) -> bool:
    """Write what comes.

    Returns:
        Whether the file is whole.
    """
    size = _agreed(opened, wanted)
    before = wanted.begun
    with storage_errors(wanted.path):
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        _keep_version(wanted, opened.version)
        with wanted.part.open("r+b" if before else "wb") as file:
            file.truncate(opened.start)
            arrived(opened.start - before)
            file.seek(opened.start)
            held = opened.start
            for chunk in _lively(opened.chunks, pace):
                held += len(chunk)
                if size is not None and held > size:
                    break
                file.write(chunk)
                arrived(len(chunk))
                pace.trouble = ""
            file.flush()
            os.fsync(file.fileno())
    if size is not None and held > size:
        _drop(wanted)
        raise FetchError(
            f"more bytes came than the {size:,} it has",
            where=plain_url(wanted.href),
            do="Choose anew: the catalogue may have newer products",
        )
    return held == size if size is not None else held > 0


def _agreed(opened: Opened, wanted: Wanted) -> int | None:
    """The size of the whole file, on which catalogue and server agree.

    Raises:
        FetchError: they do not.
    """
    told, said = wanted.size, opened.size
    if told is not None and said is not None and told != said:
        raise FetchError(
            f"the server has {said:,} bytes and the catalogue says {told:,}",
            where=plain_url(wanted.href),
            do="Choose anew: the catalogue may have newer products",
        )
    return told if told is not None else said


def _lively(chunks: Iterator[bytes], pace: Pace) -> Iterator[bytes]:
    """Chunks as they come, as long as they come fast enough.

    Raises:
        Interrupted: too few bytes over some time.
        Stopped: the fetch is being ended.
    """
    since, held = time.monotonic(), 0
    for chunk in chunks:
        if pace.stop.is_set():
            raise Stopped
        yield chunk
        held += len(chunk)
        passed = time.monotonic() - since
        if passed > pace.patience.silence:
            if held < pace.patience.slowest * passed:
                raise Interrupted("the server sends too slowly")
            since, held = time.monotonic(), 0


def _version_file(wanted: Wanted) -> Path:
    return wanted.part.with_suffix(".version")


def _version(wanted: Wanted) -> str:
    """What the server called the file when it was begun."""
    with suppress(FileNotFoundError, UnicodeDecodeError):
        return _version_file(wanted).read_text(encoding="utf-8")
    return ""


def _keep_version(wanted: Wanted, version: str) -> None:
    if version != _version(wanted):
        write_atomic(_version_file(wanted), version.encode())


def _drop(wanted: Wanted) -> None:
    wanted.part.unlink(missing_ok=True)
    _version_file(wanted).unlink(missing_ok=True)


def _finish(wanted: Wanted, got: Got) -> Got:
    with storage_errors(wanted.path):
        wanted.part.replace(wanted.path)
        _version_file(wanted).unlink(missing_ok=True)
    return got
