"""Exact shares of classes in square patches, as sums over edges (Green's theorem)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benforge.errors import LandCoverError
from benforge.labels.edges import Edges, repeated

SMALLEST_SHARE = 1e-9
"""A share below this, 14 cm2 of a BigEarthNet patch, is the rounding of float64 and becomes 0."""

SLIVERS = 1e-3
"""Share of a patch, 1,440 m2 of BigEarthNet's, that polygons may cover twice by carelessness."""


def sum_areas(
    edges: Edges,
    class_of: npt.NDArray[np.int64],
    shape: tuple[int, int, int],
    patch_pixels: int,
) -> npt.NDArray[np.float64]:
    """The area of each class in each patch.

    An edge that runs downward by h adds h x (what lies to its right in its patch), and h in
    every patch further right; an upward edge takes the same away.

    Args:
        edges: in pixels.
        class_of: `owner`, the class number of each owner.
        shape: classes, rows of patches, columns of patches.
        patch_pixels: pixels along the edge of a patch.

    Returns:
        `class row col`, in patches: 1 is a whole patch. Exact to about 1e-12.
    """
    size = int(np.prod(shape))
    within, beyond = np.zeros(size), np.zeros(size)
    for chunk in edges.chunks():
        pieces = _cut_at_patches(chunk, shape[1:], patch_pixels)
        column, row = (pieces.start + pieces.end) / 2
        column = np.maximum(column, 0)
        in_patch = column - np.floor(column)
        cell = np.ravel_multi_index(
            (class_of[pieces.owner], row.astype(np.int64), column.astype(np.int64)), shape
        )
        height = pieces.end[1] - pieces.start[1]
        within += np.bincount(cell, height * (1 - in_patch), minlength=size)
        beyond += np.bincount(cell, height, minlength=size)
    areas = within.reshape(shape)
    areas[:, :, 1:] += np.cumsum(beyond.reshape(shape), axis=2)[:, :, :-1]
    return areas


def _cut_at_patches(edges: Edges, rows_cols: tuple[int, int], patch_pixels: int) -> Edges:
    """The edges in units of patches, cut at the borders; those that touch no sum are left out."""
    rows, cols = rows_cols
    edges = Edges(edges.start / patch_pixels, edges.end / patch_pixels, edges.owner)
    crosses = (np.floor(edges.start) != np.floor(edges.end)).any(axis=0)
    cut = _cut_at_integers(edges.take(crosses), axis=1, last=rows)
    cut = _cut_at_integers(cut, axis=0, last=cols)
    pieces = _joined(edges.take(~crosses), cut)
    column, row = pieces.start + pieces.end
    return pieces.take((row >= 0) & (row < 2 * rows) & (column < 2 * cols))


def _joined(some: Edges, others: Edges) -> Edges:
    return Edges(
        np.concatenate([some.start, others.start], axis=1),
        np.concatenate([some.end, others.end], axis=1),
        np.concatenate([some.owner, others.owner]),
    )


def _cut_at_integers(edges: Edges, axis: int, last: int) -> Edges:
    """The edges, cut wherever they cross one of the lines 0, 1 … `last` of an axis."""
    start, end = edges.start[axis], edges.end[axis]
    low, high = np.minimum(start, end), np.maximum(start, end)
    first_line = np.clip(np.floor(low) + 1, 0, last + 1)
    lines = np.clip(np.ceil(high), 0, last + 1) - first_line
    crossing = lines > 0
    if not crossing.any():
        return edges
    pieces = _pieces(
        edges.take(crossing), axis, first_line[crossing], lines[crossing].astype(np.int64)
    )
    return _joined(edges.take(~crossing), pieces)


def _pieces(
    edges: Edges, axis: int, first_line: npt.NDArray[np.float64], lines: npt.NDArray[np.int64]
) -> Edges:
    """Edges that cross `lines` consecutive integer lines each, as the pieces between them."""
    edge, piece = repeated(lines + 1)
    start, end = edges.start[:, edge], edges.end[:, edge]
    forward = end[axis] > start[axis]
    # The cut at a piece's start; pieces of a backward edge meet the lines from the last on.
    line = first_line[edge] + np.where(forward, piece - 1, lines[edge] - piece)
    share = (line - start[axis]) / (end[axis] - start[axis])
    cuts = start + (end - start) * share
    cuts[axis] = line
    is_first = piece == 0
    starts = np.where(is_first, start, cuts)
    ends = np.roll(starts, -1, axis=1)
    is_last = piece == lines[edge]
    return Edges(starts, np.where(is_last, end, ends), edges.owner[edge])


def to_shares(areas: npt.NDArray[np.float64], where: str) -> npt.NDArray[np.float64]:
    """Areas as shares: rounding removed, and proof that no ground is covered twice.

    Slivers that neighbours both claim, up to `SLIVERS` of a patch, are shared out in proportion:
    real maps have a few.

    Args:
        areas: `class row col`, in patches.
        where: the map's name, for the error.

    Returns:
        `patch class`, row by row.

    Raises:
        LandCoverError: the shares of a patch sum to more than 1 + `SLIVERS`. (An overlap in a
            patch that has as large a gap is not seen.)
    """
    classes = len(areas)
    areas = np.where(areas < SMALLEST_SHARE, 0.0, areas)
    total = areas.sum(axis=0)
    if (total > 1 + SLIVERS).any():
        row, col = np.unravel_index(int(total.argmax()), total.shape)
        raise LandCoverError(
            f"its polygons overlap: in the patch at column {col}, row {row} "
            f"they cover {total.max():.4%} of the ground",
            where=where,
            do="Remove the overlaps, so that each place has one class",
        )
    areas /= np.maximum(total, 1)
    return np.ascontiguousarray(areas.reshape(classes, -1).T)
