"""Which footprints equal, overlap or touch one of others: within a tile, across tiles and zones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from pyproj import Transformer

from benforge.core.record import number_texts

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Found = npt.NDArray[np.bool_]
"""`kind relation footprint`: whether there is such a contact, kinds and relations as listed."""

KINDS = ("same_tile", "other_tile", "other_zone")
"""Where the other footprint lies: in the same tile, in another of the same CRS, in another CRS."""
RELATIONS = ("equal", "overlap", "touch")
"""Same ground; some of the same ground; a common edge or corner and no common ground."""
EQUAL, OVERLAP, TOUCH = range(3)

TOLERANCE = 1.0
"""Metres: what touches between two CRSs, whose grids meet nowhere exactly."""
_PER_METRE = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Footprints:
    """Distinct squares on the ground, each of one tile.

    Args:
        crs_names: the CRSs.
        tile_names: the tiles.
        crs: number of each footprint's CRS.
        tile: number of each footprint's tile.
        left: easting of the upper-left corner, whole millimetres.
        top: northing of the same, whole millimetres.
        edge: edge, whole millimetres.
    """

    crs_names: tuple[str, ...]
    tile_names: tuple[str, ...]
    crs: Ints
    tile: Ints
    left: Ints
    top: Ints
    edge: Ints

    def __len__(self) -> int:
        return len(self.crs)

    @classmethod
    def of(cls, index: pa.Table, edges: npt.ArrayLike) -> tuple[Footprints, Ints]:
        """The footprints of an index, and which of them each row stands on.

        Args:
            index: with the columns `crs`, `tile`, `ulx` and `uly` of an archive's index.
            edges: edge of each patch, or of all, m.
        """
        crs_names, crs = number_texts(index["crs"])
        tile_names, tile = number_texts(index["tile"])
        left, top, edge = (_round(v) for v in (index["ulx"], index["uly"], edges))
        edge = np.broadcast_to(edge, left.shape)
        keys = np.stack([crs, tile, left, top, edge])
        order = np.lexsort(keys)
        ordered = keys[:, order]
        new = np.ones(len(order), np.bool_)
        new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
        inverse = np.empty(len(order), np.int64)
        inverse[order] = np.cumsum(new) - 1
        return cls(tuple(crs_names), tuple(tile_names), *ordered[:, new]), inverse

    def corners(self, which: Ints) -> Floats:
        """`footprint corner axis`: eastings and northings of the four corners, m."""
        left, top, edge = (v[which] / _PER_METRE for v in (self.left, self.top, self.edge))
        east, south = left + edge, top - edge
        xs = np.stack([left, left, east, east], axis=-1)
        return np.stack([xs, np.stack([top, south, south, top], axis=-1)], axis=-1)


def _round(values: npt.ArrayLike) -> Ints:
    return np.rint(np.asarray(values, np.float64) * _PER_METRE).astype(np.int64)


def find_contacts(footprints: Footprints, subjects: Mask, others: Mask) -> Found:
    """The contacts that each subject has with one of the others.

    Within a CRS the answer is exact, in whole millimetres. Between two CRSs the corners of a
    subject are brought to the CRS of the other and joined by straight lines (an edge of 1,200 m
    bends by about 1 mm between neighbouring UTM zones): those whose corners agree within
    `TOLERANCE` are equal; those that share ground farther inside than `TOLERANCE` overlap; those
    nearer than `TOLERANCE` touch.

    Args:
        footprints: all.
        subjects: whose contacts are asked for; the others are False in the result.
        others: with which; a footprint that is both equals itself.
    """
    found = np.zeros((len(KINDS), len(RELATIONS), len(footprints)), np.bool_)
    for one in range(len(footprints.crs_names)):
        mine = np.flatnonzero(subjects & (footprints.crs == one))
        for other in range(len(footprints.crs_names)):
            theirs = np.flatnonzero(others & (footprints.crs == other))
            if not len(mine) or not len(theirs):
                continue
            if one == other:
                _mark_same_crs(footprints, mine, theirs, found)
            else:
                _mark_other_crs(footprints, mine, theirs, found)
    return found


def _mark_same_crs(footprints: Footprints, mine: Ints, theirs: Ints, found: Found) -> None:
    for a, b in _near_pairs(footprints, mine, theirs):
        gap_x = _gap(footprints.left[a], footprints.left[b], footprints.edge[a], footprints.edge[b])
        gap_y = _gap(-footprints.top[a], -footprints.top[b], footprints.edge[a], footprints.edge[b])
        gap = np.maximum(gap_x, gap_y)
        equal = np.ones(len(a), np.bool_)
        for values in (footprints.left, footprints.top, footprints.edge):
            equal &= values[a] == values[b]
        kind = (footprints.tile[a] != footprints.tile[b]).astype(int)
        relation = np.where(equal, EQUAL, np.where(gap < 0, OVERLAP, TOUCH))
        met = gap <= 0
        found[kind[met], relation[met], a[met]] = True


def _gap(one: Ints, other: Ints, edge: Ints, other_edge: Ints) -> Ints:
    """How far two intervals lie apart; 0 where they touch, negative where they overlap."""
    gap: Ints = np.maximum(one, other) - np.minimum(one + edge, other + other_edge)
    return gap


def _near_pairs(footprints: Footprints, mine: Ints, theirs: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Pairs whose upper-left corners lie in the same or neighbouring cells of the longest edge."""
    size = int(max(footprints.edge[mine].max(), footprints.edge[theirs].max()))
    cells = [(footprints.left[i] // size, footprints.top[i] // size) for i in (mine, theirs)]
    (my_x, my_y), (x, y) = cells
    keys = x << 32 | y + (1 << 31)
    order = np.argsort(keys, kind="stable")
    keys, theirs = keys[order], theirs[order]
    for step_x in (-1, 0, 1):
        for step_y in (-1, 0, 1):
            wanted = my_x + step_x << 32 | my_y + step_y + (1 << 31)
            first, last = (np.searchsorted(keys, wanted, side) for side in ("left", "right"))
            yield from _expand(mine, theirs, first, last - first)


def _expand(mine: Ints, theirs: Ints, first: Ints, counts: Ints) -> Iterator[tuple[Ints, Ints]]:
    """The pairs of each of mine with `counts` of theirs, from `first` on."""
    places = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    yield np.repeat(mine, counts), theirs[places]


def _mark_other_crs(footprints: Footprints, mine: Ints, theirs: Ints, found: Found) -> None:
    here, there = (footprints.crs_names[footprints.crs[i[0]]] for i in (mine, theirs))
    boxes = footprints.corners(theirs)
    low, high = boxes.min(axis=(0, 1)) - TOLERANCE, boxes.max(axis=(0, 1)) + TOLERANCE
    transformer = Transformer.from_crs(here, there, always_xy=True)
    centres = footprints.corners(mine).mean(axis=1)
    reach = footprints.edge[mine].max() / _PER_METRE
    near = mine[_within(_transform(transformer, centres), low - reach, high + reach)]
    if not len(near):
        return
    moved = _transform(transformer, footprints.corners(near))
    reachable = _within(boxes.mean(axis=1), *_grown(moved, boxes))
    theirs, boxes = theirs[reachable], boxes[reachable]
    squares, shapes = (np.asarray(shapely.polygons(c), object) for c in (moved, boxes))
    tree = shapely.STRtree(shapes)
    a, b = tree.query(squares, predicate="dwithin", distance=TOLERANCE)
    kernels = np.asarray(shapely.buffer(squares, -TOLERANCE, join_style="mitre"), object)
    equal = np.abs(moved[a] - boxes[b]).max(axis=(1, 2), initial=0) <= TOLERANCE
    inside = shapely.intersects(kernels[a], shapes[b])
    relation = np.where(equal, EQUAL, np.where(inside, OVERLAP, TOUCH))
    found[KINDS.index("other_zone"), relation, near[a]] = True


def _transform(transformer: Transformer, points: Floats) -> Floats:
    return np.stack(transformer.transform(points[..., 0], points[..., 1]), axis=-1)


def _within(points: Floats, low: Floats, high: Floats) -> Mask:
    return np.asarray(((points >= low) & (points <= high)).all(axis=-1))


def _grown(corners: Floats, boxes: Floats) -> tuple[Floats, Floats]:
    """The extent of the corners, grown by an edge of the boxes."""
    reach = np.ptp(boxes[:, :, 0], axis=1).max() + TOLERANCE
    return corners.min(axis=(0, 1)) - reach, corners.max(axis=(0, 1)) + reach
