"""The one pass over memory beside the plain way; in Triton's interpreter where there is no GPU."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from benforge.core.contract import Normalisation
from benforge.core.sensor import load_sensor
from benforge.loading.fused import Fused, FusedGroup
from benforge.loading.prepare import Preparer

pytest.importorskip("triton", reason="Triton is not installed: it comes with torch for CUDA")
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
if DEVICE.type == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"

SENSOR = load_sensor()
BANDS = {10: ("B04", "B02"), 20: ("B8A", "B05"), 60: ("B09",)}


@pytest.mark.parametrize("size", BANDS)
@pytest.mark.parametrize("high", [None, 30_000.0])
def test_as_the_plain_way(size: int, high: float | None) -> None:
    from benforge.loading import kernels

    random, edge = np.random.default_rng(size), 24
    side, names = edge * 10 // size, [band.name for band in SENSOR.bands_at(size)]
    pixels = random.integers(0, 2**16, (9, len(names), side, side)).astype(np.uint16)
    finest = random.integers(0, 2**16, (9, 4, edge, edge)).astype(np.uint16)
    rows, turns = random.permutation(8), np.arange(8, dtype=np.uint8)
    bands = ("B03", *BANDS[size])
    count = len(bands)
    normal = Normalisation(
        source="none", mean=(0.0, *random.uniform(0, 3000, count - 1)), std=(900.0,) * count,
        low=0.0 if high else None, high=high,
    )  # fmt: skip
    plain = Preparer(SENSOR, bands, normal, "cubic-0.75", native=False, device=torch.device("cpu"))(
        {10: finest, size: pixels} if size > 10 else {10: pixels}, turns, torch.from_numpy(rows)
    )
    assert isinstance(plain, torch.Tensor)
    out = torch.full((8, count, edge, edge), torch.nan, device=DEVICE)
    mean, std = (torch.tensor(v[1:], device=DEVICE) for v in (normal.mean, normal.std))
    group = FusedGroup.of([names.index(b) for b in bands[1:]], range(1, count), mean, std)
    fused = Fused(kernels)
    assert fused.fits(edge, [side])
    fused.run(
        torch.from_numpy(pixels.view(np.int16)).to(DEVICE),
        torch.from_numpy(rows).to(DEVICE),
        torch.from_numpy(turns).to(DEVICE),
        group, "cubic-0.75", (normal.low, normal.high), out,
    )  # fmt: skip
    assert (out[:, 1:].cpu() - plain[:, 1:]).abs().max() < 1e-3
    assert out[:, 0].isnan().all()


def test_what_fits() -> None:
    from benforge.loading import kernels

    fused = Fused(kernels)
    assert fused.fits(120, [120, 60, 20])
    assert not fused.fits(120, [120, 40])
    assert not fused.fits(100, [100])
