"""Snow, cloud, cloud shadow and no data, as the scene classification (SCL) of L2A has them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benforge.quality.pixels import CLOUD, NODATA, SHADOW, SNOW, Kinds
from benforge.quality.recipe import ScreenRecipe


def classify_codes(codes: npt.NDArray[np.uint8], recipe: ScreenRecipe) -> Kinds:
    """What each pixel is, in the shape of `codes`: clear where the recipe lists its code nowhere.

    Args:
        codes: numbers of the scene classification.
        recipe: which of them are what.
    """
    kinds = np.zeros(256, np.uint8)
    kinds[list(recipe.classes_snow)] = SNOW
    kinds[list(recipe.classes_cloud)] = CLOUD
    kinds[list(recipe.classes_shadow)] = SHADOW
    kinds[list(recipe.classes_nodata)] = NODATA
    return kinds[codes]
