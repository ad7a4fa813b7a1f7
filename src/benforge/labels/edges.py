"""Land cover as directed edges: shares and the reference map are sums over them.

No polygon is ever clipped. Columns count to the right and rows downward, in pixels; every edge
runs so that its owner lies on the same side: the left side of a polygon, of a hole's surround
and of a raster cell runs downward, the right side upward.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from benforge.labels.projection import Points, ToGrid

CHUNK = 1 << 16
"""Edges that are worked on at once: what fits a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Directed edges with their owners.

    Args:
        start: `axis edge`, column then row.
        end: `axis edge`, likewise.
        owner: `edge`, number of the polygon; for a raster, of the class.
    """

    start: Points
    end: Points
    owner: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, edges: npt.NDArray[np.bool_] | slice) -> Edges:
        """Some of the edges."""
        return Edges(self.start[:, edges], self.end[:, edges], self.owner[edges])

    def chunks(self) -> Iterator[Edges]:
        """All edges, some at a time."""
        for first in range(0, len(self), CHUNK):
            yield self.take(slice(first, first + CHUNK))


def repeated(counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each position as often as its count says, and beside it 0, 1, 2 … within the position."""
    position = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return position, np.arange(len(position)) - first[position]


def polygon_edges(polygons: npt.NDArray[np.object_], to_grid: ToGrid) -> Edges:
    """The edges of valid polygons and multipolygons; the owner is the position in `polygons`.

    Raises:
        LandCoverError: coordinates that lie outside their CRS.
    """
    parts, of_polygon = shapely.get_parts(polygons, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    is_hole = np.diff(of_part, prepend=-1) == 0
    edges = split_long(_ring_edges(rings), to_grid.longest_edge)
    edges = _directed(_project_rings(edges, to_grid), is_hole)
    return Edges(edges.start, edges.end, of_polygon[of_part][edges.owner])


def _ring_edges(rings: npt.NDArray[np.object_]) -> Edges:
    """From each point of a ring to the next; the owner is the ring."""
    points, ring = shapely.get_coordinates(rings, return_index=True)
    within = ring[1:] == ring[:-1]
    points = np.ascontiguousarray(points.T)
    return Edges(points[:, :-1][:, within], points[:, 1:][:, within], ring[1:][within])


def split_long(edges: Edges, longest: float) -> Edges:
    """The same lines in edges of at most `longest`, pieces of equal length in place."""
    length = np.hypot(*(edges.end - edges.start))
    if length.max(initial=0) <= longest:
        return edges
    pieces = np.maximum(1, np.ceil(length / longest)).astype(np.int64)
    edge, piece = repeated(pieces)
    start, end, count = edges.start[:, edge], edges.end[:, edge], pieces[edge]
    return Edges(
        _between(start, end, piece / count),
        _between(start, end, (piece + 1) / count),
        edges.owner[edge],
    )


def _between(start: Points, end: Points, share: npt.NDArray[np.float64]) -> Points:
    """Points on lines; exactly `start` and `end` at shares 0 and 1."""
    return start * (1 - share) + end * share


def _project_rings(edges: Edges, to_grid: ToGrid) -> Edges:
    """The edges in pixels: an edge starts where the one before it in the ring ends."""
    closing = np.ones(len(edges), dtype=np.bool_)
    closing[:-1] = edges.owner[1:] != edges.owner[:-1]
    start = to_grid(edges.start)
    end = np.roll(start, -1, axis=1)
    end[:, closing] = start[:, np.roll(closing, 1)]
    return Edges(start, end, edges.owner)


def _directed(edges: Edges, is_hole: npt.NDArray[np.bool_]) -> Edges:
    """The edges of rings, turned where they run the wrong way."""
    doubled_areas = np.bincount(
        edges.owner,
        edges.start[0] * edges.end[1] - edges.end[0] * edges.start[1],
        minlength=len(is_hole),
    )
    turn = ((doubled_areas > 0) ^ is_hole)[edges.owner]
    start = np.where(turn, edges.end, edges.start)
    return Edges(start, np.where(turn, edges.start, edges.end), edges.owner)
