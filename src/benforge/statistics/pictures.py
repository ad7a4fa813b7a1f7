"""Patches as pictures: bands in colours, and maps of codes in theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from benforge.core.patch import Patch

Picture = npt.NDArray[np.uint8]
"""`row col rgb`."""

TRUE_COLOR = ("B04", "B03", "B02")
FALSE_COLOR = ("B08", "B04", "B03")
"""Near infrared, red, green as red, green, blue: vegetation is red."""
INFRARED = ("B12", "B8A", "B05")
"""Short-wave infrared, near infrared, red edge, at 20 m: bare and dry ground is pink."""

Color = tuple[int, int, int]

SCL_CLASSES: Mapping[int, tuple[str, Color]] = {
    0: ("no data", (0, 0, 0)),
    1: ("saturated", (255, 0, 0)),
    2: ("dark", (47, 47, 47)),
    3: ("cloud shadow", (100, 50, 0)),
    4: ("vegetation", (70, 160, 60)),
    5: ("bare", (230, 215, 90)),
    6: ("water", (40, 80, 220)),
    7: ("unclassified", (128, 128, 128)),
    8: ("cloud, likely", (192, 192, 192)),
    9: ("cloud", (240, 240, 240)),
    10: ("thin cirrus", (100, 200, 255)),
    11: ("snow", (255, 150, 255)),
}
"""Code of the scene classification to its meaning and colour."""


def stretch(
    bands: npt.NDArray[np.uint16], percentiles: tuple[float, float] = (1, 99), span: float = 500
) -> Picture:
    """Three bands as red, green and blue.

    Dark and bright ends are percentiles of each band; no-data pixels (0) do not count and stay
    black. The range is the same for all bands, so colours keep their balance, and never
    narrower than `span`, so the noise of open water is not blown up.

    Args:
        bands: `band row col`, red, green, blue.
        percentiles: which pixels become black and white.
        span: narrowest range, reflectance x 10,000.
    """
    valid = (bands > 0).all(axis=0)
    if not valid.any():
        return np.zeros((*bands.shape[1:], 3), np.uint8)
    low, high = np.percentile(bands[:, valid], percentiles, axis=1)
    width = max(float((high - low).max()), span)
    scaled = np.clip((bands - low[:, None, None]) / width, 0, 1) ** 0.8 * valid
    picture: Picture = np.moveaxis(scaled * 255, 0, -1).round().astype(np.uint8)
    return picture


def picture_of(
    patch: Patch, names: Sequence[str] = TRUE_COLOR, percentiles: tuple[float, float] = (1, 99)
) -> Picture:
    """Three bands of a patch, all of one pixel size, stretched by the patch's own percentiles."""
    return stretch(np.stack([patch.band(name) for name in names]), percentiles)


def paint(codes: npt.NDArray[np.generic], colors: Mapping[int, Color]) -> Picture:
    """A map of codes in their colours, `row col rgb`; codes without a colour are white."""
    picture = np.full((*codes.shape, 3), 255, np.uint8)
    for code, color in colors.items():
        picture[codes == code] = color
    return picture


def css_color(color: Color) -> str:
    """A colour as style sheets write it, "#e6004d"."""
    return "#{:02x}{:02x}{:02x}".format(*color)
