"""Activation maps: at the last grids of every registered network, where it looks, by oracles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benforge.errors import InputError
from benforge.inference.explain_maps import activation_maps
from benforge.models.registry import MODELS, build_model
from benforge.testing.models import make_batch

GRIDS = {
    "scnn-rgb": [(64, 30, 30)],
    "scnn-all": [(64, 30, 30)],
    "inception-v2-frozen": [(1024, 4, 4)],
    "inception-v2": [(1024, 4, 4)],
    "kbranch": [(64, 30, 30), (64, 30, 30), (32, 20, 20)],
    "resnet18": [(512, 4, 4)],
    "resnet50": [(2048, 4, 4)],
    "convnext-native": [(256, 5, 5)],
}
"""The last grids, read off the networks' own pages."""


@pytest.mark.parametrize("name", MODELS)
def test_of_every_registered_model(name: str) -> None:
    spec = MODELS[name]
    torch.manual_seed(1)
    model = build_model(name, spec.bands, 5).eval()
    batch = make_batch(spec, 2)
    maps, grids = activation_maps(model, batch, [0, 3])
    assert list(grids) == GRIDS[name]
    assert maps.shape == (2, 120, 120)
    assert np.isfinite(maps).all()
    assert maps.min() >= 0
    assert maps.max(axis=(1, 2)).all()
    again, _ = activation_maps(model, batch, [0, 3])
    assert np.array_equal(maps, again)
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize("name", ["resnet18", "convnext-native"])
def test_of_networks_that_average_they_are_the_class_activation_maps(name: str) -> None:
    """Zhou et al. 2016: features weighted by the classification layer, a mean over the grid."""
    spec, classes = MODELS[name], [1, 4, 0]
    torch.manual_seed(1)
    model, batch = build_model(name, spec.bands, 5).eval(), make_batch(spec, 3)
    heard: list[Tensor] = []
    last = model.last if name == "convnext-native" else model.stages  # type: ignore[union-attr]
    last.register_forward_hook(lambda *given: heard.append(given[2]))  # type: ignore[union-attr]
    with torch.no_grad():
        model(batch)
        weights = [one for one in model.modules() if isinstance(one, nn.Linear)][-1].weight
        weighed = torch.einsum("nkij,nk->nij", heard[0], weights[classes])
        large = torch.nn.functional.interpolate(weighed[:, None], (120, 120), mode="bilinear")
        expected = large[:, 0].clamp(min=0).numpy() / 120**2
    heard.clear()
    found, _ = activation_maps(model, batch, classes)
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())


class Corner(nn.Module):
    """Sees the same features everywhere, and heeds those of one corner: 10 x 10 of 120 pixels."""

    def __init__(self, rows: slice, columns: slice) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten())
        self.head = nn.Linear(4 * 30 * 30, 2)
        weights = torch.zeros(2, 4, 30, 30)
        weights[1, :, rows, columns] = 1.0
        self.head.weight = nn.Parameter(weights.flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 27), (27, 0), (14, 14)])
def test_a_model_that_looks_at_one_place(row: int, column: int) -> None:
    torch.manual_seed(2)
    model = Corner(slice(row, row + 3), slice(column, column + 3)).eval()
    maps, grids = activation_maps(model, torch.rand(2, 3, 120, 120) + 0.5, [1, 1])
    assert grids == ((4, 30, 30),)
    inside = np.zeros((120, 120), np.bool_)
    inside[max(0, 4 * row - 3) : 4 * row + 15, max(0, 4 * column - 3) : 4 * column + 15] = True
    for one in maps:
        assert one.max() > 0
        assert not one[~inside].any()
        assert inside[np.unravel_index(one.argmax(), one.shape)]
    none, _ = activation_maps(model, torch.rand(1, 3, 120, 120), [0])
    assert not none.any()


class Weighing(nn.Module):
    """A block weighs its grid by means of it, as squeeze-and-excitation does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate = nn.Conv2d(3, 6, 3, 4), nn.Linear(6, 6)
        self.last, self.head = nn.Conv2d(6, 8, 3, 2), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x * torch.sigmoid(self.gate(x.mean((2, 3))))[:, :, None, None]
        x = torch.relu(self.last(x))
        assert not x.isnan().any()
        logits: Tensor = self.head(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


def test_a_grid_that_is_weighed_by_means_of_itself_is_not_the_last() -> None:
    torch.manual_seed(3)
    _, grids = activation_maps(Weighing().eval(), torch.rand(1, 3, 120, 120), [0])
    assert grids == ((8, 14, 14),)


class NoGrid(nn.Module):
    def forward(self, x: Sequence[Tensor]) -> Tensor:
        return x[0].flatten(1)[:, :2] if isinstance(x, tuple) else x


def test_a_network_without_a_grid_is_refused() -> None:
    with pytest.raises(InputError, match="works on no grid"):
        activation_maps(NoGrid(), torch.rand(2, 7), [0, 1])
