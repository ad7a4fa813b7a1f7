"""What the page is told once: the archive, its classes, and what can be asked for."""

from __future__ import annotations

from typing import Literal

import msgspec

from benforge.quality.screening import FLAGS
from benforge.viewer.catalogue import Catalogue
from benforge.viewer.desk import Desk
from benforge.viewer.doubted import DoubtedFact
from benforge.viewer.pictures import VIEWS
from benforge.viewer.rows import day_of
from benforge.viewer.similar import Similar, SimilarFact

Mode = Literal["inspect", "view"]
"""Whether patches are decided, or looked at alone."""


class ClassFact(msgspec.Struct, frozen=True, kw_only=True):
    """A class: its name, its colour as "#rrggbb", and how many patches have it."""

    name: str
    color: str
    patches: int


class ViewFact(msgspec.Struct, frozen=True, kw_only=True):
    """A view: its key, its name in addresses, its title in words."""

    key: str
    name: str
    title: str


class ScreeningFact(msgspec.Struct, frozen=True, kw_only=True):
    """A screening: its name, what looked, whether the pixels were simulated, how many it names."""

    name: str
    method: str
    simulated: bool
    patches: int


class ArchiveFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an archive is, as the page shows it.

    Args:
        name: of its folder.
        simulated: whether any scene was.
        mode: "inspect" or "view".
        patches: how many.
        tiles: that patches are of, sorted; so with countries and seasons.
        countries: names.
        seasons: names.
        first_day: ISO 8601; None without patches.
        last_day: the same.
        nomenclature: name of the classes.
        classes: in order.
        flags: that a patch can be given.
        views: in the order of their keys.
        screening: None without one.
        flag_sets: names of the flags beside the scenes.
        reviewers: who has decided anything.
        damaged_lines: lines of the log that cannot be read.
        doubts: about its labels; None without any.
        similar: the index in which patches are found that are alike; None without one.
    """

    name: str
    simulated: bool
    mode: Mode
    patches: int
    tiles: tuple[str, ...]
    countries: tuple[str, ...]
    seasons: tuple[str, ...]
    first_day: str | None
    last_day: str | None
    nomenclature: str
    classes: list[ClassFact]
    flags: tuple[str, ...]
    views: list[ViewFact]
    screening: ScreeningFact | None
    flag_sets: tuple[str, ...]
    reviewers: tuple[str, ...]
    damaged_lines: int
    doubts: DoubtedFact | None
    similar: SimilarFact | None


def describe(desk: Desk, mode: Mode, similar: Similar | None) -> ArchiveFacts:
    """What the page is told of an archive."""
    catalogue = desk.catalogue
    with desk.review.lock:
        reviewers, damaged_lines = desk.review.ledger.reviewers, desk.review.log.damaged
    meta, days = catalogue.archive.meta, catalogue.days
    return ArchiveFacts(
        name=catalogue.archive.root.resolve().name,
        simulated=meta.simulated,
        mode=mode,
        patches=len(catalogue),
        tiles=catalogue.tiles.names,
        countries=catalogue.countries.names,
        seasons=catalogue.seasons.names,
        first_day=day_of(int(days.min())) if len(days) else None,
        last_day=day_of(int(days.max())) if len(days) else None,
        nomenclature=meta.nomenclature.name,
        classes=_classes(catalogue),
        flags=FLAGS,
        views=[ViewFact(key=v.key, name=v.name, title=v.title) for v in VIEWS.values()],
        screening=_screening(catalogue),
        flag_sets=catalogue.flag_sets(),
        reviewers=reviewers,
        damaged_lines=damaged_lines,
        doubts=desk.doubted.told() if desk.doubted else None,
        similar=similar.told() if similar else None,
    )


def _classes(catalogue: Catalogue) -> list[ClassFact]:
    counts = catalogue.labels.sum(axis=0).tolist()
    return [
        ClassFact(name=c.name, color="#{:02x}{:02x}{:02x}".format(*c.color), patches=count)
        for c, count in zip(catalogue.archive.meta.nomenclature.classes, counts, strict=True)
    ]


def _screening(catalogue: Catalogue) -> ScreeningFact | None:
    shown = catalogue.screened
    if shown is None:
        return None
    return ScreeningFact(
        name=shown.name,
        method=shown.method,
        simulated=catalogue.archive.meta.simulated,
        patches=int(shown.known.sum()),
    )
