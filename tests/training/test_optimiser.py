"""How the learning rate rises and falls, and what is decayed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benforge.errors import RecipeError
from benforge.training.optimiser import clip, make_optimiser, rate_at
from benforge.training.recipe import TrainRecipe, change_recipe


def test_cosine() -> None:
    recipe = TrainRecipe(epochs=11, learning_rate=1.0, warmup=1.0)
    rates = [rate_at(recipe, epoch) for epoch in (0, 0.5, 1, 6, 11)]
    assert rates == pytest.approx([0.001, 0.5, 1.0, 0.5, 0.0], abs=2e-3)


def test_steps_and_constant() -> None:
    recipe = TrainRecipe(epochs=100, learning_rate=1.0, warmup=0, schedule="step")
    assert [round(rate_at(recipe, e), 6) for e in (0, 49, 50, 75)] == [1.0, 1.0, 0.1, 0.01]
    constant = TrainRecipe(epochs=100, learning_rate=0.3, warmup=0, schedule="constant")
    assert {rate_at(constant, e) for e in (0, 50, 99)} == {0.3}


def test_biases_and_norms_are_not_decayed() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    optimiser = make_optimiser(network, TrainRecipe(weight_decay=0.5))
    decayed = [p for g in optimiser.param_groups if g["weight_decay"] for p in g["params"]]
    assert [p.ndim for p in decayed] == [4, 2]
    network.requires_grad_(False)
    network[2].requires_grad_(True)
    assert sum(len(g["params"]) for g in make_optimiser(network, TrainRecipe()).param_groups) == 2


def test_clip() -> None:
    weight = nn.Parameter(torch.zeros(4))
    weight.grad = torch.full((4,), 10.0)
    clip([weight], 0)
    assert float(weight.grad.norm()) == 20
    clip([weight], 1)
    assert float(weight.grad.norm()) == pytest.approx(1, abs=1e-4)


def test_momentum_as_written_out() -> None:
    """Torch's SGD: v = m v + g + wd w; w = w - lr v."""
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(1.0)
    recipe = TrainRecipe(learning_rate=0.1, momentum=0.9, weight_decay=0.01)
    optimiser, w, v = make_optimiser(layer, recipe), 1.0, 0.0
    for _ in range(3):
        optimiser.zero_grad()
        (layer.weight * 2).sum().backward()
        optimiser.step()
        v = 0.9 * v + 2 + 0.01 * w
        w -= 0.1 * v
    assert float(layer.weight.detach()) == pytest.approx(w, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epoch": 3}, "unknown field `epoch`"),
        ({"epochs": 0}, ">= 1"),
        ({"epochs": "many"}, "Expected `int`"),
        ({"precision": "fp8"}, "Invalid enum value 'fp8'"),
        ({"momentum": 1.5}, "< 1"),
    ],
)
def test_impossible_recipes(changes: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        change_recipe(TrainRecipe(), changes)
    assert change_recipe(TrainRecipe(), {"epochs": 3}).epochs == 3
