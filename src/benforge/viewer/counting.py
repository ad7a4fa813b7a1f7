"""What the patches that are asked for come to, counted."""

from __future__ import annotations

import msgspec

from benforge.quality.screening import FLAGS
from benforge.viewer.board import UNDECIDED, Board
from benforge.viewer.catalogue import Catalogue, Rows


class FlagCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Patches by flag: what a screening proposes, and what reviewers decided."""

    proposed: dict[str, int]
    decided: dict[str, int]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Patches counted.

    Args:
        patches: how many.
        classes: of each class, in the nomenclature's order.
        seasons: of each season of the archive.
        countries: of each country of the archive.
        flags: of each flag, and "none" or "clear" for those without.
    """

    patches: int
    classes: list[int]
    seasons: dict[str, int]
    countries: dict[str, int]
    flags: FlagCounts


def count(catalogue: Catalogue, board: Board, rows: Rows) -> Counts:
    """The figures of these patches."""
    return Counts(
        patches=len(rows),
        classes=catalogue.labels[rows].sum(axis=0).tolist(),
        seasons=catalogue.seasons.counts(rows),
        countries=catalogue.countries.counts(rows),
        flags=FlagCounts(proposed=_proposed(catalogue, rows), decided=_decided(board, rows)),
    )


def _proposed(catalogue: Catalogue, rows: Rows) -> dict[str, int]:
    shown = catalogue.screened
    if shown is None:
        return {}
    bits = shown.proposed[rows]
    found = {flag: int((bits >> bit & 1).sum()) for bit, flag in enumerate(FLAGS)}
    return found | {"none": int((shown.known[rows] & (bits == 0)).sum())}


def _decided(board: Board, rows: Rows) -> dict[str, int]:
    bits = board.bits[rows]
    bits = bits[bits != UNDECIDED]
    found = {flag: int((bits >> bit & 1).sum()) for bit, flag in enumerate(FLAGS)}
    return found | {"clear": int((bits == 0).sum())}
