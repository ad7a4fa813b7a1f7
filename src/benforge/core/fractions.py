"""Land-cover shares: of one patch, and of all patches of a tile at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benforge.core.nomenclature import Crosswalk
from benforge.errors import InputError

ROUNDING = 1e-6
"""How far above 1 the shares of one patch may sum: polygons are clipped in float64."""


@dataclass(frozen=True, slots=True)
class LabelFractions:
    """The share of each land-cover class in one patch.

    Args:
        shares: class code to share of the patch's area, each in (0, 1]; what is missing to 1
            is not covered by the map.

    Raises:
        InputError: a share outside (0, 1], or shares that sum to more than 1.
    """

    shares: Mapping[int, float]

    def __post_init__(self) -> None:
        wrong = {
            code: share for code, share in self.shares.items() if not 0 < share <= 1 + ROUNDING
        }
        if wrong or sum(self.shares.values()) > 1 + ROUNDING:
            raise InputError(f"shares are above 0 and sum to at most 1, not {dict(self.shares)}")

    @property
    def gap(self) -> float:
        """The share of the patch that the map does not cover."""
        return max(0.0, 1.0 - sum(self.shares.values()))

    def through(self, crosswalk: Crosswalk) -> LabelFractions:
        """The shares in another nomenclature; dropped classes become gap."""
        merged: dict[int, float] = {}
        for code, share in self.shares.items():
            target = crosswalk(code)
            if target is not None:
                merged[target] = merged.get(target, 0.0) + share
        return LabelFractions(merged)


@dataclass(frozen=True, slots=True, eq=False)
class FractionTable:
    """Shares and pixel counts of many patches that have the same nomenclature.

    Args:
        codes: class codes, ascending: the label axis.
        shares: `patch label`, float64, share of the patch's area, exact.
        pixels: `patch label`, int32, pixels of the reference map whose centre lies in the class.
        patch_pixels: reference-map pixels of one patch, 14,400 for BigEarthNet.

    Raises:
        InputError: shapes that differ.
    """

    codes: tuple[int, ...]
    shares: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.int32]
    patch_pixels: int

    def __post_init__(self) -> None:
        if self.shares.shape != self.pixels.shape or self.shares.shape[1:] != (len(self.codes),):
            raise InputError(
                f"{len(self.codes)} codes, shares {self.shares.shape} and pixels "
                f"{self.pixels.shape} do not fit"
            )

    def __len__(self) -> int:
        return len(self.shares)

    def __getitem__(self, patch: int) -> LabelFractions:
        """The shares of one patch, classes that do not occur left out."""
        row = self.shares[patch]
        return LabelFractions({c: float(s) for c, s in zip(self.codes, row, strict=True) if s > 0})

    @property
    def gaps(self) -> npt.NDArray[np.float64]:
        """`patch`: the share that the map does not cover."""
        gaps: npt.NDArray[np.float64] = np.maximum(0.0, 1.0 - self.shares.sum(axis=1))
        return gaps

    def take(self, patches: npt.NDArray[np.intp]) -> FractionTable:
        """The same table for some patches, in the order given."""
        return FractionTable(
            self.codes, self.shares[patches], self.pixels[patches], self.patch_pixels
        )

    def through(self, crosswalk: Crosswalk) -> FractionTable:
        """The same patches in another nomenclature; dropped classes become gap.

        Every target class has a column, in the target's order.
        """
        targets = crosswalk.target.codes
        merge = np.zeros((len(self.codes), len(targets)))
        for row, code in enumerate(self.codes):
            target = crosswalk(code)
            if target is not None:
                merge[row, targets.index(target)] = 1
        pixels = self.pixels @ merge.astype(np.int32)
        return FractionTable(targets, self.shares @ merge, pixels, self.patch_pixels)
