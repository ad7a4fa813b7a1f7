"""Cubic interpolation of 20 and 60 m bands to 10 m, as two small matrix products (fidelity 31)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

Kernel = Literal["cubic-0.5", "cubic-0.75"]
KERNELS: Mapping[str, float] = {"cubic-0.5": -0.5, "cubic-0.75": -0.75}
"""Name of a kernel to its `a`: -0.5 is Keys' and PIL's, -0.75 is that of cv2 and torch."""


def cubic_weight(distance: npt.NDArray[np.float64], a: float) -> npt.NDArray[np.float64]:
    """Keys' cubic convolution kernel (1981) at these distances, in source pixels."""
    x = np.abs(distance)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


@cache
def cubic_matrix(source: int, target: int, kernel: Kernel) -> npt.NDArray[np.float64]:
    """The matrix that interpolates a line of pixels: `target source`; every row sums to 1.

    Pixel centres lie at half pixels, and pixels beyond the edge repeat the one at the edge, as
    in cv2 and torch without antialiasing. PIL and GDAL leave them out instead, which differs in
    the two outermost source pixels alone.

    Args:
        source: pixels of the line, 60 or 20.
        target: pixels wanted, 120.
        kernel: a name of `KERNELS`.
    """
    centre = (np.arange(target) + 0.5) * source / target - 0.5
    first = np.floor(centre).astype(np.int64) - 1
    matrix = np.zeros((target, source))
    for tap in range(4):
        weight = cubic_weight(centre - (first + tap), KERNELS[kernel])
        column = np.clip(first + tap, 0, source - 1)
        np.add.at(matrix, (np.arange(target), column), weight)
    matrix.flags.writeable = False
    return matrix


def upsample(pixels: torch.Tensor, edge: int, kernel: Kernel) -> torch.Tensor:
    """Square bands brought to `edge` pixels: `patch band row col`, of the same type.

    Args:
        pixels: `patch band row col`, floats, rows as many as columns.
        edge: pixels wanted along each side, no fewer than there are.
        kernel: a name of `KERNELS`.
    """
    there = pixels.shape[-1]
    if there == edge:
        return pixels
    matrix = _matrix(pixels, edge, kernel)
    return matrix @ (pixels @ matrix.T)


def upsample_into(
    pixels: torch.Tensor, out: torch.Tensor, bands: Sequence[int], kernel: Kernel
) -> None:
    """The same, each band written where it belongs: nothing is written twice.

    Args:
        pixels: as for `upsample`.
        out: `patch band row col`, of the same type.
        bands: where each band goes.
        kernel: a name of `KERNELS`.
    """
    there, edge = pixels.shape[-1], out.shape[-1]
    if there == edge:
        for i, band in enumerate(bands):
            out[:, band] = pixels[:, i]
        return
    matrix = _matrix(pixels, edge, kernel)
    wide = pixels @ matrix.T
    left = matrix.expand(len(pixels), -1, -1)
    for i, band in enumerate(bands):
        torch.bmm(left, wide[:, i], out=out[:, band])


def _matrix(pixels: torch.Tensor, edge: int, kernel: Kernel) -> torch.Tensor:
    matrix = np.array(cubic_matrix(pixels.shape[-1], edge, kernel))
    return torch.as_tensor(matrix, dtype=pixels.dtype, device=pixels.device)
