"""What every land-cover source gives: the port between a map's format and the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benforge.core.fractions import FractionTable
from benforge.core.grid import Grid

GAP = 999
"""Code of reference-map pixels that no polygon covers, as in BigEarthNet v2."""


@dataclass(frozen=True, slots=True, eq=False)
class TileLabels:
    """Land cover of one tile.

    Args:
        fractions: one row a patch, row by row from the upper-left (`row * columns + column`);
            codes of `clc-44`, or of the source's own nomenclature.
        reference_map: `row col`, uint16, the class code at each pixel centre, `GAP` where none.
        repaired: invalid polygons that were repaired on the way.
    """

    fractions: FractionTable
    reference_map: npt.NDArray[np.uint16]
    repaired: int


class LandCoverSource(Protocol):
    """A land-cover map, opened and checked: codes known, CRS known."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """JSON-able, the same on every machine: name, kind, crs, code field, sha256; no path."""
        ...

    def read_labels(self, grid: Grid, patch_pixels: int) -> TileLabels:
        """Land cover of a tile.

        Args:
            grid: ground of whole patches, 10 m pixels (10,920 x 10,920 for a full tile).
            patch_pixels: pixels along the edge of a patch (120).

        Raises:
            LandCoverError: the map does not reach into the grid, or holds unknown codes.
        """
        ...
