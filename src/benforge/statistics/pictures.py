"""Patches as pictures in true colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benforge.core.patch import Patch

Picture = npt.NDArray[np.uint8]
"""`row col rgb`."""

TRUE_COLOR = ("B04", "B03", "B02")


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
