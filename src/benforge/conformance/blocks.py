"""The 2 x 2 blocks of v1's split (fidelity 22)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.conformance.fact import Found, every

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

EDGE = 2
"""Cells along the edge of a block."""
FULL, MIXED, SMALL = 4, 3, 2


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """How many cells of each block are in use, and how many of them are of each part.

    Args:
        cells: block: cells in use, 1 to 4.
        parts: `block part`: cells of train, validation and test.
        excused: block: cells that are in no part and need not be.
        shared: cell: whether all its dates are of one part.
    """

    cells: Ints
    parts: Ints
    excused: Ints
    shared: Mask

    @classmethod
    def of(cls, tile: Ints, column: Ints, row: Ints, part: Ints, excused: Mask) -> Blocks:
        """The blocks of some patches.

        Args:
            tile: patch: number of its tile.
            column: patch: below 1000.
            row: patch: likewise.
            part: patch: 0 train, 1 validation, 2 test; -1 in none.
            excused: patch: whether it need not be in one, having no label of the 19 classes.
        """
        place = (tile * 1000 + column) * 1000 + row
        cells, cell = np.unique(place, return_inverse=True)
        has = np.zeros((len(cells), 3), np.bool_)
        has[cell[part >= 0], part[part >= 0]] = True
        block = (cells // 1000 // EDGE * EDGE) * 1000 + cells % 1000 // EDGE * EDGE
        blocks, which = np.unique(block, return_inverse=True)
        parts = np.zeros((len(blocks), 3), np.int64)
        np.add.at(parts, which, has)
        in_use = np.bincount(which, minlength=len(blocks)).astype(np.int64)
        dates = has.sum(axis=1)
        asked = np.bincount(cell[~excused], minlength=len(cells)) > 0
        spared = np.bincount(which[(dates == 0) & ~asked], minlength=len(blocks)).astype(np.int64)
        return cls(in_use, parts, spared, dates <= 1)

    def hold_full(self) -> Found:
        """Whether every block of four cells is 2 train, 1 validation, 1 test.

        Cells that are excused may have been any; no other may lack a part.
        """
        return every(self._fit(self.cells == FULL, (2, 1, 1)))

    def hold_others(self) -> Found:
        """Whether every block of three cells is 2 train and 1 test, and smaller ones train."""
        three, few = self.cells == MIXED, self.cells <= SMALL
        fits = (self._fit(three, (2, 0, 1)), self._fit(few, (2, 0, 0)))
        return every(np.concatenate(fits))

    def _fit(self, asked: Mask, most: tuple[int, int, int]) -> Mask:
        """Block asked: whether no part has more cells than the rule gives, and no cell is lost."""
        parts, cells = self.parts[asked], self.cells[asked]
        whole = parts.sum(axis=1) + self.excused[asked] == cells
        return np.asarray((parts <= np.array(most)).all(axis=1) & whole, np.bool_)
