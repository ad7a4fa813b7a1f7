"""S-CNN is the paper's: its layers, and its weights counted by hand."""

import pytest
import torch
from torch import nn

from benforge.models.port import ALL, RGB
from benforge.models.registry import build_model

PLAIN = {"batch_norm": False, "dropout": 0.0, "conv_dropout": 0.0}


def count(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def shapes(model: nn.Module, *batch: torch.Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """What comes out of each layer that has weights or pools."""
    seen: list[tuple[str, tuple[int, ...]]] = []
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.MaxPool2d):
            layer.register_forward_hook(
                lambda layer, given, out: seen.append((type(layer).__name__, tuple(out.shape[1:])))
            )
    model(*batch)
    return seen


@pytest.mark.parametrize(("name", "bands"), [("scnn-rgb", RGB), ("scnn-all", ALL)])
def test_the_layers_are_the_papers(name: str, bands: tuple[str, ...]) -> None:
    model = build_model(name, bands, 43)
    assert shapes(model, torch.zeros(2, len(bands), 120, 120)) == [
        ("Conv2d", (32, 120, 120)),
        ("MaxPool2d", (32, 60, 60)),
        ("Conv2d", (32, 60, 60)),
        ("MaxPool2d", (32, 30, 30)),
        ("Conv2d", (64, 30, 30)),
        ("Linear", (128,)),
        ("Linear", (43,)),
    ]
    kernels = [layer.kernel_size for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(5, 5), (5, 5), (3, 3)]


@pytest.mark.parametrize(("name", "bands"), [("scnn-rgb", RGB), ("scnn-all", ALL)])
def test_weights_counted_by_hand(name: str, bands: tuple[str, ...]) -> None:
    convolutions = len(bands) * 32 * 25 + 32 * 32 * 25 + 32 * 64 * 9
    connected, classes = 64 * 30 * 30 * 128, 128 * 43 + 43
    norms, biases = 2 * (32 + 32 + 64 + 128), 32 + 32 + 64 + 128
    assert count(build_model(name, bands, 43)) == convolutions + connected + classes + norms
    plain = build_model(name, bands, 43, PLAIN)
    assert count(plain) == convolutions + connected + classes + biases


def test_a_third_pooling_quarters_the_connected_layer() -> None:
    model = build_model("scnn-all", ALL, 43, {"third_pooling": True})
    seen = shapes(model, torch.zeros(2, 12, 120, 120))
    assert [shape for _, shape in seen][-3:] == [(64, 15, 15), (128,), (43,)]
    assert count(build_model("scnn-all", ALL, 43)) - count(model) == 64 * 128 * (900 - 225)


def test_options_reach_their_layers() -> None:
    options = {"fc_width": 32, "dropout": 0.1, "conv_dropout": 0.2}
    model = build_model("scnn-rgb", RGB, 19, options)
    drops = [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)]
    assert drops == [0.2, 0.2, 0.2, 0.1]
    assert shapes(model, torch.zeros(2, 3, 120, 120))[-2:] == [("Linear", (32,)), ("Linear", (19,))]


def test_initial_weights_are_xaviers_or_kaimings() -> None:
    torch.manual_seed(0)
    for init, variance in (("xavier", 2 / (32 * 25 + 32 * 25)), ("kaiming", 2 / (32 * 25))):
        model = build_model("scnn-rgb", RGB, 43, {"init": init, "third_pooling": True})
        second = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)][1]
        assert second.weight.var().item() == pytest.approx(variance, rel=0.05)
