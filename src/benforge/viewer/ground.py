"""Patches on the map: one by one where they are few, else as tiles."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.core.flags import SEASONAL_SNOW
from benforge.quality.screening import FLAGS
from benforge.viewer.board import Board
from benforge.viewer.catalogue import Catalogue, Rows

MOST_PATCHES = 4000
"""Drawn one by one; more become tiles."""

PLAIN, SNOW, CLOUD, CLEAR, FLAGGED = range(5)
"""States of a patch on the map: nothing proposed, snow proposed, cloud or shadow proposed,
decided to be clear, decided to be flagged."""

_DIRECTIONS = ((-1, -1), (-1, 1), (1, 1), (1, -1))
"""Of column and row, towards each corner of a footprint in its order."""


class TileOnMap(msgspec.Struct, frozen=True, kw_only=True):
    """A tile: how many of its patches are asked for, and its outline in degrees."""

    tile: str
    count: int
    ring: list[list[float]]


def patches_on_map(catalogue: Catalogue, board: Board, rows: Rows) -> list[list[Any]]:
    """Row number, eight degrees (longitude and latitude of four corners) and state of each."""
    corners = np.round(catalogue.corners[rows].reshape(len(rows), 8), 6).tolist()
    states = states_of(catalogue, board, rows).tolist()
    return [[i, *c, s] for i, c, s in zip(rows.tolist(), corners, states, strict=True)]


def states_of(catalogue: Catalogue, board: Board, rows: Rows) -> npt.NDArray[np.uint8]:
    """`patch`: the state of each of these rows."""
    states = np.full(len(rows), PLAIN, np.uint8)
    if catalogue.screened:
        proposed = catalogue.screened.proposed[rows]
        states[proposed != 0] = CLOUD
        states[proposed & (1 << FLAGS.index(SEASONAL_SNOW)) != 0] = SNOW
    bits = board.bits[rows]
    states[bits == 0] = CLEAR
    states[bits > 0] = FLAGGED
    return states


def tiles_on_map(catalogue: Catalogue, rows: Rows) -> list[TileOnMap]:
    """Every tile that one of these patches is of."""
    rings = np.round(tile_rings(catalogue), 5).tolist()
    counts = catalogue.tiles.counts(rows)
    return [
        TileOnMap(tile=tile, count=count, ring=ring)
        for (tile, count), ring in zip(counts.items(), rings, strict=True)
        if count
    ]


@lru_cache(maxsize=2)
def tile_rings(catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """`tile corner axis`: four corners around the patches of each tile, degrees."""
    rings = np.empty((len(catalogue.tiles.names), 4, 2))
    for corner, direction in enumerate(_DIRECTIONS):
        reach = catalogue.cells.astype(np.int32) @ np.array(direction, np.int32)
        order = np.lexsort((reach, catalogue.tiles.codes))
        last = np.searchsorted(catalogue.tiles.codes[order], np.arange(len(rings)), side="right")
        rings[:, corner] = catalogue.corners[order[last - 1], corner]
    return rings
