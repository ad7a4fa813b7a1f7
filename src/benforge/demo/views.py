"""What the report's template is filled with: plain values and pictures, no pixels and no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benforge.archive.archive import Archive
from benforge.core.nomenclature import Nomenclature
from benforge.core.record import PatchRecord
from benforge.demo.pictures import data_uri
from benforge.statistics.pictures import (
    FALSE_COLOR,
    INFRARED,
    TRUE_COLOR,
    css_color,
    picture_of,
)


@dataclass(frozen=True, slots=True)
class Label:
    """A class as a coloured chip; `share` is text and `width` percent, where shares are known."""

    name: str
    color: str
    share: str = ""
    width: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One picture of several of the same patch."""

    picture: str
    caption: str


@dataclass(frozen=True, slots=True)
class Card:
    """A patch: its name, when and where, labels and pictures."""

    name: str
    when: str
    labels: Sequence[Label]
    parts: Sequence[Part]

    @property
    def picture(self) -> str:
        """The first picture."""
        return self.parts[0].picture


@dataclass(frozen=True, slots=True)
class Bar:
    """How often a class occurs; `width` in percent of the longest."""

    name: str
    color: str
    count: int
    width: str


_VIEWS = (
    (TRUE_COLOR, "visible light"),
    (FALSE_COLOR, "near infrared"),
    (INFRARED, "short wave"),
)


def card_of(archive: Archive, position: int, *, views: int = 1) -> Card:
    """The card of one patch, with its first `views` ways to look at it."""
    record, patch = archive.record(position), archive[position]
    parts = [Part(data_uri(picture_of(patch, bands)), title) for bands, title in _VIEWS[:views]]
    name = record.v1_name or record.patch_id
    return Card(name, _when(record), _labels(record, archive.meta.nomenclature), parts)


def bars_of(archive: Archive) -> list[Bar]:
    """The classes that occur, most frequent first, equal ones in the nomenclature's order."""
    counts = Counter(label for record in archive.records() for label in record.labels)
    nomenclature = archive.meta.nomenclature
    classes = [c for c in nomenclature.classes if counts[c.name]]
    longest = max(counts.values(), default=1)
    return [
        Bar(c.name, css_color(c.color), counts[c.name], f"{88 * counts[c.name] / longest:.1f}")
        for c in sorted(classes, key=lambda c: -counts[c.name])
    ]


def _when(record: PatchRecord) -> str:
    day = f"{record.sensing_time.day} {record.sensing_time:%B %Y}"
    return " · ".join(part for part in (day, record.season, record.country) if part)


def _labels(record: PatchRecord, nomenclature: Nomenclature) -> list[Label]:
    """The labels in order; by share, largest first, where shares are known."""
    classes = [nomenclature.by_name(label) for label in record.labels]
    if record.shares is None:
        return [Label(c.name, css_color(c.color)) for c in classes]
    shares = dict(zip(record.classes, record.shares, strict=True))
    ranked = sorted(classes, key=lambda c: -shares.get(c.code, 0))
    return [
        Label(c.name, css_color(c.color), _percent(share), f"{100 * share:.2f}")
        for c in ranked
        for share in (shares.get(c.code, 0.0),)
    ]


def _percent(share: float) -> str:
    text = f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"
    return text.replace(" ", "\N{NO-BREAK SPACE}")
