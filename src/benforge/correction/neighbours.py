"""Means over the surroundings of each pixel, with holes left out."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Scalar = TypeVar("Scalar", bound=np.generic)


def block_mean(pixels: npt.NDArray[np.uint16], factor: int) -> Floats:
    """Means of `factor` x `factor` pixels, `row col`; 0 where any of them has no data.

    Args:
        pixels: `row col`, reflectance x 10,000, sizes multiples of `factor`; 0 is no data.
        factor: pixels along a block.
    """
    if factor == 1:
        return pixels.astype(np.float32)
    height, width = (size // factor for size in pixels.shape)
    means = np.empty((height, width), np.float32)
    step = max(1, 600 // factor)
    for top in range(0, height, step):
        part = pixels[top * factor : (top + step) * factor]
        blocks = part.reshape(-1, factor, width, factor)
        sums = blocks.sum(axis=(1, 3), dtype=np.float32)
        sums[(blocks == 0).any(axis=(1, 3))] = 0
        means[top : top + step] = sums / np.float32(factor**2)
    return means


def box_mean(values: Floats, valid: npt.NDArray[np.bool_], reach: int) -> Floats:
    """Means of the valid values in a square around each pixel, `row col`; NaN where none is.

    Args:
        values: `row col`.
        valid: `row col`, which count.
        reach: pixels from the middle to the square's edge.
    """
    counts = _box_sum(valid.astype(np.float32), reach)
    sums = _box_sum(np.where(valid, values, np.float32(0)), reach)
    means = np.full(values.shape, np.nan, np.float32)
    np.divide(sums, counts, out=means, where=counts > 0.5)
    return means


def enlarge(values: npt.NDArray[Scalar], factor: int, rows: slice) -> npt.NDArray[Scalar]:
    """Some rows of an array whose pixels are repeated `factor` times both ways, `row col`."""
    first, last = rows.start // factor, -(-rows.stop // factor)
    part = values[first:last].repeat(factor, axis=0).repeat(factor, axis=1)
    return part[rows.start - first * factor : rows.stop - first * factor]


def _box_sum(values: Floats, reach: int) -> Floats:
    for axis in (0, 1):
        size = values.shape[axis]
        sums = np.zeros((size + 1, *np.delete(values.shape, axis)), np.float64)
        np.cumsum(np.moveaxis(values, axis, 0), axis=0, out=sums[1:], dtype=np.float64)
        places = np.arange(size)
        upper, lower = np.minimum(places + reach + 1, size), np.maximum(places - reach, 0)
        values = np.moveaxis(sums[upper] - sums[lower], 0, axis).astype(np.float32)
    return values
