"""Shares to labels: which classes of a patch count, and which patches are kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benforge.core.fractions import FractionTable
from benforge.core.nomenclature import Crosswalk
from benforge.labels.recipe import LabelRecipe


def label_patches(
    fractions: FractionTable, recipe: LabelRecipe, crosswalk: Crosswalk
) -> npt.NDArray[np.bool_]:
    """The labels of patches under a recipe's policy.

    Args:
        fractions: shares and pixels in the crosswalk's source nomenclature.
        recipe: names the policy.
        crosswalk: to the nomenclature of the labels.

    Returns:
        `patch label`, multi-hot, in the target's order; a row may be empty.
    """
    merged = fractions.through(crosswalk)
    match recipe.policy:
        case "presence":
            return merged.shares > 0
        case "pixel-centre":
            return merged.pixels > 0
        case "minimum-share":
            return merged.shares >= recipe.minimum_share


def unlabelled(
    fractions: FractionTable, recipe: LabelRecipe, crosswalk: Crosswalk
) -> npt.NDArray[np.float64]:
    """`patch`: the share that has no class: gaps of the map, and classes that are dropped.

    Counted in pixels under the policy "pixel-centre" (fidelity rule 14), else by exact area.
    """
    merged = fractions.through(crosswalk)
    if recipe.policy == "pixel-centre":
        empty: npt.NDArray[np.float64] = 1 - merged.pixels.sum(axis=1) / merged.patch_pixels
        return empty
    return merged.gaps


def keep_patches(
    fractions: FractionTable, recipe: LabelRecipe, crosswalk: Crosswalk
) -> npt.NDArray[np.bool_]:
    """`patch`: whether the unlabelled share is below the recipe's `max_unlabelled`."""
    return unlabelled(fractions, recipe, crosswalk) < recipe.max_unlabelled
