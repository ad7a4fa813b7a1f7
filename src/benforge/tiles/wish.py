"""What is wished for: area, period, clouds, level and baselines, and how entries meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import shapely
from shapely.geometry.base import BaseGeometry

from benforge.core.season import SEASONS, season_of
from benforge.errors import InputError
from benforge.tiles.entry import Entry
from benforge.tiles.ground import square_of

Condition = tuple[str, Callable[[Entry], bool]]
"""A condition in words, and whether an entry meets it."""


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both whole, UTC."""

    first: datetime
    last: datetime

    @classmethod
    def parse(cls, text: str) -> Period:
        """`2017-06-01/2018-05-31`, or one day.

        Raises:
            InputError: no days, or the last before the first.
        """
        begin, _, end = text.partition("/")
        try:
            days = [datetime.strptime(d.strip(), "%Y-%m-%d") for d in (begin, end or begin)]
        except ValueError as error:
            raise InputError(
                "not a period", where=text, do="Write it as 2017-06-01/2018-05-31"
            ) from error
        first, last = (day.replace(tzinfo=UTC) for day in days)
        if last < first:
            raise InputError("the period ends before it begins", where=text)
        return cls(first, last + timedelta(days=1) - timedelta(seconds=1))

    def __contains__(self, time: datetime) -> bool:
        return self.first <= time <= self.last

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%d}/{self.last:%Y-%m-%d}"

    @property
    def seasons(self) -> tuple[str, ...]:
        """The seasons that it touches, winter first."""
        days = min((self.last - self.first).days + 1, 366)
        touched = {season_of(self.first + timedelta(days=day)) for day in range(days)}
        return tuple(season for season in SEASONS if season in touched)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which products are wished for.

    Args:
        level: "L1C" or "L2A".
        tiles: MGRS tiles; none means any.
        area: in longitude and latitude; a product counts whose tile's square meets it.
        area_name: the area in words.
        period: sensing times.
        cloud: greatest cloud cover, per cent; None leaves clouds alone.
        baselines: "02.05"; none means one, whichever it is.
        names: full ids of products of which no acquisition but these is wanted.
        names_of: what the list of names is called.
        most: products at most; None takes every tile in every season.
        mix_baselines: whether products of several baselines may stand side by side.
    """

    level: str = "L1C"
    tiles: tuple[str, ...] = ()
    area: BaseGeometry | None = None
    area_name: str = ""
    period: Period | None = None
    cloud: float | None = None
    baselines: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    names_of: str = ""
    most: int | None = None
    mix_baselines: bool = False

    def conditions(self) -> Iterator[Condition]:
        """Each condition in words, in the order in which they are applied."""
        yield f"level {self.level}", lambda entry: entry.product.level == self.level
        if self.names:
            wanted = {Entry.named(name).acquisition for name in self.names}
            yield f"acquisitions of {self.names_of}", lambda entry: entry.acquisition in wanted
        if self.tiles:
            yield f"tiles {_few(self.tiles)}", lambda entry: entry.product.tile in self.tiles
        if self.area is not None:
            yield f"area {self.area_name}", _Near(self.area)
        if (period := self.period) is not None:
            yield f"period {period}", lambda entry: entry.time in period
        if (cloud := self.cloud) is not None:
            yield (
                f"cloud cover at most {cloud:g} %",
                lambda entry: entry.cloud is not None and entry.cloud <= cloud,
            )
        if self.baselines:
            told = ", ".join(self.baselines)
            yield f"baseline {told}", lambda entry: entry.baseline in self.baselines


class _Near:
    """Whether the square of an entry's tile meets an area; each tile is asked once."""

    def __init__(self, area: BaseGeometry) -> None:
        shapely.prepare(area)
        self.area = area
        self.known: dict[str, bool] = {}

    def __call__(self, entry: Entry) -> bool:
        tile = entry.product.tile
        if tile not in self.known:
            self.known[tile] = bool(shapely.intersects(self.area, square_of(tile)))
        return self.known[tile]


def parse_baseline(text: str) -> str:
    """`02.05`, `2.5` or `0205` as "02.05".

    Raises:
        InputError: the text is no baseline.
    """
    whole, dot, part = text.strip().removeprefix("N").partition(".")
    if not dot and len(whole) == 4:
        whole, part = whole[:2], whole[2:]
    if not (whole.isdigit() and part.isdigit() and len(whole) <= 2 and len(part) <= 2):
        raise InputError("not a processing baseline", where=text, do="Write it as 02.05")
    return f"{int(whole):02d}.{int(part):02d}"


def _few(names: Sequence[str]) -> str:
    return (
        ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )
