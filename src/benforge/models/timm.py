"""Any network of the library timm, where it is installed: the model `timm:NAME`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import msgspec
from torch import nn

from benforge.errors import InputError, MissingError
from benforge.models.port import RGB, ModelSpec

PREFIX = "timm:"


class TimmOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What timm is asked for.

    Args:
        pretrained: whether timm fetches the weights that it has for the network.
        dropout: share of features dropped before the classification layer, in training.
    """

    pretrained: bool = False
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0


def timm_spec(name: str) -> ModelSpec:
    """The network that timm calls what comes after `timm:`; nothing is imported yet."""
    network = name.removeprefix(PREFIX)
    return ModelSpec(
        name=name,
        title=f"{network} (timm)",
        about=f"{network} as timm builds it",
        bands=RGB,
        build=partial(_build, network),
        options=TimmOptions,
        reads="pretrained",
    )


def _build(network: str, bands: Sequence[str], classes: int, options: TimmOptions) -> nn.Module:
    """The network for these bands.

    Raises:
        MissingError: timm is not installed.
        InputError: it has no such network, or none that takes patches.
    """
    try:
        timm = importlib.import_module("timm")
    except ImportError as error:
        raise MissingError(
            "timm is not installed, or not beside this torch",
            where=PREFIX + network,
            do="Install timm and torchvision, or use resnet50",
        ) from error
    try:
        model: nn.Module = timm.create_model(
            network,
            pretrained=options.pretrained,
            in_chans=len(bands),
            num_classes=classes,
            drop_rate=options.dropout,
        )
    except (RuntimeError, TypeError, ValueError) as error:
        what = str(error).partition("\n")[0]
        raise InputError(f"timm cannot build it, {what}", where=PREFIX + network) from error
    model.weights_from = f"timm's own for {network}" if options.pretrained else ""  # type: ignore[assignment]
    return model
