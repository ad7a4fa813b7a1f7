"""Inception-v2, that is BN-Inception (Ioffe and Szegedy 2015), in the form of two public ports.

`caffe` is the network of the Caffe port that pretrained-models.pytorch calls `bn_inception` (and of
MXNet's Inception-BN); `slim` is `inception_v2` of TF-Slim. They differ in what `Layout` lists.
Patches of 120 pixels reach a grid of 15 pixels, where the Caffe port would join 8 pixels with 7:
poolings that halve a grid take its border along on odd grids, as TF-Slim's do on all.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

FEATURES = 1024
"""Of the vector before the softmax."""

LayoutName = Literal["caffe", "slim"]


class Row(NamedTuple):
    """One Inception block: a row of the table.

    Args:
        name: in the paper and the Caffe port; TF-Slim counts a letter further.
        one: filters of the 1 x 1 branch; 0 where the block halves the grid.
        three: filters of the 3 x 3 branch: to reduce, then to convolve.
        double: likewise of the branch with two 3 x 3 convolutions.
        pool: kind of the pooling branch.
        project: filters after the pooling; 0 where the block halves the grid.
    """

    name: str
    one: int
    three: tuple[int, int]
    double: tuple[int, int]
    pool: Literal["avg", "max"]
    project: int

    @property
    def out(self) -> int:
        """Filters of all branches but a pooling without projection."""
        return self.one + self.three[1] + self.double[1] + self.project


TABLE = (
    Row("3a", 64, (64, 64), (64, 96), "avg", 32),  # patch 256 15 15
    Row("3b", 64, (64, 96), (64, 96), "avg", 64),  # patch 320 15 15
    Row("3c", 0, (128, 160), (64, 96), "max", 0),  # patch 576 8 8
    Row("4a", 224, (64, 96), (96, 128), "avg", 128),  # patch 576 8 8
    Row("4b", 192, (96, 128), (96, 128), "avg", 128),  # patch 576 8 8
    Row("4c", 160, (128, 160), (128, 160), "avg", 128),  # patch 608 8 8
    Row("4d", 96, (128, 192), (160, 192), "avg", 128),  # patch 608 8 8
    Row("4e", 0, (128, 192), (192, 256), "max", 0),  # patch 1056 4 4
    Row("5a", 352, (192, 320), (160, 224), "avg", 128),  # patch 1024 4 4
    Row("5b", 352, (192, 320), (192, 224), "max", 128),  # patch 1024 4 4
)
"""The Caffe port's."""


class Layout(NamedTuple):
    """In what the two ports differ.

    Args:
        name: "caffe" or "slim".
        rows: the table; TF-Slim projects 4c and 4d to 96, as the paper does.
        separable: whether the first convolution is one of each band alone, then one across, and
            has a bias and no batch norm.
        bias: whether convolutions have biases.
        epsilon: of batch norms.
        same: whether a stride of 2 pads as TensorFlow does, on even grids only after.
        pads_count: whether average pooling counts the zeros beyond the border.
    """

    name: LayoutName
    rows: tuple[Row, ...]
    separable: bool
    bias: bool
    epsilon: float
    same: bool
    pads_count: bool


def _slim(row: Row) -> Row:
    return row._replace(project=96) if row.name in ("4c", "4d") else row


LAYOUTS: dict[LayoutName, Layout] = {
    "caffe": Layout(
        name="caffe",
        rows=TABLE,
        separable=False,
        bias=True,
        epsilon=1e-5,
        same=False,
        pads_count=True,
    ),
    "slim": Layout(
        name="slim",
        rows=tuple(map(_slim, TABLE)),
        separable=True,
        bias=False,
        epsilon=1e-3,
        same=True,
        pads_count=False,
    ),
}


class Unit(nn.Module):
    """A convolution, a batch norm and a ReLU: `patch bands n n` to `patch filters n n`."""

    def __init__(
        self, layout: Layout, bands: int, filters: int, kernel: int = 1, stride: int = 1
    ) -> None:
        super().__init__()
        self.kernel, self.same = kernel, layout.same and stride == 2
        pad = 0 if self.same else kernel // 2
        self.conv = nn.Conv2d(bands, filters, kernel, stride, pad, bias=layout.bias)
        self.norm = nn.BatchNorm2d(filters, layout.epsilon)

    def forward(self, x: Tensor) -> Tensor:
        """`patch bands n n` to `patch filters n/stride n/stride`."""
        x = pad_same(x, self.kernel) if self.same else x
        return F.relu(self.norm(self.conv(x)), inplace=True)


class Separable(nn.Module):
    """TF-Slim's first convolution: `patch band 120 120` to `patch 64 60 60`."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        many = bands * min(64 // bands, 8)
        self.alone = nn.Conv2d(bands, many, 7, 2, groups=bands, bias=False)  # patch 24 60 60
        self.across = nn.Conv2d(many, 64, 1)  # patch 64 60 60

    def forward(self, x: Tensor) -> Tensor:
        """`patch band n n` to `patch 64 n/2 n/2`."""
        return F.relu(self.across(self.alone(pad_same(x, 7))), inplace=True)


def pad_same(x: Tensor, kernel: int) -> Tensor:
    """Zeros around a grid as TensorFlow puts them for a stride of 2."""
    pad = kernel - 2 + x.shape[-1] % 2
    return F.pad(x, (pad // 2, pad - pad // 2) * 2)


class Halve(nn.Module):
    """The largest of 3 x 3, every second one: `patch bands n n` to `patch bands ⌈n/2⌉ ⌈n/2⌉`."""

    def forward(self, x: Tensor) -> Tensor:
        """Centres lie on even pixels of odd grids, and on odd pixels of even ones."""
        return F.max_pool2d(x, 3, 2, padding=x.shape[-1] % 2, ceil_mode=True)


class Block(nn.Module):
    """Branches side by side: `patch bands n n` to `patch row.out n n`, half as wide where one=0."""

    def __init__(self, layout: Layout, bands: int, row: Row) -> None:
        super().__init__()
        unit, stride = partial(Unit, layout), 1 if row.one else 2
        reduce3, three = row.three
        reduce2, double = row.double
        branches: dict[str, nn.Module] = {"one": unit(bands, row.one)} if row.one else {}
        branches["three"] = nn.Sequential(unit(bands, reduce3), unit(reduce3, three, 3, stride))
        branches["deep"] = nn.Sequential(
            unit(bands, reduce2), unit(reduce2, double, 3), unit(double, double, 3, stride)
        )
        branches["pool"] = (
            nn.Sequential(_pooling(layout, row), unit(bands, row.project)) if row.one else Halve()
        )
        self.branches = nn.ModuleDict(branches)

    def forward(self, x: Tensor) -> Tensor:
        """The branches' features, one after the other."""
        return torch.cat([branch(x) for branch in self.branches.values()], dim=1)


def _pooling(layout: Layout, row: Row) -> nn.Module:
    if row.pool == "max":
        return nn.MaxPool2d(3, 1, padding=1)
    return nn.AvgPool2d(3, 1, padding=1, count_include_pad=layout.pads_count)


class BNInception(nn.Module):
    """The network up to the vector before the softmax.

    Args:
        bands: number of bands.
        layout: of which port.
    """

    def __init__(self, bands: int = 3, layout: LayoutName = "caffe") -> None:
        super().__init__()
        port = LAYOUTS[layout]
        self.layout = port
        self.first = Separable(bands) if port.separable else Unit(port, bands, 64, 7, 2)  # 64 60 60
        self.second = nn.Sequential(  # patch 64 30 30
            Unit(port, 64, 64),  # patch 64 30 30
            Unit(port, 64, 192, 3),  # patch 192 30 30
        )
        self.halve = Halve()
        blocks, held = {}, 192
        for row in port.rows:
            blocks[row.name] = Block(port, held, row)
            held = row.out if row.one else row.out + held
        self.blocks = nn.ModuleDict(blocks)  # patch 192 15 15 to patch 1024 4 4

    def forward(self, bands: Tensor) -> Tensor:
        """`patch band 120 120`, or of another size, to features, `patch 1024`."""
        x = self.halve(self.first(bands))  # patch 64 30 30
        x = self.halve(self.second(x))  # patch 192 15 15
        for block in self.blocks.values():
            x = block(x)
        features: Tensor = x.mean((2, 3))  # patch 1024
        return features
