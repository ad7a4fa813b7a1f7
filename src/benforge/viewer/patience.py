"""How long the viewer waits for whoever asks, and what becomes of a request that is given up."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from benforge.viewer.answers import error_answer

SECONDS = 20.0
"""What the head of a request may take to come, and its body after it."""
ANSWER_SECONDS = 120.0
"""What an answer may take, whoever reads it slowly."""
MOST_CONNECTIONS = 128
"""At once; a process may open 1,024 files on most systems, 256 on some."""
MOST_ACCEPTED = 32
"""At one go, before any of them is counted."""


class WholeBodies:
    """Reads the body of a request before it asks the app; a client that leaves is no error.

    Args:
        app: that is asked, with bodies that are whole.
        seconds: that a body may take.
    """

    def __init__(self, app: ASGIApp, seconds: float = SECONDS) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one that the end of the viewer cuts off is told so."""
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._answer(scope, receive, noting)
        except asyncio.CancelledError:
            if not started:
                await _given_up("the viewer was stopped", 503)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds):
                body = await _read(receive)
        except TimeoutError:
            await _given_up("the body of the request did not come", 408)(scope, receive, send)
            return
        if body is not None:
            await self.app(scope, _bringing(body, receive), send)


async def _read(receive: Receive) -> bytes | None:
    """A body; None where the client left before its end."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _bringing(body: bytes, receive: Receive) -> Receive:
    """The body first, and then what else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def bring() -> Message:
        return waiting.pop() if waiting else await receive()

    return bring


def _given_up(line: str, status: int) -> Response:
    answer = error_answer(line, status)
    answer.headers["connection"] = "close"
    return answer


class PatientProtocol(H11Protocol):
    """A connection that is closed where a request does not come, or its answer is not taken.

    Where there are too many, the one that has waited longest for a request makes room.
    """

    _due: asyncio.TimerHandle | None = None
    _was_busy = False

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._wait()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that comes by and by has no more time than another."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._due:
            self._due.cancel()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        known = [one for one in self.connections if isinstance(one, PatientProtocol)]
        there = [one for one in known if not one.transport.is_closing()]
        if len(there) > MOST_CONNECTIONS:
            waiting = [one for one in there if not one.busy and one is not self]
            min(waiting, key=lambda one: one.since, default=self).transport.abort()

    def _wait(self) -> None:
        busy = self.busy
        if busy or self._was_busy or self._due is None:
            if self._due:
                self._due.cancel()
            wait = ANSWER_SECONDS if busy else SECONDS
            self._due = self.loop.call_later(wait, self.transport.abort)
        self._was_busy = busy
