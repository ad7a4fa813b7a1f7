"""Inception-v2 has the published table and as many weights as its ports."""

import pytest
import torch
from torch import nn

from benforge.models.bn_inception import LAYOUTS, BNInception, Halve
from tests.models.ported import CAFFE, SLIM
from tests.models.test_scnn import count


def test_the_caffe_port_has_11_295_240_weights_with_its_softmax() -> None:
    """The count that pytorchcv and others assert of pretrained-models' bninception."""
    with torch.device("meta"):
        network = BNInception()
        softmax = nn.Linear(1024, 1000)
    assert count(network) + count(softmax) == 11_295_240


def test_weights_of_the_table_counted_by_hand() -> None:
    def unit(bands: int, filters: int, edge: int) -> int:
        return filters * (bands * edge * edge + 3)  # weights; bias, gamma, beta

    total = unit(3, 64, 7) + unit(64, 64, 1) + unit(64, 192, 3)
    for held, one, reduce3, three, reduce2, double, project in CAFFE.values():
        total += unit(held, one, 1) + unit(held, reduce3, 1) + unit(reduce3, three, 3)
        total += unit(held, reduce2, 1) + unit(reduce2, double, 3) + unit(double, double, 3)
        total += unit(held, project, 1)
    assert total + 1024 * 1000 + 1000 == 11_295_240
    with torch.device("meta"):
        assert count(BNInception()) == total


def test_the_slim_port_has_10_173_112_model_variables() -> None:
    """As TF-Slim's own test counts them: with moving means and variances, without factors."""
    with torch.device("meta"):
        network = BNInception(layout="slim")
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert count(network) + sum(norm.num_features for norm in norms) == 10_173_112


def test_the_tables_are_those_of_the_ports() -> None:
    for layout, port in (("caffe", CAFFE), ("slim", SLIM)):
        rows = LAYOUTS[layout].rows  # type: ignore[index]
        held = [(row.one, *row.three, *row.double, row.project) for row in rows]
        assert held == [row[1:] for row in port.values()]


@pytest.mark.parametrize(
    ("edge", "sizes"),
    [(224, [28] * 2 + [14] * 5 + [7] * 3), (120, [15] * 2 + [8] * 5 + [4] * 3)],
)
def test_the_sizes_of_the_papers_table_at_224_pixels_and_at_120(
    edge: int, sizes: list[int]
) -> None:
    with torch.device("meta"):
        network, seen = BNInception(), list[tuple[int, ...]]()
        for block in network.blocks.values():
            block.register_forward_hook(lambda block, given, out: seen.append(out.shape[1:]))
        assert network(torch.zeros(1, 3, edge, edge)).shape == (1, 1024)
    depths = [256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024]
    assert seen == [(d, n, n) for d, n in zip(depths, sizes, strict=True)]


@pytest.mark.parametrize(("size", "centres"), [(6, [1, 3, 5]), (7, [0, 2, 4, 6])])
def test_halving_keeps_the_border(size: int, centres: list[int]) -> None:
    x = torch.zeros(1, 1, size, size)
    out = Halve()(x)
    assert out.shape[-1] == len(centres)
    for at, centre in enumerate(centres):
        one = x.clone()
        one[0, 0, centre, centre] = 1.0
        assert Halve()(one)[0, 0, at, at] == 1.0
