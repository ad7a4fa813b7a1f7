"""A small modern network that takes each band at its native pixel size.

Its stem joins bands where the grid has reached their pixel size: 10 m bands are brought to the 20 m
grid and meet the 20 m bands, both are brought to the 60 m grid and meet the 60 m bands; nothing is
interpolated. Its blocks are those of ConvNeXt (Liu et al. 2022: a wide convolution of each feature
alone, then two layers across features), with batch norms in place of layer norms and no scale of
layers, because training here is by SGD with momentum, which those make slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from torch import Tensor, nn

from benforge.models.layers import initialise
from benforge.models.port import count_bands

Positive = Annotated[int, msgspec.Meta(ge=1)]


class ConvNeXtOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Its size.

    Args:
        widths: features of each stage; each stage after the first halves the grid.
        depths: blocks of each stage.
        stem: features on the 20 m grid.
        kernel: edge of the wide convolutions; 5 covers the last grid whole.
        dropout: share of features dropped before the classification layer, in training.
    """

    widths: tuple[Positive, Positive, Positive] = (64, 128, 256)
    depths: tuple[Positive, Positive, Positive] = (2, 4, 2)
    stem: Positive = 32
    kernel: Literal[3, 5, 7, 9] = 5
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.2


class Block(nn.Module):
    """A wide convolution of each feature alone, then two layers across: `patch width n n`."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, 4 * width, 1),  # patch 4·width n n
            nn.GELU(),
            nn.Conv2d(4 * width, width, 1, bias=False),  # patch width n n
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`patch width n n` to the same."""
        change: Tensor = self.layers(x)
        return x + change


class Stem(nn.Module):
    """Joins bands at their own pixel sizes on the 60 m grid.

    Args:
        bands: pixel size, m, finest first, to number of bands.
        width: features on the 60 m grid.
        options: features on the 20 m grid.
    """

    def __init__(self, bands: dict[int, int], width: int, options: ConvNeXtOptions) -> None:
        super().__init__()
        middle = options.stem
        self.sizes = tuple(bands)
        layers = {10: (middle, 4, 2, 1), 20: (middle, 3, 1, 1), 60: (width, 3, 1, 1)}
        self.enter = nn.ModuleDict(
            {str(size): nn.Conv2d(count, *layers[size]) for size, count in bands.items()}
        )
        if self.sizes != (60,):
            self.down = nn.Sequential(  # patch 32 60 60
                nn.BatchNorm2d(middle),
                nn.GELU(),
                nn.Conv2d(middle, width, 3, 3, bias=False),  # patch 64 20 20
            )
        self.norm = nn.BatchNorm2d(width)

    def forward(self, bands: Sequence[Tensor]) -> Tensor:
        """`patch 4 120 120`, `patch 6 60 60`, `patch 2 20 20` to `patch width 20 20`."""
        entered = {
            size: self.enter[str(size)](pixels)  # patch 32 60 60 · patch 32 60 60 · patch 64 20 20
            for size, pixels in zip(self.sizes, bands, strict=True)
        }
        fine = [entered[size] for size in (10, 20) if size in entered]
        coarse = [entered[60]] if 60 in entered else []
        if fine:
            coarse.append(self.down(sum(fine)))  # patch 64 20 20
        out: Tensor = self.norm(sum(coarse))  # patch 64 20 20
        return out


class NativeConvNeXt(nn.Module):
    """The stem, three stages, the mean over the patch, one classification layer.

    Args:
        bands: pixel size, m, finest first, to number of bands.
        classes: number of classes.
        options: its size.
    """

    def __init__(self, bands: dict[int, int], classes: int, options: ConvNeXtOptions) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        held = options.widths[0]
        for width, depth in zip(options.widths, options.depths, strict=True):
            if stages:
                stages += [nn.Conv2d(held, width, 2, 2, bias=False), nn.BatchNorm2d(width)]
            stages += [Block(width, options.kernel) for _ in range(depth)]
            held = width
        self.stem = Stem(bands, options.widths[0], options)  # patch 64 20 20
        self.stages = nn.Sequential(*stages)  # patch 64 20 20, 128 10 10, 256 5 5
        self.last = nn.Sequential(nn.BatchNorm2d(held), nn.ReLU(inplace=True))  # patch 256 5 5
        self.head = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(held, classes))
        initialise(self, "kaiming")

    def forward(self, bands: Sequence[Tensor]) -> Tensor:
        """One tensor a pixel size, finest first, to logits, `patch label`."""
        x: Tensor = self.last(self.stages(self.stem(bands)))  # patch 256 5 5
        logits: Tensor = self.head(x.mean((2, 3)))  # patch label
        return logits


def build_convnext(bands: Sequence[str], classes: int, options: ConvNeXtOptions) -> NativeConvNeXt:
    """The network for these bands."""
    return NativeConvNeXt(count_bands(bands), classes, options)
