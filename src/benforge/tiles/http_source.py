"""Files over HTTP: ranges, redirects, refusals and servers that are busy."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from benforge.errors import CredentialsError, FetchError
from benforge.tiles.patience import Pace, Patience, parse_retry_after
from benforge.tiles.profile import plain_url
from benforge.tiles.source import Interrupted, Opened, not_there
from benforge.tiles.tokens import Gate, Ticket

HOPS = 8
"""Redirects that are followed."""

_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class Lines:
    """The connections of a client, so that any thread can cut those that others wait for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: list[Any] = []
        self._cut = False

    def watch(self, request: httpx.Request) -> None:
        """Note the connection that a request opens."""
        request.extensions["trace"] = self._note

    def cut(self) -> None:
        """End all connections at once, also those that come from now on."""
        with self._lock:
            self._cut = True
            for stream in self._streams:
                _shut(stream)

    def _note(self, event: str, info: Mapping[str, Any]) -> None:
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        with self._lock:
            self._streams.append(info["return_value"])
            if self._cut:
                _shut(info["return_value"])


def _shut(stream: Any) -> None:
    """Closing alone would not wake a thread that reads: it would wait as long as for silence."""
    with suppress(OSError, AttributeError):
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def open_client(patience: Patience, parallel: int, lines: Lines) -> httpx.Client:
    """A client that follows no redirect by itself, so that no header travels further than told."""
    return httpx.Client(
        event_hooks={"request": [lines.watch]},
        timeout=httpx.Timeout(patience.silence, connect=patience.connect, pool=None),
        limits=httpx.Limits(max_connections=parallel + 2),
        follow_redirects=False,
        headers={"User-Agent": "benforge", "Accept-Encoding": "identity"},
    )


class HttpSource:
    """Files over HTTP and HTTPS, by one client, for any number of threads."""

    def __init__(self, client: httpx.Client, gate: Gate, pace: Pace) -> None:
        self._client, self._gate, self._pace = client, gate, pace

    @contextmanager
    def open(self, href: str, start: int, version: str) -> Iterator[Opened]:
        """A file from a byte on; see `Source`."""
        wanted = {"Range": f"bytes={start}-"} if start else {}
        if start and version:
            wanted["If-Range"] = version
        try:
            with self._asked("GET", href, wanted) as answer:
                yield _opened(answer, start)
        except (httpx.TransportError, httpx.StreamError) as error:
            raise Interrupted(_why(error)) from None

    def size(self, href: str) -> int | None:
        """The length that the server tells without sending the file."""
        try:
            with self._asked("HEAD", href, {}) as answer:
                text = answer.headers.get("Content-Length", "")
                return int(text) if text.isdigit() else None
        except FetchError as error:
            if "405" in error.what:
                return None
            raise
        except httpx.TransportError as error:
            raise Interrupted(_why(error)) from None

    @contextmanager
    def _asked(
        self, method: str, href: str, headers: Mapping[str, str]
    ) -> Iterator[httpx.Response]:
        """The answer at the end of all redirects, with a second try where a token was refused."""
        url, refusals = _parsed(href), 0
        for _ in range(HOPS):
            self._pace.wait()
            ticket = self._gate.ticket(str(url))
            request = self._client.build_request(
                method, _signed(url, ticket), headers={**headers, **ticket.headers}
            )
            answer = self._client.send(request, stream=True)
            try:
                if answer.is_redirect and answer.headers.get("Location"):
                    url = _next(url, answer.headers["Location"])
                elif answer.status_code == 401 and ticket != Ticket() and not refusals:
                    refusals += 1
                    self._gate.refused(ticket)
                else:
                    _check(answer.status_code, plain_url(str(url)), answer.headers)
                    yield answer
                    return
            finally:
                answer.close()
        raise FetchError(
            "redirected without end",
            where=plain_url(href),
            do="The server is at fault: choose from another catalogue",
        )


def _parsed(href: str) -> httpx.URL:
    try:
        return httpx.URL(href)
    except httpx.InvalidURL as error:
        raise FetchError("not an address", where=plain_url(href), do="Choose anew") from error


def _signed(url: httpx.URL, ticket: Ticket) -> httpx.URL:
    if not ticket.query:
        return url
    query = "&".join(part for part in (url.query.decode(), ticket.query) if part)
    return url.copy_with(query=query.encode())


def _next(url: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads: http and https alone, and never from the one down to the other."""
    found = url.join(location)
    if found.scheme not in {"http", "https"}:
        raise FetchError(
            f"the server leads to a place that is no web address ({found.scheme})",
            where=plain_url(str(url)),
            do="The server is at fault: choose from another catalogue",
        )
    if url.scheme == "https" and found.scheme == "http":
        raise FetchError(
            "the server leads to a place that is not encrypted",
            where=plain_url(str(found)),
            do="The server is at fault: choose from another catalogue",
        )
    return found


def _check(status: int, where: str, headers: Mapping[str, str]) -> None:
    """Raise unless a file comes.

    Raises:
        Interrupted: the server is busy.
        CredentialsError: it does not know who asks.
        FetchError: it does not give the file.
    """
    if status in {200, 206, 416}:
        return
    if status == 401:
        raise CredentialsError(
            "the server asks who you are, or does not believe it", where=where, do=_ACCOUNT
        )
    if status in {408, 425, 429} or status >= 500:
        many = status == 429
        why = "the server has too many requests" if many else f"the server fails ({status})"
        raise Interrupted(why, parse_retry_after(headers.get("Retry-After", "")))
    raise not_there(where, status)


_ACCOUNT = "Check user and password; --api PROFILE tells how this catalogue lets its files out"


def _opened(answer: httpx.Response, start: int) -> Opened:
    tag = answer.headers.get("ETag", "")
    strong = bool(tag) and not tag.startswith("W/")
    version = tag if strong else answer.headers.get("Last-Modified", "")
    if answer.status_code == 200:
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else None
        return Opened(0, size, version, answer.iter_raw())
    match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    size = int(match[2]) if match and match[2] != "*" else None
    if answer.status_code == 416:
        whole = size == start and start > 0
        return Opened(start if whole else 0, size, version, iter(()))
    if match is None or match[1] is None or int(match[1]) != start:
        raise FetchError(
            "the server sends another part than was asked for",
            where=plain_url(str(answer.url)),
            do="Delete what was begun and run the command again",
        )
    return Opened(start, size, version, answer.iter_raw())


def _why(error: Exception) -> str:
    """What happened to a connection, without its address, which may hold a token."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "the server cannot be reached"
    if isinstance(error, httpx.TimeoutException):
        return "the server stopped sending"
    return "the connection was cut"
