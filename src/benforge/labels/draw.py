"""Edges to labels of a tile: shares and reference map, whatever kind of map they come from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from benforge.core.fractions import FractionTable
from benforge.core.grid import Grid
from benforge.errors import GridError, LandCoverError
from benforge.labels.edges import Edges
from benforge.labels.port import TileLabels
from benforge.labels.reference_map import Canvas
from benforge.labels.shares import sum_areas, to_shares


def draw_labels(
    batches: Iterable[Edges],
    class_of: npt.NDArray[np.int64],
    codes: tuple[int, ...],
    grid: Grid,
    patch_pixels: int,
    *,
    where: str,
    repaired: int = 0,
) -> TileLabels:
    """Exact shares and the reference map of a tile.

    Args:
        batches: the map's edges in pixels of `grid`; gone through twice where polygons overlap.
        class_of: `owner`, the position in `codes` of each owner's class.
        codes: the class codes, ascending: the label axis.
        grid: ground of whole patches.
        patch_pixels: pixels along the edge of a patch.
        where: the map's name, for errors.
        repaired: polygons that were repaired, handed on.

    Raises:
        GridError: the grid is not a whole number of patches.
        LandCoverError: no class lies in the grid, or polygons overlap.
    """
    rows, cols = _patches_of(grid, patch_pixels)
    areas = np.zeros((len(codes), rows, cols))
    canvas = Canvas(grid.shape, len(codes))
    for edges in batches:
        areas += sum_areas(edges, class_of, areas.shape, patch_pixels)
        canvas.mark(edges, class_of)
    shares = to_shares(areas, where)
    if not shares.any():
        raise LandCoverError(
            "the map does not cover the tile", where=where, do="Use a map of this region"
        )
    canvas.sum_rows()
    canvas.settle_overlaps(batches, class_of)
    pixels = canvas.count(patch_pixels)
    fractions = FractionTable(codes, shares, pixels, patch_pixels**2)
    return TileLabels(fractions, canvas.to_codes(codes), repaired)


def _patches_of(grid: Grid, patch_pixels: int) -> tuple[int, int]:
    """Rows and columns of patches."""
    if grid.height % patch_pixels or grid.width % patch_pixels:
        raise GridError(
            f"{grid.height} x {grid.width} pixels are not a whole number of patches "
            f"of {patch_pixels} x {patch_pixels}"
        )
    return grid.height // patch_pixels, grid.width // patch_pixels
