"""The edges of the cells of a raster of classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benforge.labels.edges import Edges, split_long
from benforge.labels.projection import Points, ToGrid

Classes = npt.NDArray[np.int64]
"""Class numbers, -1 where there is none."""


def cell_edges(classes: Classes, transform: tuple[float, ...], to_grid: ToGrid) -> Edges:
    """The edges between unlike cells; the owner is the class. Each line is projected once.

    Args:
        classes: `row col`.
        transform: affine coefficients a b c d e f of the upper-left cell's corner.
        to_grid: from the raster's CRS.

    Raises:
        LandCoverError: coordinates that lie outside their CRS.
    """
    a, b, c, d, e, f = transform
    start, end, ahead, behind = _lines(np.pad(classes, 1, constant_values=-1))
    start, end = (
        np.stack([a * col + b * row + c, d * col + e * row + f]) for col, row in (start, end)
    )
    pieces = split_long(Edges(start, end, np.arange(len(ahead))), to_grid.longest_edge)
    start, end = to_grid(pieces.start), to_grid(pieces.end)
    is_mirrored = a * e - b * d > 0
    sides = (behind, ahead) if is_mirrored else (ahead, behind)
    both = Edges(
        np.concatenate([start, end], axis=1),
        np.concatenate([end, start], axis=1),
        np.concatenate([side[pieces.owner] for side in sides]),
    )
    return both.take(both.owner >= 0)


def _lines(padded: Classes) -> tuple[Points, Points, Classes, Classes]:
    """Lines of one cell's length between unlike cells, in cells from the corner.

    Args:
        padded: the classes with a margin of one cell.

    Returns:
        Where they start and end; the classes that they run round as `Edges` do (the cell right
        of a downward line, above a rightward one); the classes on the other side.
    """
    left, right = padded[1:-1, :-1], padded[1:-1, 1:]
    above, below = padded[:-1, 1:-1], padded[1:, 1:-1]
    upright, level = np.nonzero(left != right), np.nonzero(above != below)
    start = np.concatenate([upright, level], axis=1)[::-1].astype(np.float64)
    end = start.copy()
    end[1, : len(upright[0])] += 1
    end[0, len(upright[0]) :] += 1
    ahead = np.concatenate([right[upright], above[level]])
    return start, end, ahead, np.concatenate([left[upright], below[level]])
