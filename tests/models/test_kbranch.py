"""K-Branch CNN has the published layers, and as many weights as were counted by hand."""

import torch
from torch import nn

from benforge.models.port import ALL, RGB
from benforge.models.registry import build_model
from tests.models.test_scnn import count, shapes


def test_the_layers_are_the_published() -> None:
    model = build_model("kbranch", ALL, 43)
    batch = torch.zeros(2, 4, 120, 120), torch.zeros(2, 6, 60, 60), torch.zeros(2, 2, 20, 20)
    assert shapes(model, batch) == [  # type: ignore[arg-type]
        ("Conv2d", (32, 120, 120)),
        ("MaxPool2d", (32, 60, 60)),
        ("Conv2d", (32, 60, 60)),
        ("MaxPool2d", (32, 30, 30)),
        ("Conv2d", (64, 30, 30)),
        ("Linear", (128,)),
        ("Conv2d", (32, 60, 60)),
        ("MaxPool2d", (32, 30, 30)),
        ("Conv2d", (32, 30, 30)),
        ("Conv2d", (64, 30, 30)),
        ("Linear", (128,)),
        ("Conv2d", (32, 20, 20)),
        ("Conv2d", (32, 20, 20)),
        ("Conv2d", (32, 20, 20)),
        ("Linear", (128,)),
        ("Linear", (128,)),
        ("Linear", (43,)),
    ]
    kernels = [layer.kernel_size[0] for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [5, 5, 3, 3, 3, 3, 2, 2, 2]
    drops = [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)]
    assert drops == [0.25, 0.25, 0.25, 0.5] * 3 + [0.25, 0.5]


def test_weights_counted_by_hand() -> None:
    model = build_model("kbranch", ALL, 43)
    branch10 = 4 * 32 * 25 + 32 * 32 * 25 + 32 * 64 * 9 + 57_600 * 128
    branch20 = 6 * 32 * 9 + 32 * 32 * 9 + 32 * 64 * 9 + 57_600 * 128
    branch60 = 2 * 32 * 4 + 32 * 32 * 4 + 32 * 32 * 4 + 12_800 * 128
    norms = 2 * ((32 + 32 + 64 + 128) + (32 + 32 + 64 + 128) + (32 + 32 + 32 + 128) + 128)
    head = 3 * 128 * 128 + 128 * 43 + 43
    assert count(model) == branch10 + branch20 + branch60 + norms + head


def test_pixel_sizes_without_bands_have_no_branch() -> None:
    model = build_model("kbranch", RGB, 43)
    assert model.eval()((torch.zeros(2, 3, 120, 120),)).shape == (2, 43)


def test_convolutions_of_two_pixels_pad_after_as_in_tensorflow() -> None:
    """The pixel at the lower right sees zeros beyond it; the one at the upper left sees none."""
    model = build_model("kbranch", ("B01",), 43, {"init": "kaiming"}).eval()
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
    with torch.no_grad():
        first.weight.fill_(1.0)
    seen: list[torch.Tensor] = []
    first.register_forward_hook(lambda layer, given, out: seen.append(out))
    model((torch.ones(1, 1, 20, 20),))
    corners = seen[0][0, 0][[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.tolist() == [4.0, 2.0, 2.0, 1.0]
