"""What stands before the viewer: who may ask, from which page, and how much at once."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benforge.viewer.answers import error_answer

LARGEST_BODY = 1_000_000
"""Bytes of a request's body."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_UNLESS_SAID = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Door:
    """Who may ask.

    Args:
        hosts: what may stand in the header Host, "127.0.0.1:8000"; another name that leads here
            is that of a page which means harm (DNS rebinding).
        port: of the viewer.
        token: what the first address must bring where others than this machine reach us; None
            asks for none.
        addresses: whether any numeric address may stand there too, for a viewer that is bound to
            every address of its machine; no page can make a name of its own into one.
    """

    hosts: frozenset[str]
    port: int
    token: str | None = None
    addresses: bool = False

    @classmethod
    def of(
        cls,
        port: int,
        hosts: Collection[str] = (),
        token: str | None = None,
        *,
        addresses: bool = False,
    ) -> Door:
        """The door of a port of this machine, open under its own names and these."""
        names = ("127.0.0.1", "localhost", *hosts)
        return cls(frozenset(f"{name}:{port}".lower() for name in names), port, token, addresses)

    def admits(self, host: str) -> bool:
        """Whether this may stand in the header Host."""
        if host.lower() in self.hosts:
            return True
        name, _, port = host.rpartition(":")
        return self.addresses and port == str(self.port) and _is_address(name)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the guard looks at of a request."""

    method: str
    path: str
    query: str
    headers: dict[str, list[str]]

    @classmethod
    def of(cls, scope: Scope) -> Asked:
        """Of a connection."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        query = scope.get("query_string", b"").decode("latin-1")
        return cls(scope["method"], scope["path"], query, headers)

    def one(self, name: str) -> str | None:
        """A header that stands there once; one that stands there twice is the empty text."""
        values = self.headers.get(name, [])
        return values[0] if len(values) == 1 else ("" if values else None)


class Guard:
    """Lets a request through, or answers it without reading its body.

    Args:
        app: what is guarded.
        door: who may ask.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door
        self._cookie = f"ben_{door.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Asked.of(scope)
        headers = dict(_HEADERS)
        refusal = next(self._refusals(asked), None)
        if self._brought(asked):
            headers["set-cookie"] = (
                f"{self._cookie}={self.door.token}; HttpOnly; SameSite=Strict; Path=/"
            )

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message, headers)
            await send(message)

        await (refusal or self.app)(scope, receive, send_with_headers)

    def _refusals(self, asked: Asked) -> Iterator[Response]:
        """Why this request is not answered; nothing for one that is."""
        host = asked.one("host") or ""
        if not self.door.admits(host):
            known = ", ".join(sorted(self.door.hosts))
            yield _refuse(f"this address is not the viewer's. Use one of {known}", 421)
        if self.door.token and not (self._brought(asked) or self._kept(asked)):
            yield _refuse("the token is missing or wrong. Open the address that ben printed", 401)
        if asked.method not in ("GET", "HEAD", "POST"):
            yield _refuse("the viewer knows GET and POST alone", 405)
        yield from _body_refusals(asked)
        if asked.method == "POST":
            yield from _post_refusals(asked, host)

    def _brought(self, asked: Asked) -> bool:
        """Whether the address of the page brings the token."""
        if not self.door.token or asked.path != "/":
            return False
        return _same(parse_qs(asked.query).get("token", [""])[0], self.door.token)

    def _kept(self, asked: Asked) -> bool:
        """Whether a cookie brings it."""
        try:
            cookie = SimpleCookie(asked.one("cookie") or "").get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and _same(cookie.value, self.door.token or "")


def _body_refusals(asked: Asked) -> Iterator[Response]:
    length = asked.one("content-length")
    if asked.one("transfer-encoding") is not None:
        yield _refuse("the length of a body must be told before it", 411)
    if length is not None and not (length.isascii() and length.isdecimal()):
        yield _refuse("the length of the body is no number", 400)
    if length is not None and (len(length) > 12 or int(length) > LARGEST_BODY):
        yield _refuse(f"a request holds at most {LARGEST_BODY:,} bytes", 413)
    if length is None and asked.method == "POST":
        yield _refuse("the length of a body must be told before it", 411)


def _post_refusals(asked: Asked, host: str) -> Iterator[Response]:
    """What changes something comes from our own page, which browsers tell."""
    origin, site = asked.one("origin"), asked.one("sec-fetch-site")
    ours = origin in (None, f"http://{host}") and site in (None, "same-origin")
    if not ours or (origin is None and site is None):
        yield _refuse("this does not come from the viewer's own page", 403)
    kind = (asked.one("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        yield _refuse("a request is JSON: application/json", 415)


def _refuse(line: str, status: int) -> Response:
    answer = error_answer(line, status)
    answer.headers["connection"] = "close"
    return answer


def _add_headers(message: Message, headers: dict[str, str]) -> None:
    there = [(name.lower(), value) for name, value in message.get("headers", [])]
    named = {name for name, _ in there}
    unsaid = {n: v for n, v in _UNLESS_SAID.items() if n.encode() not in named}
    added = [(n.encode(), v.encode()) for n, v in (headers | unsaid).items()]
    message["headers"] = [*there, *added]


def _is_address(name: str) -> bool:
    bare = name[1:-1] if name[:1] == "[" and name[-1:] == "]" else name
    try:
        ip_address(bare)
    except ValueError:
        return False
    return True


def _same(one: str, other: str) -> bool:
    return bool(other) and secrets.compare_digest(one.encode(), other.encode())
