"""Which windows of a scene a map asks about, and the ground that each stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.errors import GridError, InputError

CELL = 60
"""Metres of the coarsest pixels: windows begin and end between them."""

Shares = npt.NDArray[np.float32]
Corners = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MapPlan:
    """The windows of one tile, row by row from its upper-left corner.

    At a stride of one patch these are the patches of an archive.

    Args:
        tile: ground of the scene in the finest pixels.
        edge: of a window, in these pixels.
        stride: from one window to the next, likewise.
        rows: of windows.
        columns: of windows.
    """

    tile: Grid
    edge: int
    stride: int
    rows: int
    columns: int

    def __len__(self) -> int:
        return self.rows * self.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        return self.rows, self.columns

    @property
    def grid(self) -> Grid:
        """The map: a pixel of one stride around the middle of each window."""
        pixel, margin = self.tile.pixel_size, (self.edge - self.stride) / 2
        left, top = self.tile.ulx + margin * pixel, self.tile.uly - margin * pixel
        return Grid(self.tile.crs, left, top, self.stride * pixel, self.rows, self.columns)

    @property
    def corners(self) -> Corners:
        """`window 2`: row and column of the upper-left pixel of each window."""
        rows, columns = np.divmod(np.arange(len(self), dtype=np.int64), self.columns)
        return np.stack([rows, columns], axis=1) * self.stride

    def window_shares(self, cells: npt.NDArray[np.integer[Any]], most: int = 1) -> Shares:
        """What share of each window is counted in cells of 60 m.

        Args:
            cells: `row col` of the whole tile, 0 to `most`.
            most: what a cell can count.

        Returns:
            One value a window, row by row.
        """
        per = int(CELL // self.tile.pixel_size)
        edge, step = self.edge // per, self.stride // per
        sums = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), np.int64)
        sums[1:, 1:] = cells.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
        top, left = (slice(0, (n - 1) * step + 1, step) for n in self.shape)
        low, right = (slice(edge, edge + (n - 1) * step + 1, step) for n in self.shape)
        whole = sums[low, right] - sums[top, right] - sums[low, left] + sums[top, left]
        return np.asarray(whole / (most * edge**2), np.float32).ravel()


def plan_map(tile: Grid, edge: int, stride: int | None = None) -> MapPlan:
    """The windows of a tile: 91 x 91 of a full one at a stride of 120 pixels.

    Args:
        tile: its ground in the finest pixels.
        edge: of a window, in these pixels.
        stride: likewise; None for that of patches.

    Raises:
        InputError: a stride that is no multiple of 60 m, or leaves ground between windows.
        GridError: the tile is smaller than a window.
    """
    per = int(CELL // tile.pixel_size)
    stride = edge if stride is None else stride
    if stride % per or not per <= stride <= edge or edge % per:
        raise InputError(
            f"a stride of {stride} pixels",
            do=f"Give a multiple of {per} (60 m) from {per} to {edge}, the edge of a patch",
        )
    rows, columns = ((n - edge) // stride + 1 for n in tile.shape)
    if rows < 1 or columns < 1:
        raise GridError(
            f"a tile of {tile.height} x {tile.width} pixels holds no patch of {edge} x {edge}"
        )
    return MapPlan(tile, edge, stride, rows, columns)
