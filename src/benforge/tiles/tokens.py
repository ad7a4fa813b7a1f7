"""Tokens: asked for when needed, asked for anew before they end, shown to known hosts alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from benforge.errors import CredentialsError, FetchError
from benforge.tiles.credentials import find_login
from benforge.tiles.patience import Pace, parse_retry_after
from benforge.tiles.profile import Access, may_see_secrets, plain_url

EARLY = 0.1
"""Share of a token's life before whose end it is asked for anew."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is shown to a server with one request.

    Args:
        headers: to add.
        query: to add to the address, without a question mark.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: str = field(default="", repr=False)


class Gate(Protocol):
    """What lets requests in."""

    def ticket(self, url: str) -> Ticket:
        """What to show with a request to this address; nothing for hosts that are not known."""
        ...

    def refused(self, ticket: Ticket) -> None:
        """A server refused this ticket: get another for the next request."""
        ...


class OpenGate:
    """Files that are free."""

    def ticket(self, url: str) -> Ticket:
        """Nothing."""
        return Ticket()

    def refused(self, ticket: Ticket) -> None:
        """There is nothing else to show."""


class TokenGate:
    """Files that a token opens; any thread may ask, one renews."""

    def __init__(self, access: Access, client: httpx.Client, pace: Pace) -> None:
        self._access, self._client, self._pace = access, client, pace
        self._lock = threading.Lock()
        self._ticket: Ticket | None = None
        self._until = 0.0
        self._closed: CredentialsError | None = None

    def ticket(self, url: str) -> Ticket:
        """A token that is good for a while, for a host that may see it."""
        if not may_see_secrets(url, self._access.hosts):
            return Ticket()
        with self._lock:
            if self._closed:
                raise self._closed
            if self._ticket is None or time.monotonic() > self._until:
                token, seconds = self._asked_once()
                self._ticket = self._ticket_of(token)
                self._until = time.monotonic() + seconds * (1 - EARLY)
            return self._ticket

    def refused(self, ticket: Ticket) -> None:
        """Forget this token, unless another has taken its place already."""
        with self._lock:
            if ticket is self._ticket:
                self._ticket = None

    def _asked_once(self) -> tuple[str, float]:
        """A token; a server that does not know one is not asked again, lest it lock the account."""
        try:
            return self._ask()
        except CredentialsError as error:
            self._closed = error
            raise

    def _ticket_of(self, token: str) -> Ticket:
        if self._access.kind == "sas":
            return Ticket(query=token.removeprefix("?"))
        return Ticket(headers={"Authorization": f"Bearer {token}"})

    def _ask(self) -> tuple[str, float]:
        """A token and how many seconds it lasts.

        Raises:
            CredentialsError: the server does not believe who one is.
            FetchError: it cannot be reached or does not answer as such servers do.
        """
        where = plain_url(self._access.token_url)
        for misses in range(self._pace.patience.tries):
            try:
                answer = self._send()
            except httpx.TransportError:
                self._pace.pause(misses)
                continue
            if answer.status_code == 429 or answer.status_code >= 500:
                self._pace.hold(parse_retry_after(answer.headers.get("Retry-After", "")))
                self._pace.pause(misses)
                self._pace.wait()
                continue
            if not answer.is_success:
                raise CredentialsError(
                    f"the server does not accept these credentials ({answer.status_code})",
                    where=where,
                    do="Check user and password, and that the account is active",
                )
            return _parse(answer, where)
        raise FetchError("no token can be had, the server does not answer", where=where, do=_LATER)

    def _send(self) -> httpx.Response:
        url = self._access.token_url
        if self._access.kind == "sas":
            return self._client.get(url)
        login = find_login(self._access)
        if not may_see_secrets(url, (urlsplit(url).hostname or "",)):
            raise CredentialsError(
                "credentials are sent over https alone", where=plain_url(url), do="Mend token_url"
            )
        words: dict[str, str] = {"grant_type": login.kind}
        if login.kind == "password":
            words |= {
                "client_id": self._access.client_id,
                "username": login.name,
                "password": login.word,
            }
        else:
            words |= {"client_id": login.name, "client_secret": login.word}
        return self._client.post(url, data=words)


_LATER = "Run the same command later: it goes on where it stopped"


def _parse(answer: httpx.Response, where: str) -> tuple[str, float]:
    """The token of either kind of server, and its seconds."""
    try:
        found: Any = answer.json()
        token = str(found.get("access_token") or found["token"])
        if "msft:expiry" in found:
            until = datetime.fromisoformat(str(found["msft:expiry"]).replace("Z", "+00:00"))
            return token, (until - datetime.now(UTC)).total_seconds()
        return token, float(found.get("expires_in", 300))
    except (ValueError, KeyError, TypeError, AttributeError):
        # What arrived may hold a secret: it is not passed on.
        raise FetchError("what arrived is no token", where=where, do=_LATER) from None
