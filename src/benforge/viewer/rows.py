"""Patches as the page is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.viewer.board import UNDECIDED, Board, flags_of
from benforge.viewer.catalogue import Catalogue
from benforge.viewer.desk import Desk
from benforge.viewer.doubted import LabelDoubt

_EPOCH = date(1970, 1, 1)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One patch.

    Args:
        i: its row number in the index.
        id: its patch id.
        v1: its name in BigEarthNet v1; None without one.
        tile: MGRS tile.
        date: day of acquisition, ISO 8601.
        season: name.
        country: name.
        labels: its classes, by their place in the nomenclature.
        snow: share of the patch, 0 to 1; None where no screening names it. So with the others.
        cloud: share.
        shadow: share.
        nodata: share.
        proposed: flags that the screening proposes.
        confidence: of the less sure proposal, 0.5 to 1.
        decided: flags that hold after review; None where nobody decided.
        by: the reviewer whose decision counts.
        disputed: whether reviewers disagree.
        mine: flags that whoever asks gave it; None where they did not decide, or gave no name.
        doubts: labels that predictions speak against, the strongest doubt first.
    """

    i: int
    id: str
    v1: str | None
    tile: str
    date: str
    season: str
    country: str
    labels: list[int]
    snow: float | None
    cloud: float | None
    shadow: float | None
    nodata: float | None
    proposed: list[str]
    confidence: float | None
    decided: list[str] | None
    by: str | None
    disputed: bool
    mine: list[str] | None
    doubts: list[LabelDoubt] = []


def make_rows(desk: Desk, board: Board, rows: Sequence[int], reviewer: str = "") -> list[Row]:
    """These patches, in the order given, as this reviewer sees them."""
    answers = desk.answers(reviewer, rows)
    return [
        make_row(desk.catalogue, board, int(row), mine, desk.doubts(reviewer, int(row)))
        for row, mine in zip(rows, answers, strict=True)
    ]


def make_row(
    catalogue: Catalogue,
    board: Board,
    i: int,
    mine: Sequence[str] | None,
    doubts: list[LabelDoubt],
) -> Row:
    """The patch of a row number that is there; `mine` and `doubts` as in `Row`."""
    screened = catalogue.screened
    shares = screened.shares if screened else {}
    bits = int(board.bits[i])
    return Row(
        i=i,
        id=catalogue.patch_ids[i].as_py(),
        v1=catalogue.v1_names[i].as_py(),
        tile=catalogue.tiles.names[catalogue.tiles.codes[i]],
        date=day_of(int(catalogue.days[i])),
        season=catalogue.seasons.names[catalogue.seasons.codes[i]],
        country=catalogue.countries.names[catalogue.countries.codes[i]],
        labels=np.flatnonzero(catalogue.labels[i]).tolist(),
        snow=_number(shares.get("snow"), i),
        cloud=_number(shares.get("cloud"), i),
        shadow=_number(shares.get("shadow"), i),
        nodata=_number(shares.get("nodata"), i),
        proposed=flags_of(int(screened.proposed[i])) if screened else [],
        confidence=_number(screened.confidence, i) if screened else None,
        decided=None if bits == UNDECIDED else flags_of(bits),
        by=board.reviewer(i) if bits != UNDECIDED else None,
        disputed=bool(board.disputed[i]),
        mine=None if mine is None else list(mine),
        doubts=doubts,
    )


def day_of(days: int) -> str:
    """A day as ISO 8601 has it, from days since 1970-01-01."""
    return (_EPOCH + timedelta(days=days)).isoformat()


def _number(values: npt.NDArray[np.float32] | None, i: int) -> float | None:
    if values is None or np.isnan(values[i]):
        return None
    return round(float(values[i]), 4)
