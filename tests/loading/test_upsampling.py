"""Cubic interpolation beside torch's and beside sums written out in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from benforge.loading.upsampling import KERNELS, Kernel, cubic_matrix, upsample, upsample_into


def by_hand(pixels: np.ndarray, edge: int, a: float) -> np.ndarray:
    """Keys' formula, pixel by pixel, in float64."""

    def weight(x: float) -> float:
        x = abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    size = len(pixels)

    def line(values: np.ndarray) -> np.ndarray:
        out = np.zeros((edge, *values.shape[1:]))
        for i in range(edge):
            at = (i + 0.5) * size / edge - 0.5
            for j in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
                out[i] += weight(at - j) * values[min(max(j, 0), size - 1)]
        return out

    return line(line(pixels.astype(np.float64)).T).T


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("size", [20, 60])
def test_equal_to_the_formula(kernel: Kernel, size: int) -> None:
    pixels = np.random.default_rng(size).integers(0, 10_000, (size, size)).astype(np.float32)
    expected = by_hand(pixels, 120, KERNELS[kernel])
    for kind, within in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        found = upsample(torch.from_numpy(pixels).to(kind)[None, None], 120, kernel)[0, 0]
        assert np.abs(found.numpy() - expected).max() / 10_000 < within


@settings(max_examples=20)
@given(arrays.arrays(np.float64, (1, 2, 20, 20), elements=st.floats(0, 1)))
def test_equal_to_torch(pixels: np.ndarray) -> None:
    image = torch.from_numpy(pixels)
    theirs = torch.nn.functional.interpolate(
        image, size=(120, 120), mode="bicubic", align_corners=False
    )
    assert torch.allclose(upsample(image, 120, "cubic-0.75"), theirs, atol=1e-12, rtol=0)


def test_equal_to_pil_inside() -> None:
    pixels = np.random.default_rng(1).random((60, 60)).astype(np.float32)
    theirs = np.asarray(Image.fromarray(pixels).resize((120, 120), Image.Resampling.BICUBIC))
    ours = upsample(torch.from_numpy(pixels)[None, None], 120, "cubic-0.5")[0, 0].numpy()
    assert np.abs(ours - theirs)[4:-4, 4:-4].max() < 1e-5
    assert np.abs(ours - theirs).max() > 1e-3  # at the edge, as the docstring says


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_flat_band_stays_flat_and_fine_ones_stay(kernel: Kernel) -> None:
    assert np.allclose(cubic_matrix(60, 120, kernel).sum(axis=1), 1)
    fine = torch.rand(1, 1, 120, 120)
    assert upsample(fine, 120, kernel) is fine


@pytest.mark.parametrize("there", [20, 60, 120])
def test_written_where_it_belongs(there: int) -> None:
    pixels, out = torch.rand(3, 2, there, there), torch.full((3, 4, 120, 120), torch.nan)
    upsample_into(pixels, out, [3, 1], "cubic-0.5")
    assert torch.allclose(out[:, [3, 1]], upsample(pixels, 120, "cubic-0.5"), atol=1e-6)
    assert out[:, [0, 2]].isnan().all()
