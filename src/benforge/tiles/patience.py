"""How long to try, and how long to wait between: twice as long each time, with chance in it."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from benforge.errors import FetchError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a fetch tries.

    Args:
        tries: of one file, without a new byte in between.
        first: seconds of the first pause; each further one is up to twice as long.
        most: seconds of a pause at most.
        longest: seconds that a server may ask to be left alone.
        connect: seconds to reach a server.
        silence: seconds without a byte after which a connection is given up.
        slowest: bytes a second, over `silence` seconds, below which it is given up too.
    """

    tries: int = 6
    first: float = 1.0
    most: float = 60.0
    longest: float = 900.0
    connect: float = 10.0
    silence: float = 60.0
    slowest: float = 1024.0


class Stopped(Exception):  # noqa: N818  no error: somebody asked for it
    """The whole fetch is being ended."""


class Pace:
    """Pauses that all downloads from a server share: one that is told to wait stops them all.

    `trouble` is why the last try of one was in vain, "" once bytes come again.
    """

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.stop = threading.Event()
        self.trouble = ""
        self._lock = threading.Lock()
        self._not_before = 0.0

    def wait(self) -> None:
        """Wait until the server may be asked again.

        Raises:
            Stopped: the fetch is being ended.
        """
        while True:
            with self._lock:
                left = self._not_before - time.monotonic()
            if self.stop.wait(max(0.0, left)):
                raise Stopped
            if left <= 0:
                return

    def pause(self, misses: int) -> None:
        """Wait after so many tries in vain.

        Raises:
            Stopped: the fetch is being ended.
        """
        longest = min(self.patience.most, self.patience.first * 2**misses)
        if self.stop.wait(random.uniform(longest / 2, longest)):  # noqa: S311
            raise Stopped

    def hold(self, seconds: float) -> None:
        """Let nobody ask for so long, as the server wishes.

        Raises:
            FetchError: it wishes for longer than the patience lasts.
        """
        if seconds > self.patience.longest:
            raise FetchError(
                f"the server asks to be left alone for {seconds:,.0f} s",
                do="Run the same command later: it goes on where it stopped",
            )
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)


def parse_retry_after(text: str) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date; 0 if it is neither."""
    plain = text.strip()
    if plain.isdigit():
        return float(plain)
    try:
        until = parsedate_to_datetime(plain)
    except ValueError:
        return 0.0
    zoned = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (zoned - datetime.now(UTC)).total_seconds())
