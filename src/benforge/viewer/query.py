"""What is asked for, parsed from the parameters of a URL at the door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from benforge.errors import InputError
from benforge.quality.events import parse_reviewer
from benforge.quality.screening import FLAGS

ORDERS = ("doubt", "label-doubt", "name", "date", "snow", "cloud")
DOUBTS = ("any", "doubted", "missing", "open")
PROPOSED = (*FLAGS, "none", "unscreened")
OWN = ("mine", "not-mine")
DECIDED = ("any", "none", *FLAGS, "clear", "disputed", *OWN)
LONGEST = 200
"""Characters of a value; a patch id has 60."""

Box = tuple[float, float, float, float]
"""West, south, east, north, degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which patches, in which order; every condition must hold, None asks for nothing.

    Args:
        tile: MGRS tile.
        country: name.
        season: name.
        label: classes that must all be there, each by its place in the nomenclature or its name.
        start: first day.
        end: last day.
        text: part of a patch id or v1 name, in any case.
        flag: what the screening proposes: a flag, "none", or "unscreened" where it names the
            patch not at all.
        decided: what reviewers decided; "mine" and "not-mine" are about `reviewer`.
        reviewer: who asks; empty for nobody.
        flagset: marked in the flags of this name.
        min_confidence: at least, of the less sure proposal.
        max_confidence: at most.
        near: row number of a patch with the same footprint.
        bbox: the middle of the patch lies within.
        doubt: what of its labels is doubted: any, one that is given ("doubted"), one that is
            "missing", or one that is "open", as nobody decided.
        doubted_label: name of the class that is doubted.
        order: one of `ORDERS`; None for "label-doubt" where there are doubts, else "doubt" where
            there is a screening, else "name".
    """

    tile: str | None = None
    country: str | None = None
    season: str | None = None
    label: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    text: str | None = None
    flag: str | None = None
    decided: str | None = None
    reviewer: str = ""
    flagset: str | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    near: int | None = None
    bbox: Box | None = None
    doubt: str | None = None
    doubted_label: str | None = None
    order: str | None = None


def parse_query(pairs: Iterable[tuple[str, str]], *, also: tuple[str, ...] = ()) -> Query:
    """The query that the parameters of a URL tell; empty values ask for nothing.

    Args:
        pairs: name and value, decoded.
        also: names that others read, passed over here.

    Raises:
        InputError: an unknown name, one given twice, or a value that is none.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in also or not value:
            continue
        if name not in _READ:
            raise InputError(f"there is no parameter {name[:40]!r}")
        field, read = _READ[name]
        if len(value) > LONGEST:
            raise InputError(f"{name} is longer than {LONGEST} characters")
        if name == "label":
            found[field] = (*found.get(field, ()), value)
        elif field in found:
            raise InputError(f"{name} is given twice")
        else:
            found[field] = read(name, value)
    return Query(**found)


def parse_number(name: str, value: str, low: int, high: int) -> int:
    """A whole number of a range.

    Raises:
        InputError: it is none.
    """
    if not (value.isascii() and value.isdecimal() and len(value) < 12):
        raise InputError(f"{name} is no number: {value[:40]!r}")
    if not low <= int(value) <= high:
        raise InputError(f"{name} goes from {low} to {high}, not {int(value)}")
    return int(value)


def _text(name: str, value: str) -> str:
    return value


def _reviewer(name: str, value: str) -> str:
    return parse_reviewer(value)


def _share(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise InputError(f"{name} goes from 0 to 1, not {value[:40]!r}")
    return number


def _day(name: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(f"{name} is no date: {value[:40]!r}", do="Write 2018-02-25") from None


def _box(name: str, value: str) -> Box:
    try:
        west, south, east, north = (float(part) for part in value.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (west <= east and south <= north):
        raise InputError(f"{name} is no box: {value[:40]!r}", do="Write west,south,east,north")
    return west, south, east, north


def _row(name: str, value: str) -> int:
    return parse_number(name, value, 0, 10**9)


def _one_of(known: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in known:
            raise InputError(f"{name} is one of {', '.join(known)}, not {value[:40]!r}")
        return value

    return read


_READ: Mapping[str, tuple[str, Callable[[str, str], Any]]] = {
    "tile": ("tile", _text),
    "country": ("country", _text),
    "season": ("season", _text),
    "label": ("label", _text),
    "from": ("start", _day),
    "to": ("end", _day),
    "text": ("text", _text),
    "flag": ("flag", _one_of(PROPOSED)),
    "decided": ("decided", _one_of(DECIDED)),
    "reviewer": ("reviewer", _reviewer),
    "flagset": ("flagset", _text),
    "min_confidence": ("min_confidence", _share),
    "max_confidence": ("max_confidence", _share),
    "near": ("near", _row),
    "bbox": ("bbox", _box),
    "doubt": ("doubt", _one_of(DOUBTS)),
    "doubted_label": ("doubted_label", _text),
    "order": ("order", _one_of(ORDERS)),
}
"""Name in the URL to field and reader."""
