"""K-Branch CNN: one branch a pixel size, at native size, by the authors of BigEarthNet.

After G. Sumbul and B. Demir, A Novel Multi-Attention Driven System for Multi-Label Remote Sensing
Image Classification (IGARSS 2019) and A Deep Multi-Attention Driven Approach for Multi-Label Remote
Sensing Image Classification (IEEE Access 2020), its first module without the attention; numbers
of the authors' published TensorFlow network. It differs from that in three things that are
TensorFlow's: no biases before batch norms (which take them away again), a batch norm's epsilon of
1e-5 (1e-3), and a tenth of each batch in the running mean (a hundredth).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import torch
from torch import Tensor, nn

from benforge.models.layers import Init, connected, initialise
from benforge.models.port import count_bands


class KBranchOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be changed; the defaults are as published.

    Args:
        width: features of each branch, and of all together.
        conv_dropout: share of values dropped after each convolution, in training.
        dropout: share of features dropped after each branch, in training.
        init: how weights are drawn.
    """

    width: int = 128
    conv_dropout: float = 0.25
    dropout: float = 0.5
    init: Init = "xavier"


class KBranch(nn.Module):
    """A branch for each pixel size that has bands; what they see is joined and classified.

    Args:
        bands: pixel size, m, finest first, to number of bands.
        classes: number of classes.
        options: what may be changed.
    """

    def __init__(self, bands: dict[int, int], classes: int, options: KBranchOptions) -> None:
        super().__init__()
        width, drop = options.width, options.dropout
        self.branches = nn.ModuleList(
            nn.Sequential(  # patch 4 120 120 · patch 6 60 60 · patch 2 20 20
                *_BRANCHES[size](count, options.conv_dropout),  # 64 30 30 · 64 30 30 · 32 20 20
                nn.Flatten(),  # patch 57600 · patch 57600 · patch 12800
                connected(_FEATURES[size], width, batch_norm=True, dropout=drop),  # patch 128
            )
            for size, count in bands.items()
        )
        self.head = nn.Sequential(  # patch 384
            connected(len(bands) * width, width, batch_norm=True, dropout=0.25),  # patch 128
            nn.Dropout(drop),
            nn.Linear(width, classes),  # patch label
        )
        initialise(self, options.init)

    def forward(self, bands: Sequence[Tensor]) -> Tensor:
        """One tensor a pixel size, finest first, to logits, `patch label`."""
        features = [branch(pixels) for branch, pixels in zip(self.branches, bands, strict=True)]
        logits: Tensor = self.head(torch.cat(features, dim=1))
        return logits


def _convolution(bands: int, filters: int, kernel: int, *, pool: bool, drop: float) -> nn.Module:
    before, after = (kernel - 1) // 2, kernel // 2  # as TensorFlow pads to the same size
    return nn.Sequential(
        nn.ZeroPad2d((before, after, before, after)) if kernel % 2 == 0 else nn.Identity(),
        nn.Conv2d(bands, filters, kernel, padding=before if kernel % 2 else 0, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2) if pool else nn.Identity(),
        nn.Dropout(drop),
    )


def _branch_10m(bands: int, drop: float) -> list[nn.Module]:  # patch 4 120 120
    return [
        _convolution(bands, 32, 5, pool=True, drop=drop),  # patch 32 60 60
        _convolution(32, 32, 5, pool=True, drop=drop),  # patch 32 30 30
        _convolution(32, 64, 3, pool=False, drop=drop),  # patch 64 30 30
    ]


def _branch_20m(bands: int, drop: float) -> list[nn.Module]:  # patch 6 60 60
    return [
        _convolution(bands, 32, 3, pool=True, drop=drop),  # patch 32 30 30
        _convolution(32, 32, 3, pool=False, drop=drop),  # patch 32 30 30
        _convolution(32, 64, 3, pool=False, drop=drop),  # patch 64 30 30
    ]


def _branch_60m(bands: int, drop: float) -> list[nn.Module]:  # patch 2 20 20
    return [
        _convolution(bands, 32, 2, pool=False, drop=drop),  # patch 32 20 20
        _convolution(32, 32, 2, pool=False, drop=drop),  # patch 32 20 20
        _convolution(32, 32, 2, pool=False, drop=drop),  # patch 32 20 20
    ]


_BRANCHES = {10: _branch_10m, 20: _branch_20m, 60: _branch_60m}
_FEATURES = {10: 64 * 30 * 30, 20: 64 * 30 * 30, 60: 32 * 20 * 20}


def build_kbranch(bands: Sequence[str], classes: int, options: KBranchOptions) -> KBranch:
    """K-Branch CNN for these bands."""
    return KBranch(count_bands(bands), classes, options)
