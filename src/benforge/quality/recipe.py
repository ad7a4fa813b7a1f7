"""Every threshold of a screening as a declared value, with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from benforge.errors import RecipeError

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Reflectance = Annotated[float, msgspec.Meta(ge=0, le=2)]
Index = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Code = Annotated[int, msgspec.Meta(ge=0, le=11)]
"""Of the scene classification of L2A."""


class ScreenRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How patches are screened. Reflectances are 0 to 1, of the surface (L2A).

    Sources: (D) Dozier 1989; (H) Hall, Riggs and Salomonson 1995; (K) Klein, Hall and Riggs 1998;
    (S) Sen2Cor's scene classification, Louis and others 2016 and ESA's L2A ATBD; (F) Fmask, Zhu
    and Woodcock 2012; (Z) Zhang, Guindon and Cihlar 2002; (M) McFeeters 1996; (o) our own choice,
    made by looking at real patches: see docs/screening.md.

    Args:
        snow_ndsi: least NDSI, (B03 - B11) / (B03 + B11), of snow: 0.4 (D, H).
        snow_ndsi_mixed: least NDSI of snow out of which crowns and roofs stick: lower than that of
            open snow, as in (K), chosen on simulated scenes (o).
        snow_swir: largest reflectance of such snow in B11, where cloud is bright (o).
        snow_nir: least reflectance of snow in B8A, which water stays below: 0.11 (H).
        snow_green: least reflectance of snow in B03: 0.1 (H, Fmask).
        cloud_red: least reflectance of cloud in B04: 0.07 (S, lower threshold of its first step).
        cloud_haze: least B02 - B04 / 2 of cloud, by which it differs from bright soil. The form
            is of (Z, F); F's 0.08 is for the top of the atmosphere, and 0.05 of the air below
            is gone in L2A (o).
        cloud_whiteness: largest mean distance of B02, B03 and B04 from their mean, relative to
            it: 0.7 (F).
        cloud_ndvi: largest NDVI of cloud: 0.8 (F).
        cloud_swir: least reflectance of cloud in B12: 0.03 (F).
        cloud_nir_to_swir: least B8A / B11 of cloud; rock and sand stay below: 0.75 (F).
        shadow_nir: largest reflectance in B8A of ground in shadow (o).
        shadow_nir_least: least reflectance in B8A of ground in shadow; brown lakes, which have no
            NDWI of water, stay below (o).
        shadow_swir: largest reflectance in B11 of ground in shadow (o).
        shadow_ndwi: largest NDWI, (B03 - B8A) / (B03 + B8A), of ground in shadow; open water lies
            above: 0 (M).
        shadow_cloud: share of a scene's pixels that must be cloud for it to have shadows (o).
        shadow_reach: km that a shadow lies from its cloud at most: (F) looks for clouds up to
            12 km high (o).
        shadow_contrast: how much darker than the rest the ground below moved clouds must be for
            their shadows to be found, a difference of natural logarithms of B8A (o).
        shadow_darkness: largest reflectance in B8A of a found shadow, of the median of the
            scene's ground (o).
        shadow_snow: likewise of the median of the scene's snow (o).
        classes_cloud: numbers of the scene classification that are cloud: medium and high
            probability, thin cirrus (S).
        classes_shadow: likewise cloud shadow.
        classes_snow: likewise snow or ice.
        classes_nodata: likewise no data.
        minimum_snow: share of a patch from which its snow is proposed; crowns of trees stick out
            of snow (o).
        minimum_cloud: share of cloud and shadow together, likewise; thin edges and half shade are
            seen less than they are (o).
        use_classification: whether the scene classification is used where a scene has one.
    """

    snow_ndsi: Index = 0.4
    snow_ndsi_mixed: Index = 0.3
    snow_swir: Reflectance = 0.14
    snow_nir: Reflectance = 0.11
    snow_green: Reflectance = 0.1
    cloud_red: Reflectance = 0.07
    cloud_haze: Reflectance = 0.05
    cloud_whiteness: Annotated[float, msgspec.Meta(ge=0)] = 0.7
    cloud_ndvi: Index = 0.8
    cloud_swir: Reflectance = 0.03
    cloud_nir_to_swir: Annotated[float, msgspec.Meta(ge=0)] = 0.75
    shadow_nir: Reflectance = 0.12
    shadow_nir_least: Reflectance = 0.04
    shadow_swir: Reflectance = 0.06
    shadow_ndwi: Index = 0.0
    shadow_cloud: Share = 0.001
    shadow_reach: Annotated[int, msgspec.Meta(ge=1, le=50)] = 12
    shadow_contrast: Annotated[float, msgspec.Meta(ge=0)] = 0.2
    shadow_darkness: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.3
    shadow_snow: Annotated[float, msgspec.Meta(gt=0, le=10)] = 0.75
    classes_cloud: tuple[Code, ...] = (8, 9, 10)
    classes_shadow: tuple[Code, ...] = (3,)
    classes_snow: tuple[Code, ...] = (11,)
    classes_nodata: tuple[Code, ...] = (0,)
    minimum_snow: Share = 0.5
    minimum_cloud: Share = 0.5
    use_classification: bool = True

    def __post_init__(self) -> None:
        lists = (
            self.classes_cloud,
            self.classes_shadow,
            self.classes_snow,
            self.classes_nodata,
        )
        codes = [code for each in lists for code in each]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"class {twice[0]} is named twice, and a pixel is only one thing")


def change_screening(recipe: ScreenRecipe, changes: Mapping[str, Any]) -> ScreenRecipe:
    """A recipe with other values.

    Raises:
        RecipeError: an unknown name, or a value of the wrong kind or range.
    """
    try:
        return msgspec.convert({**msgspec.to_builtins(recipe), **changes}, ScreenRecipe)
    except msgspec.ValidationError as error:
        raise RecipeError(str(error), where="screen", do="See docs/screening.md") from error
