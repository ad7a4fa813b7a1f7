"""SGD with momentum, and how its rate rises and falls."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from benforge.training.recipe import TrainRecipe

STEPS_DOWN = (0.5, 0.75)
"""Shares of a training after which the schedule "step" takes a tenth of the rate."""


def make_optimiser(network: nn.Module, recipe: TrainRecipe) -> torch.optim.SGD:
    """SGD over what is trained; biases and norms are not decayed."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
    )


def rate_at(recipe: TrainRecipe, done: float) -> float:
    """The learning rate after `done` epochs, parts of one included."""
    if done < recipe.warmup:
        return recipe.learning_rate * (done + 1e-3) / (recipe.warmup + 1e-3)
    if recipe.schedule == "cosine":
        span = max(1e-9, recipe.epochs - recipe.warmup)
        share = min(1.0, (done - recipe.warmup) / span)
        return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
    if recipe.schedule == "step":
        passed = sum(done >= share * recipe.epochs for share in STEPS_DOWN)
        return recipe.learning_rate * 0.1**passed
    return recipe.learning_rate


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Have all groups use this rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def clip(parameters: Iterable[nn.Parameter], largest: float) -> None:
    """Shorten the gradient to this norm where it is longer; 0 leaves it."""
    if largest > 0:
        nn.utils.clip_grad_norm_(parameters, largest)
