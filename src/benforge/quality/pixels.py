"""Snow, cloud and cloud shadow in the bands of patches, pixel by pixel at 20 m.

Indices and thresholds of the literature, which `ScreenRecipe` names with their sources. What
tells cloud from snow is the short-wave infrared, where snow is dark; what tells it from bright
soil is the blue.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benforge.core.sensor import Sensor
from benforge.quality.recipe import ScreenRecipe

PIXEL_SIZE = 20
"""Metres, of the pixels that are told apart; patches are whole numbers of 60 m, so of these."""

CELL = 3
"""Pixels of 20 m along the edge of a cell, in which shadows are looked for."""

CLEAR, SNOW, CLOUD, SHADOW, NODATA = 0, 1, 2, 3, 4
"""What a pixel may be; only one of them."""

BANDS = ("B02", "B03", "B04", "B8A", "B11", "B12")
"""The bands that are looked at."""

Pixels = Mapping[int, npt.NDArray[np.uint16]]
"""Pixel size (m) to `patch band row col`, all bands of that size, as stored."""
Floats = npt.NDArray[np.float32]
Kinds = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def classify_pixels(pixels: Pixels, sensor: Sensor, recipe: ScreenRecipe) -> Kinds:
    """What each pixel of 20 m is, `patch row col`: clear, snow, cloud, shadow or no data.

    A pixel that is 0 in every band looked at has no data. Snow goes before cloud, cloud before
    shadow. Shadow is dark ground; `shadows.settle_shadows` tells which of it is shade.

    Args:
        pixels: bands of 10 and 20 m, as stored.
        sensor: whose bands they are.
        recipe: the thresholds.
    """
    stored = _at_20_m(pixels, sensor)
    scale = np.float32(1 / sensor.quantification)
    bands = {name: values * scale for name, values in stored.items()}
    kinds = np.zeros(bands["B11"].shape, np.uint8)
    kinds[_shadow(bands, recipe)] = SHADOW
    kinds[_cloud(bands, recipe)] = CLOUD
    kinds[_snow(bands, recipe)] = SNOW
    kinds[~np.logical_or.reduce([values > 0 for values in stored.values()])] = NODATA
    return kinds


def cells_of_light(pixels: Pixels, sensor: Sensor) -> Floats:
    """`patch row col`: mean reflectance in B8A of cells of `CELL` x `CELL` pixels."""
    stored = _stored(pixels, sensor, "B8A")
    rows = np.add.reduce([stored[:, row::CELL] for row in range(CELL)], dtype=np.uint32)
    sums = np.add.reduce([rows[..., col::CELL] for col in range(CELL)])
    return np.asarray(sums / (CELL * CELL * sensor.quantification), np.float32)


def kind_shares(kinds: Kinds) -> Floats:
    """`patch kind`: shares of snow, cloud, shadow and no data in each patch, 0 to 1."""
    flat = kinds.reshape(len(kinds), -1)
    masks = ((flat == kind).view(np.uint8) for kind in (SNOW, CLOUD, SHADOW, NODATA))
    counts = [np.add.reduce(mask, axis=1, dtype=np.uint32) for mask in masks]
    return (np.stack(counts, axis=1) / max(1, flat.shape[1])).astype(np.float32)


def _snow(bands: Mapping[str, Floats], recipe: ScreenRecipe) -> Mask:
    """Bright where we see, dark in the short-wave infrared; less so between crowns and roofs."""
    green, swir = bands["B03"], bands["B11"]
    mixed = _index_from(green, swir, recipe.snow_ndsi_mixed) & (swir < recipe.snow_swir)
    return np.asarray(
        (bands["B8A"] > recipe.snow_nir)
        & (green > recipe.snow_green)
        & (_index_from(green, swir, recipe.snow_ndsi) | mixed)
    )


def _cloud(bands: Mapping[str, Floats], recipe: ScreenRecipe) -> Mask:
    """Bright and white from the blue to the short-wave infrared."""
    blue, green, red, nir = (bands[name] for name in ("B02", "B03", "B04", "B8A"))
    mean = (blue + green + red) / 3
    distance = abs(blue - mean) + abs(green - mean) + abs(red - mean)
    return np.asarray(
        (red > recipe.cloud_red)
        & (blue - red / 2 > recipe.cloud_haze)
        & (distance < recipe.cloud_whiteness * 3 * mean)
        & (bands["B12"] > recipe.cloud_swir)
        & (nir > recipe.cloud_nir_to_swir * bands["B11"])
        & ~_index_from(nir, red, recipe.cloud_ndvi)
    )


def _shadow(bands: Mapping[str, Floats], recipe: ScreenRecipe) -> Mask:
    """Dark in the infrared, and not as open water is."""
    return np.asarray(
        (bands["B8A"] < recipe.shadow_nir)
        & (bands["B8A"] > recipe.shadow_nir_least)
        & (bands["B11"] < recipe.shadow_swir)
        & ~_index_from(bands["B03"], bands["B8A"], recipe.shadow_ndwi)
    )


def _index_from(one: Floats, other: Floats, least: float) -> Mask:
    """Where the normalised difference of two bands is `least` or more; nowhere if both are 0."""
    return np.asarray((one - other >= least * (one + other)) & (one + other > 0))


def _at_20_m(pixels: Pixels, sensor: Sensor) -> dict[str, Floats]:
    """The bands that are looked at, `patch row col` at 20 m, as stored; 10 m ones averaged."""
    found = {}
    for name in BANDS:
        values = _stored(pixels, sensor, name)
        finer = sensor.band(name).pixel_size < PIXEL_SIZE
        found[name] = _mean_of_four(values) if finer else values.astype(np.float32)
    return found


def _stored(pixels: Pixels, sensor: Sensor, name: str) -> npt.NDArray[np.uint16]:
    """One band, `patch row col`, as stored."""
    size = sensor.band(name).pixel_size
    return pixels[size][:, [band.name for band in sensor.bands_at(size)].index(name)]


def _mean_of_four(values: npt.NDArray[np.uint16]) -> Floats:
    """Pixels of twice the size, `patch row col`."""
    rows = values[:, 0::2].astype(np.float32) + values[:, 1::2]
    return np.asarray((rows[..., 0::2] + rows[..., 1::2]) / 4, np.float32)
