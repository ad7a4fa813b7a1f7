"""S-CNN, the shallow network of the 2019 paper (section 4; fidelity 25 and 29)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from torch import Tensor, nn

from benforge.models.layers import Init, classifier, initialise
from benforge.models.port import EDGE

Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class SCNNOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the paper leaves open; docs/models.md argues the defaults.

    Args:
        fc_width: features of the fully connected layer.
        batch_norm: whether batches are normalised before each ReLU.
        conv_dropout: share of values dropped after each convolution, in training.
        dropout: share of features dropped after the fully connected layer, in training.
        third_pooling: whether the third convolution is pooled too, for a quarter of the weights.
        init: how weights are drawn: "xavier" (uniform) or "kaiming" (normal).
    """

    fc_width: Annotated[int, msgspec.Meta(ge=1)] = 128
    batch_norm: bool = True
    conv_dropout: Share = 0.0
    dropout: Share = 0.5
    third_pooling: bool = False
    init: Init = "xavier"


class SCNN(nn.Module):
    """Three convolutions, one fully connected layer, one classification layer.

    Args:
        bands: number of bands.
        classes: number of classes.
        options: what the paper leaves open.
    """

    def __init__(self, bands: int, classes: int, options: SCNNOptions) -> None:
        super().__init__()
        edge = EDGE // (8 if options.third_pooling else 4)
        self.convolutions = nn.Sequential(  # patch band 120 120
            *_convolution(bands, 32, 5, options, pool=True),  # patch 32 60 60
            *_convolution(32, 32, 5, options, pool=True),  # patch 32 30 30
            *_convolution(32, 64, 3, options, pool=options.third_pooling),  # patch 64 30 30, or 15
            nn.Flatten(),  # patch 57600, or 14400
        )
        self.head = classifier(  # patch label
            64 * edge * edge,
            classes,
            width=options.fc_width,
            batch_norm=options.batch_norm,
            dropout=options.dropout,
        )
        initialise(self, options.init)

    def forward(self, bands: Tensor) -> Tensor:
        """`patch band 120 120` to logits, `patch label`."""
        logits: Tensor = self.head(self.convolutions(bands))
        return logits


def _convolution(
    bands: int, filters: int, kernel: int, options: SCNNOptions, *, pool: bool
) -> list[nn.Module]:
    return [
        nn.Conv2d(bands, filters, kernel, padding=kernel // 2, bias=not options.batch_norm),
        nn.BatchNorm2d(filters) if options.batch_norm else nn.Identity(),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2) if pool else nn.Identity(),
        nn.Dropout(options.conv_dropout),
    ]


def build_scnn(bands: Sequence[str], classes: int, options: SCNNOptions) -> SCNN:
    """S-CNN for these bands: S-CNN-RGB and S-CNN-All are one network."""
    return SCNN(len(bands), classes, options)
