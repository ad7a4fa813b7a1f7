"""ResNets have as many weights as are published for ImageNet, and halve where v1.5 does."""

import pytest
import torch
from torch import nn

from benforge.models.port import ALL, RGB
from benforge.models.registry import build_model
from tests.models.test_scnn import count


@pytest.mark.parametrize(("name", "weights"), [("resnet18", 11_689_512), ("resnet50", 25_557_032)])
def test_weights_are_as_many_as_published(name: str, weights: int) -> None:
    with torch.device("meta"):
        assert count(build_model(name, RGB, 1000)) == weights


def test_more_bands_widen_the_first_convolution_only() -> None:
    with torch.device("meta"):
        few, many = build_model("resnet50", RGB, 43), build_model("resnet50", ALL, 43)
    assert count(many) - count(few) == 9 * 64 * 7 * 7


def test_blocks_halve_in_their_widest_convolution() -> None:
    with torch.device("meta"):
        model = build_model("resnet50", RGB, 43)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    halving = [layer.kernel_size[0] for layer in layers if layer.stride[0] == 2]
    assert halving == [7, 3, 1, 3, 1, 3, 1]  # the stem, then each stage and the way around it
