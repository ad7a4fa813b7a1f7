"""ResNet-18 and ResNet-50 (He et al. 2016) for any number of bands.

The 50 is "v1.5": a block that halves the size does so in its 3 x 3 convolution, not in its first.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from benforge.models.layers import initialise
from benforge.models.port import NoOptions


class Basic(nn.Module):
    """Two 3 x 3 convolutions beside a way around them: `patch bands n n` to `patch width n n`."""

    widens = 1

    def __init__(self, bands: int, width: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_convolution(bands, width, 3, stride),
            nn.ReLU(inplace=True),
            *_convolution(width, width, 3),
        )
        self.around = _around(bands, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """`patch bands n n` to `patch width n/stride n/stride`."""
        return F.relu(self.convolutions(x) + self.around(x))


class Bottleneck(nn.Module):
    """Narrow, 3 x 3, widen fourfold, beside a way around: `patch bands n n` to `patch 4·width`."""

    widens = 4

    def __init__(self, bands: int, width: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_convolution(bands, width, 1),
            nn.ReLU(inplace=True),
            *_convolution(width, width, 3, stride),
            nn.ReLU(inplace=True),
            *_convolution(width, 4 * width, 1),
        )
        self.around = _around(bands, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """`patch bands n n` to `patch 4·width n/stride n/stride`."""
        return F.relu(self.convolutions(x) + self.around(x))


class ResNet(nn.Module):
    """A stem, four stages of blocks, the mean over the patch, one classification layer.

    Args:
        bands: number of bands.
        classes: number of classes.
        block: of which kind.
        depths: blocks of each stage.
    """

    def __init__(
        self, bands: int, classes: int, block: type[Basic | Bottleneck], depths: Sequence[int]
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(  # patch band 120 120
            *_convolution(bands, 64, 7, 2),  # patch 64 60 60
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, padding=1),  # patch 64 30 30
        )
        stages, held = [], 64
        for stage, depth in enumerate(depths):
            width = 64 * 2**stage
            for at in range(depth):
                stages.append(block(held, width, 2 if stage and not at else 1))
                held = block.widens * width
        self.stages = nn.Sequential(*stages)  # patch 512 4 4, or 2048
        self.head = nn.Linear(held, classes)  # patch label
        initialise(self, "kaiming")

    def forward(self, bands: Tensor) -> Tensor:
        """`patch band 120 120` to logits, `patch label`."""
        x: Tensor = self.stages(self.stem(bands))  # patch 512 4 4, or 2048
        logits: Tensor = self.head(x.mean((2, 3)))  # patch label
        return logits


def _convolution(bands: int, width: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(bands, width, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width),
    ]


def _around(bands: int, width: int, stride: int) -> nn.Module:
    if stride == 1 and bands == width:
        return nn.Identity()
    return nn.Sequential(*_convolution(bands, width, 1, stride))


def build_resnet18(bands: Sequence[str], classes: int, options: NoOptions) -> ResNet:
    """ResNet-18: 2 + 2 + 2 + 2 blocks of two convolutions."""
    return ResNet(len(bands), classes, Basic, (2, 2, 2, 2))


def build_resnet50(bands: Sequence[str], classes: int, options: NoOptions) -> ResNet:
    """ResNet-50: 3 + 4 + 6 + 3 blocks of three convolutions."""
    return ResNet(len(bands), classes, Bottleneck, (3, 4, 6, 3))
