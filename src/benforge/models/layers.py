"""Layers that several models have: a fully connected one before the classes, initial weights."""

from __future__ import annotations

from typing import Literal

from torch import nn

Init = Literal["xavier", "kaiming"]


def classifier(
    features: int, classes: int, *, width: int, batch_norm: bool, dropout: float
) -> nn.Sequential:
    """One fully connected layer and one classification layer: `patch feature` to `patch label`."""
    return nn.Sequential(
        *connected(features, width, batch_norm=batch_norm, dropout=dropout),  # patch width
        nn.Linear(width, classes),  # patch label
    )


def connected(features: int, width: int, *, batch_norm: bool, dropout: float) -> nn.Sequential:
    """A fully connected layer: `patch feature` to `patch width`."""
    return nn.Sequential(
        nn.Linear(features, width, bias=not batch_norm),
        nn.BatchNorm1d(width) if batch_norm else nn.Identity(),
        nn.ReLU(),
        nn.Dropout(dropout),
    )


def initialise(model: nn.Module, init: Init) -> None:
    """Draw new weights for every convolution and fully connected layer; biases become 0."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if init == "xavier":
                nn.init.xavier_uniform_(layer.weight)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
