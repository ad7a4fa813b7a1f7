"""Ask a STAC API for products, page by page, with patience."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import shapely
from pystac.errors import STACError as PySTACError
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from shapely.geometry.base import BaseGeometry
from urllib3 import BaseHTTPResponse, Retry

from benforge.core.progress import Progress, silent
from benforge.errors import BenError, CatalogueError
from benforge.tiles.entry import Entry, Listed
from benforge.tiles.ground import square_of
from benforge.tiles.profile import Profile, plain_url
from benforge.tiles.wish import Wish

PAGE = 200
"""Items a page."""
IDS = 50
"""Items asked for by their ids at a time."""

LONGEST = 120.0
"""Seconds that a server is left alone at most between two tries."""

_LEFT_OUT = ["assets", "geometry", "bbox", "links"]

_BUSY = (429, 500, 502, 503, 504)
_SHARED = 0.15
"""Degrees at a tile's edge that its neighbours show too."""
_AROUND = timedelta(minutes=45)
"""How far an item's time may lie from the datatake's start in its product's name."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a search waits.

    Args:
        tries: of one request, that many more after the first.
        first: seconds of the first pause; each further one is twice as long, with chance in it.
        connect: seconds to reach a server.
        silence: seconds without a byte after which a request is given up.
    """

    tries: int = 5
    first: float = 1.0
    connect: float = 10.0
    silence: float = 60.0


def search(
    profile: Profile,
    wish: Wish,
    *,
    most: int | None = None,
    patience: Patience | None = None,
    progress: Progress = silent,
) -> Listed:
    """What a catalogue lists for a wish's level, area or tiles, and period.

    Clouds and baselines are left to the choice, so that it can tell what could not be had and
    why. Of a wish for named products each is asked for by place and time. Assets are not asked
    for where the server can leave them out: `complete` brings those of the chosen. Where `most` is
    given, the search ends with so many.

    Raises:
        CatalogueError: the server cannot be reached, fails, breaks off, or names no item by a
            product id.
        InputError: the catalogue has no such level.
    """
    collection = profile.collection(wish.level)
    found: dict[str, Entry] = {}
    unread: set[str] = set()
    with _told_plainly(profile):
        client = _open(profile, patience or Patience())
        slim = {"fields": {"exclude": _LEFT_OUT}} if client.conforms_to("FIELDS") else {}
        queries = list(_queries(wish))
        for done, query in enumerate(queries):
            for item in _items(client, profile, {**query, **slim, "collections": [collection]}):
                entry = Entry.parse(item, profile.id_fields)
                if entry:
                    found[entry.name] = replace(entry, assets={})
                else:
                    unread.add(str(item.get("id")))
                if len(found) == most:
                    return Listed(found.values(), len(unread))
                if len(found) % PAGE == 0:
                    progress(f"{len(found)} products listed", done, len(queries))
    if unread and not found:
        raise CatalogueError(
            f"of {len(unread)} items none names its product, as {min(unread)}",
            where=plain_url(profile.url),
            do="Tell with id_fields in a TOML file where product ids stand: docs/products.md",
        )
    return Listed(found.values(), len(unread))


def complete(
    profile: Profile,
    entries: Sequence[Entry],
    *,
    patience: Patience | None = None,
    progress: Progress = silent,
) -> tuple[Entry, ...]:
    """The same entries with their assets, asked for by the ids that the catalogue gave them.

    Raises:
        CatalogueError: the server cannot be reached, fails, or does not list one any more.
    """
    found: dict[str, Entry] = {}
    with _told_plainly(profile):
        client = _open(profile, patience or Patience())
        for start in range(0, len(entries), IDS):
            some = entries[start : start + IDS]
            collections = sorted({profile.collection(e.product.level) for e in some})
            query = {"ids": [entry.item for entry in some], "collections": collections}
            for item in _items(client, profile, query):
                entry = Entry.parse(item, profile.id_fields)
                if entry:
                    found[entry.name] = entry
            progress(f"{len(found)} products located", start, len(entries))
    if gone := [entry.name for entry in entries if entry.name not in found]:
        raise _incomplete(profile, f"the catalogue does not list {gone[0]} any more")
    return tuple(replace(e, assets=found[e.name].assets) for e in entries)


@contextmanager
def _told_plainly(profile: Profile) -> Iterator[None]:
    """Turn what the client raises into one error that names the catalogue."""
    try:
        yield
    except BenError:
        raise
    except (APIError, ValueError, KeyError, TypeError, AttributeError, PySTACError) as error:
        status = getattr(error, "status_code", None)
        raise CatalogueError(
            f"the catalogue answered {status}" if status else f"the search failed, {_first(error)}",
            where=plain_url(profile.url),
            do="Try again later; a catalogue saved to a file needs no server: --catalogue",
        ) from error


def _first(error: BaseException) -> str:
    """The gist of an error in a few words."""
    text = str(error).lower()
    for sign, told in _SIGNS.items():
        if sign in text:
            return told
    return "its answer cannot be understood"


_SIGNS = {
    "incompleteread": "the connection was cut",
    "connection broken": "the connection was cut",
    "timed out": "it did not answer in time",
    "too many": "it goes on being busy",
    "max retries": "it cannot be reached",
    "connection": "it cannot be reached",
}


class _Retry(Retry):
    """Waits no longer than `LONGEST` for a server that asks to be left alone."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds that the server asks for."""
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, LONGEST)


class _PatientIO(StacApiIO):
    """Asks again where an answer breaks off, which the retries below do not see."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        retries = _Retry(
            total=patience.tries,
            status_forcelist=_BUSY,
            allowed_methods=None,
            backoff_factor=patience.first,
            backoff_jitter=patience.first,
            raise_on_status=False,
        )
        super().__init__(max_retries=retries)
        # A netrc is for downloads: without this the client would show it to any catalogue.
        self.session.auth = _as_it_is

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:
        """One request, again where its answer broke off."""
        for _ in range(self.patience.tries):
            try:
                return super().request(href, method, headers, parameters)
            except APIError as error:
                if not any(sign in str(error).lower() for sign in ("broken", "incomplete")):
                    raise
        return super().request(href, method, headers, parameters)


def _open(profile: Profile, patience: Patience) -> Client:
    with warnings.catch_warnings(action="ignore"):
        # Told here: opening a client takes away what its stac_io was told.
        timeout = (patience.connect, patience.silence)
        return Client.open(profile.url, stac_io=_PatientIO(patience), timeout=timeout)


def _queries(wish: Wish) -> Iterator[dict[str, Any]]:
    """One search, or one a product of a named selection."""
    if wish.names:
        for name in wish.names:
            entry = Entry.named(name)
            place = shapely.geometry.mapping(_own_ground(entry.product.tile))
            window = (entry.time - _AROUND, entry.time + _AROUND)
            yield {"intersects": place, "datetime": _interval(*window)}
        return
    query: dict[str, Any] = {}
    if wish.period:
        query["datetime"] = _interval(wish.period.first, wish.period.last)
    if wish.tiles:
        for tile in wish.tiles:
            yield {**query, "intersects": shapely.geometry.mapping(_own_ground(tile))}
    elif wish.area is not None:
        yield {**query, "intersects": shapely.geometry.mapping(wish.area)}
    else:
        yield query


def _own_ground(tile: str) -> BaseGeometry:
    """The ground of a tile that its neighbours do not share."""
    return square_of(tile).buffer(-_SHARED)


def _interval(first: datetime, last: datetime) -> str:
    return f"{first:%Y-%m-%dT%H:%M:%SZ}/{last:%Y-%m-%dT%H:%M:%SZ}"


def _items(client: Client, profile: Profile, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Items page by page, each once.

    Raises:
        CatalogueError: pages repeat themselves, or fewer items came than were announced.
    """
    seen: set[str] = set()
    announced = 0
    with warnings.catch_warnings(action="ignore"):
        for page in client.search(method="POST", limit=PAGE, **query).pages_as_dicts():
            items = [item for item in page.get("features", []) if isinstance(item, dict)]
            announced = max(announced, _announced(page))
            new = [item for item in items if str(item.get("id")) not in seen]
            if not new:
                raise _incomplete(profile, "the catalogue gives the same page again and again")
            seen |= {str(item.get("id")) for item in new}
            yield from new
    if len(seen) < announced:
        told = f"the catalogue announced {announced} items and gave {len(seen)}"
        raise _incomplete(profile, told)


def _announced(page: dict[str, Any]) -> int:
    number = page.get("numberMatched")
    return number if isinstance(number, int) else 0


def _incomplete(profile: Profile, what: str) -> CatalogueError:
    return CatalogueError(what, where=plain_url(profile.url), do="Search again, or ask for less")


def _as_it_is(request: Any) -> Any:
    """A request without credentials."""
    return request
