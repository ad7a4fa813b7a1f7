"""Which patches a query asks for, in its order: whole columns at once, no loop over patches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from benforge.errors import InputError
from benforge.quality.screening import FLAGS
from benforge.viewer.board import UNDECIDED, Board
from benforge.viewer.catalogue import Bools, Catalogue, Rows, Screened
from benforge.viewer.desk import Desk
from benforge.viewer.doubted import Doubted
from benforge.viewer.query import OWN, Query

_EPOCH = np.datetime64("1970-01-01")


def select(desk: Desk, board: Board, query: Query) -> Rows:
    """The row numbers of the patches that a query asks for, in its order.

    Raises:
        InputError: it names a tile, country, class, patch or flags that the archive has not, or
            asks for a screening or doubts where there are none, or for a reviewer's own without a
            name.
    """
    catalogue = desk.catalogue
    order = _order(desk, query)
    masks = [
        *_of_index(catalogue, query),
        *_of_screening(catalogue, query),
        *_of_board(board, query),
        *_of_reviewer(desk, query),
        *_of_doubts(desk, query),
    ]
    if not masks:
        return order
    chosen: Bools = np.logical_and.reduce(masks)
    return order[chosen[order]]


def _order(desk: Desk, query: Query) -> Rows:
    asked = query.order or ("label-doubt" if desk.doubted else "")
    if asked == "label-doubt":
        return _doubted(desk).order
    return desk.catalogue.orders(asked or ("doubt" if desk.catalogue.screened else "name"))


def _doubted(desk: Desk) -> Doubted:
    if desk.doubted is None:
        raise InputError(
            "no doubts about labels were given",
            do="Make some with ben doubt, and start again with --doubt FILE",
        )
    return desk.doubted


def _of_doubts(desk: Desk, query: Query) -> Iterator[Bools]:
    if query.doubt is None and query.doubted_label is None:
        return
    doubted = _doubted(desk)
    with desk.review.lock:
        ledger = desk.review.ledger
        yield doubted.mask(query.doubt or "any", query.doubted_label or "", ledger)


def _of_index(catalogue: Catalogue, query: Query) -> Iterator[Bools]:
    named = ("tile", "country", "season")
    columns = (catalogue.tiles, catalogue.countries, catalogue.seasons)
    for name, column in zip(named, columns, strict=True):
        if (value := getattr(query, name)) is not None:
            yield column.equals(value)
    for label in query.label:
        yield catalogue.labels[:, _class(catalogue, label)]
    if query.start:
        yield catalogue.days >= (np.datetime64(query.start) - _EPOCH).astype(np.int32)
    if query.end:
        yield catalogue.days <= (np.datetime64(query.end) - _EPOCH).astype(np.int32)
    if query.text:
        yield _matches(catalogue, query.text)
    if query.near is not None:
        yield same_footprint(catalogue, query.near)
    if query.bbox:
        west, south, east, north = query.bbox
        lon, lat = catalogue.centres.T
        yield (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if query.flagset:
        yield catalogue.marked(query.flagset)


def _class(catalogue: Catalogue, label: str) -> int:
    nomenclature = catalogue.archive.meta.nomenclature
    if label.isascii() and label.isdecimal() and len(label) < 6:
        if int(label) < len(nomenclature):
            return int(label)
        raise InputError(f"label goes from 0 to {len(nomenclature) - 1}, not {int(label)}")
    return nomenclature.classes.index(nomenclature.by_name(label))


def _matches(catalogue: Catalogue, text: str) -> Bools:
    """Ids are plain ASCII in one case, so letters are compared as they stand first."""
    found = np.zeros(len(catalogue), np.bool_)
    for column in (catalogue.patch_ids, catalogue.v1_names):
        if column.null_count < len(column):
            hit = pc.match_substring(column, text.strip(), ignore_case=True)
            found |= np.asarray(hit.fill_null(False))
    return found


def same_footprint(catalogue: Catalogue, row: int) -> Bools:
    """`patch`: which cover the same ground as this one, it among them.

    Raises:
        InputError: there is no such patch.
    """
    if not 0 <= row < len(catalogue):
        raise InputError(f"there is no patch {row}")
    here = (catalogue.places == catalogue.places[row]).all(axis=1)
    return np.asarray(here & (catalogue.zones.codes == catalogue.zones.codes[row]))


def _of_screening(catalogue: Catalogue, query: Query) -> Iterator[Bools]:
    asked = (query.flag, query.min_confidence, query.max_confidence)
    if all(one is None for one in asked):
        return
    if catalogue.screened is None:
        raise InputError("the archive has no screening", do="Make one with: ben screen")
    yield from _of_screened(catalogue.screened, query)


def _of_screened(screened: Screened, query: Query) -> Iterator[Bools]:
    if query.flag == "none":
        yield screened.known & (screened.proposed == 0)
    elif query.flag == "unscreened":
        yield ~screened.known
    elif query.flag:
        yield (screened.proposed & (1 << FLAGS.index(query.flag))) != 0
    if query.min_confidence is not None:
        yield screened.confidence >= query.min_confidence
    if query.max_confidence is not None:
        yield screened.confidence <= query.max_confidence


def _of_board(board: Board, query: Query) -> Iterator[Bools]:
    asked = query.decided
    if asked == "any":
        yield board.bits != UNDECIDED
    elif asked == "none":
        yield board.bits == UNDECIDED
    elif asked == "disputed":
        yield board.disputed.copy()
    elif asked == "clear":
        yield board.bits == 0
    elif asked and asked not in OWN:
        yield (board.bits > 0) & ((board.bits & (1 << FLAGS.index(asked))) != 0)


def _of_reviewer(desk: Desk, query: Query) -> Iterator[Bools]:
    if query.decided not in OWN:
        return
    if not query.reviewer:
        raise InputError(f"decided={query.decided} asks for a reviewer", do="Say who you are")
    own = desk.decided_by(query.reviewer)
    yield own if query.decided == "mine" else ~own
