"""The reference map: the class at the centre of every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from benforge.labels.edges import Edges, repeated
from benforge.labels.port import GAP

STRIP = 120
"""Rows that are worked on at once."""


class Canvas:
    """Pixels that edges are marked on, then summed along the rows into the classes' marks.

    A pixel belongs to a polygon if its centre lies inside; a centre on a left edge lies outside,
    on a right edge inside, as GDAL has it.

    A downward edge adds its class's mark where it crosses a row, an upward edge takes it away.
    With n classes the marks are n to 2n - 1: the sum of two is none of them, so overlaps show.

    Args:
        shape: rows and columns of pixels.
        classes: how many classes there are.
    """

    def __init__(self, shape: tuple[int, int], classes: int) -> None:
        self._marks = np.zeros(shape, dtype=np.uint16)
        self._classes = classes

    def mark(self, edges: Edges, class_of: npt.NDArray[np.int64]) -> None:
        """Mark where edges cross the lines through the pixels' centres.

        Args:
            edges: in pixels.
            class_of: `owner`, the class number of each owner.
        """
        flat = self._marks.reshape(-1)
        for chunk in edges.chunks():
            row, col, sign, owner = _crossings(chunk, self._marks.shape)
            # Marks wrap round at 65,536, and back again as each downward edge has its upward one.
            marks = (sign * (class_of[owner] + self._classes)).astype(np.uint16)
            np.add.at(flat, row * self._marks.shape[1] + col, marks)

    def sum_rows(self) -> None:
        """Turn what edges marked into the mark of every pixel; once, after the last edge."""
        for rows in self._strips():
            np.cumsum(rows, axis=1, dtype=np.uint16, out=rows)

    def settle_overlaps(self, batches: Iterable[Edges], class_of: npt.NDArray[np.int64]) -> None:
        """Give pixels that several polygons cover to the last of these, as GDAL does."""
        doubled = [
            (top + int(row), int(col))
            for top, strip in zip(self._tops(), self._strips(), strict=True)
            if strip.max() >= 2 * self._classes
            for row, col in np.argwhere(strip >= 2 * self._classes)
        ]
        if not doubled:
            return
        last = _last_owners(batches, doubled, self._marks.shape)
        for (row, col), owner in zip(doubled, last, strict=True):
            self._marks[row, col] = class_of[owner] + self._classes

    def count(self, patch_pixels: int) -> npt.NDArray[np.int32]:
        """`patch class`: pixels of each class in each patch, row by row."""
        height, width = self._marks.shape
        patches, kinds = width // patch_pixels, 2 * self._classes
        offset = np.repeat(np.arange(patches) * kinds, patch_pixels)
        counts = [
            np.bincount(
                (self._marks[top : top + patch_pixels] + offset).reshape(-1),
                minlength=patches * kinds,
            )
            for top in range(0, height, patch_pixels)
        ]
        by_kind = np.concatenate(counts).reshape(-1, kinds)
        return by_kind[:, self._classes :].astype(np.int32)

    def to_codes(self, codes: tuple[int, ...]) -> npt.NDArray[np.uint16]:
        """`row col`: the code of every pixel, `GAP` where there is none. Uses up the canvas."""
        code_of = np.full(2 * self._classes, GAP, dtype=np.uint16)
        code_of[self._classes :] = codes
        for rows in self._strips():
            rows[...] = code_of[rows]
        return self._marks

    def _tops(self) -> range:
        return range(0, len(self._marks), STRIP)

    def _strips(self) -> Iterator[npt.NDArray[np.uint16]]:
        """Views of some rows each, so that what is made of them stays small."""
        return (self._marks[top : top + STRIP] for top in self._tops())


def _last_owners(
    batches: Iterable[Edges], pixels: list[tuple[int, int]], shape: tuple[int, int]
) -> list[int]:
    """The highest owner that covers each pixel."""
    rows = sorted({row for row, _ in pixels})
    found = [_crossings_in(edges, rows, shape) for edges in batches]
    row, col, sign, owner = (np.concatenate(part) for part in zip(*found, strict=True))
    last = []
    for at_row, at_col in pixels:
        left = (row == at_row) & (col <= at_col)
        inside = np.bincount(owner[left], sign[left]) > 0
        last.append(int(np.flatnonzero(inside)[-1]))
    return last


def _crossings_in(
    edges: Edges, rows: list[int], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], ...]:
    """The crossings in some rows only."""
    found = [_crossings(chunk, shape) for chunk in edges.chunks()]
    kept = [tuple(part[np.isin(one[0], rows)] for part in one) for one in found]
    return tuple(np.concatenate(part) for part in zip(*kept, strict=True))


def _crossings(edges: Edges, shape: tuple[int, int]) -> tuple[npt.NDArray[np.int64], ...]:
    """Where edges cross the lines through the centres of rows of pixels.

    Returns:
        Row, first column whose centre lies to the right, +1 for downward and -1 for upward,
        and owner of each crossing; without those outside the rows or right of the last column.
    """
    is_down = edges.end[1] > edges.start[1]
    upper = np.where(is_down, edges.start, edges.end)
    lower = np.where(is_down, edges.end, edges.start)
    first = np.clip(np.ceil(upper[1] - 0.5), 0, shape[0]).astype(np.int64)
    beyond = np.clip(np.ceil(lower[1] - 0.5), 0, shape[0]).astype(np.int64)
    edge, step = repeated(beyond - first)
    row = first[edge] + step
    slope = (lower[0] - upper[0])[edge] / (lower[1] - upper[1])[edge]
    crossing = upper[0][edge] + (row + 0.5 - upper[1][edge]) * slope
    col = np.floor(np.maximum(crossing, 0) + 0.5).astype(np.int64)
    inside = col < shape[1]
    sign = np.where(is_down[edge], 1, -1)
    return row[inside], col[inside], sign[inside], edges.owner[edge][inside]
