"""What lies around a patch, and what the same ground looks like on other dates."""

from __future__ import annotations

import msgspec
import numpy as np

from benforge.core.nomenclature import Nomenclature
from benforge.errors import InputError
from benforge.labels.hot import way_to
from benforge.viewer.catalogue import Catalogue
from benforge.viewer.desk import Desk
from benforge.viewer.rows import Row, day_of, make_row
from benforge.viewer.select import same_footprint


class OtherDate(msgspec.Struct, frozen=True, kw_only=True):
    """The same footprint on another date: its row and day."""

    i: int
    date: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's standing decision."""

    reviewer: str
    time: str
    flags: tuple[str, ...]


class Closeup(Row, frozen=True, kw_only=True):
    """One patch and what is known around it.

    Args:
        shares: places of classes in the nomenclature and their exact shares, largest first;
            empty where the archive does not tell them.
        neighbours: rows of the patches around, `row col` from the upper left, itself in the
            middle; None where the archive holds none.
        other_dates: the same footprint, by date.
        decisions: of each reviewer, the last one last.
        lon: of the middle, degrees.
        lat: of the middle, degrees.
    """

    shares: list[tuple[int, float]]
    neighbours: list[list[int | None]]
    other_dates: list[OtherDate]
    decisions: list[Decided]
    lon: float
    lat: float


def look_closely(desk: Desk, i: int, reviewer: str = "") -> Closeup:
    """What is known of a patch and around it, as this reviewer sees it.

    Raises:
        ArchiveError: a footprint is damaged, or the log cannot be read.
    """
    catalogue, board = desk.catalogue, desk.refresh()
    (mine,) = desk.answers(reviewer, [i])
    lon, lat = catalogue.centre(i)
    return Closeup(
        **msgspec.structs.asdict(make_row(catalogue, board, i, mine, desk.doubts(reviewer, i))),
        shares=find_shares(catalogue, i),
        neighbours=find_neighbours(catalogue, i),
        other_dates=find_other_dates(catalogue, i),
        decisions=_decisions(desk, catalogue.patch_ids[i].as_py()),
        lon=round(lon, 6),
        lat=round(lat, 6),
    )


def find_neighbours(catalogue: Catalogue, i: int) -> list[list[int | None]]:
    """The rows of the 3 x 3 patches around one, of the same scene; None where there is none."""
    step = catalogue.cells - catalogue.cells[i]
    near = (np.abs(step) <= 1).all(axis=1) & (catalogue.scenes.codes == catalogue.scenes.codes[i])
    found: list[list[int | None]] = [[None] * 3 for _ in range(3)]
    for row in np.flatnonzero(near).tolist():
        across, down = step[row].tolist()
        found[down + 1][across + 1] = row
    return found


def find_other_dates(catalogue: Catalogue, i: int) -> list[OtherDate]:
    """The same footprint on other dates, in their order."""
    rows = np.flatnonzero(same_footprint(catalogue, i))
    ordered = rows[np.argsort(catalogue.days[rows], kind="stable")].tolist()
    return [OtherDate(i=row, date=day_of(int(catalogue.days[row]))) for row in ordered if row != i]


def find_shares(catalogue: Catalogue, i: int) -> list[tuple[int, float]]:
    """Classes of the archive's nomenclature and their shares, largest first."""
    rows = catalogue.archive.index
    classes, shares = (rows[name][i].as_py() for name in ("classes", "shares"))
    if shares is None:
        return []
    places = _places(catalogue.archive.meta.nomenclature)
    found: dict[int, float] = {}
    for code, share in zip(classes, shares, strict=True):
        if (place := places.get(code)) is not None:
            found[place] = found.get(place, 0.0) + share
    return sorted(((place, round(s, 4)) for place, s in found.items()), key=lambda one: -one[1])


def _places(nomenclature: Nomenclature) -> dict[int, int]:
    """Code of a map's class to its place in the nomenclature."""
    own = {code: place for place, code in enumerate(nomenclature.codes)}
    try:
        way = way_to(nomenclature.name)
    except InputError:
        return own
    return {code: own[to] for code in way.source.codes if (to := way(code)) in own}


def _decisions(desk: Desk, patch: str) -> list[Decided]:
    with desk.review.lock:
        standing = desk.review.ledger.standing(patch)
    return [
        Decided(reviewer=one.reviewer, time=one.time.isoformat(), flags=one.flags)
        for one in standing
    ]
