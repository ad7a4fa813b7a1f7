"""What a model sees, beside the same in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.core.contract import Normalisation
from benforge.core.sensor import load_sensor
from benforge.loading.prepare import Preparer, turn, turn_alike, turn_each
from benforge.loading.upsampling import cubic_matrix

SENSOR = load_sensor()
ALL = [band.name for band in SENSOR.patch_bands]
CPU = torch.device("cpu")


def _prepare(bands: list[str], *, native: bool = False, **bounds: float) -> Preparer:
    mean, std = np.arange(len(bands)) * 100.0, np.arange(len(bands)) * 10.0 + 500
    norm = Normalisation(source="none", mean=tuple(mean), std=tuple(std), **bounds)
    return Preparer(SENSOR, bands, norm, "cubic-0.5", native=native, device=CPU)


def _stored(archive: Archive, positions: list[int]) -> dict[int, np.ndarray]:
    patches = [archive[i].arrays for i in positions]
    return {size: np.stack([p[size] for p in patches]) for size in patches[0]}


def test_all_bands_in_order(imported_sample: Archive) -> None:
    stored = _stored(imported_sample, [0, 9])
    seen = _prepare(ALL)(stored)
    assert isinstance(seen, torch.Tensor)
    assert seen.shape == (2, 12, 120, 120)
    for i, band in enumerate(SENSOR.patch_bands):
        of_size = SENSOR.bands_at(band.pixel_size)
        native = stored[band.pixel_size][:, of_size.index(band)].astype(np.float64)
        matrix = np.eye(120)
        if native.shape[-1] < 120:
            matrix = cubic_matrix(native.shape[-1], 120, "cubic-0.5")
        expected = (matrix @ native @ matrix.T - 100.0 * i) / (10.0 * i + 500)
        assert np.abs(seen[:, i].numpy() - expected).max() < 1e-4


def test_rgb_and_native(imported_sample: Archive) -> None:
    stored = _stored(imported_sample, [3])
    rgb = _prepare(["B04", "B03", "B02"])({10: stored[10]})
    assert isinstance(rgb, torch.Tensor)
    assert np.allclose(rgb[0, 0].numpy(), stored[10][0, 2] / 500, atol=1e-5)
    assert np.allclose(rgb[0, 2].numpy(), (stored[10][0, 0] - 200.0) / 520, atol=1e-5)
    native = _prepare(ALL, native=True)(stored)
    assert [tuple(t.shape) for t in native] == [(1, 4, 120, 120), (1, 6, 60, 60), (1, 2, 20, 20)]


def test_bounds() -> None:
    stored = {10: np.full((1, 4, 2, 2), 9_000, np.uint16)}
    assert float(_prepare(["B02"], low=0, high=2_500)(stored).max()) == 5.0  # type: ignore[union-attr]


def test_turns_are_the_eight_of_a_square() -> None:
    image = torch.arange(9.0).reshape(1, 1, 3, 3).repeat(8, 1, 1, 1)
    turned = turn(image, torch.arange(8))
    assert len({tuple(t.flatten().tolist()) for t in turned}) == 8
    assert torch.equal(turned[0], image[0])
    assert torch.equal(turned[1, 0], torch.from_numpy(np.rot90(image[0, 0].numpy()).copy()))
    assert torch.equal(turned[4, 0], image[0, 0].flip(-1))


def test_a_cpu_and_a_gpu_turn_alike() -> None:
    images, turns = torch.rand(40, 2, 6, 6), torch.arange(40) % 8
    assert torch.equal(turn_each(images, turns), turn_alike(images, turns))


@pytest.mark.parametrize("which", range(8))
def test_turning_commutes_with_upsampling(imported_sample: Archive, which: int) -> None:
    stored = _stored(imported_sample, [5])
    turns = np.array([which], np.uint8)
    prepare = _prepare(ALL)
    one, other = prepare(stored, turns), turn(prepare(stored), torch.tensor([which]))  # type: ignore[arg-type]
    assert torch.allclose(one, other, atol=1e-4)  # type: ignore[arg-type]
