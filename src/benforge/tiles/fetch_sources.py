"""The places that a fetch reads from: opened when first asked for, closed together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

from benforge.errors import FetchError, errors_at
from benforge.tiles.download import AGAIN
from benforge.tiles.http_source import HttpSource, Lines, open_client
from benforge.tiles.patience import Pace
from benforge.tiles.profile import Profile, plain_url
from benforge.tiles.s3_source import S3Source
from benforge.tiles.source import Interrupted, Source, scheme_of
from benforge.tiles.threads import Threads
from benforge.tiles.tokens import Gate, OpenGate, TokenGate

T = TypeVar("T")

_CHATTY = ("httpx", "httpcore")
"""Loggers that write whole addresses, in which a token may stand."""


class Sources:
    """HTTP and S3 of one profile."""

    def __init__(self, profile: Profile, pace: Pace) -> None:
        self._profile, self._pace = profile, pace
        self._lines = Lines()
        self._client = open_client(pace.patience, profile.parallel, self._lines)
        access = profile.access
        gate: Gate = TokenGate(access, self._client, pace) if access else OpenGate()
        self._http = HttpSource(self._client, gate, pace)
        self._s3: S3Source | None = None
        self._lock = threading.Lock()
        self._levels: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Keep the loggers of the client quiet meanwhile."""
        for name in _CHATTY:
            self._levels[name] = logging.getLogger(name).level
            logging.getLogger(name).setLevel(logging.CRITICAL)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        self.close()
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    @contextmanager
    def threads(self, count: int, name: str) -> Iterator[Threads]:
        """Threads that read; an error, or a user who stops it, ends all of them at once."""
        pool = Threads(count, name)
        try:
            yield pool
        except BaseException:
            self._pace.stop.set()
            self._lines.cut()
            pool.leave()
            raise
        pool.shutdown()

    def of(self, href: str) -> Source:
        """The place that an address leads to."""
        return self._store() if scheme_of(href) == "s3" else self._http

    def size(self, href: str) -> int | None:
        """How large a file is, None where its server does not tell.

        Raises:
            FetchError: its server cannot be reached.
        """
        return self._patiently(href, lambda: self.of(href).size(href))

    def below(self, href: str) -> dict[str, int]:
        """What lies below an address of a store of objects, name to size in bytes.

        Raises:
            FetchError: the store cannot be reached.
        """
        with self.threads(1, "list") as pool:  # a call into the store's library cannot be stopped
            asked = pool.submit(self._patiently, href, lambda: self._store().below(href))
            return asked.result()

    def _store(self) -> S3Source:
        with self._lock:
            self._s3 = self._s3 or S3Source(self._profile)
            return self._s3

    def _patiently(self, href: str, ask: Callable[[], T]) -> T:
        why = ""
        for misses in range(self._pace.patience.tries):
            try:
                return ask()
            except Interrupted as error:
                why = error.why
                with errors_at(plain_url(href)):
                    self._pace.hold(error.hold)
                self._pace.pause(misses)
        raise FetchError(why, where=plain_url(href), do=AGAIN)
