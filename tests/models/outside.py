"""A model as a user's own module has it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from torch import nn

from benforge.models.port import RGB, ModelSpec


class TinyOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    width: int = 8


def build(bands: Sequence[str], classes: int, options: TinyOptions) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(len(bands), options.width, 3, stride=4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(options.width, classes),
    )


TINY = ModelSpec(
    name="tiny", title="Tiny", about="one layer", bands=RGB, build=build, options=TinyOptions
)
