"""The small modern network joins whatever bands there are, and counts as by hand."""

import pytest
import torch

from benforge.errors import InputError
from benforge.models.port import ALL, RGB, count_bands
from benforge.models.registry import build_model
from tests.models.test_scnn import count


@pytest.mark.parametrize(
    "bands", [RGB, ALL, ("B05",), ("B01",), ("B02", "B09"), ("B11", "B01")], ids=",".join
)
def test_any_pixel_sizes_will_do(bands: tuple[str, ...]) -> None:
    model = build_model("convnext-native", bands, 19)
    sizes = count_bands(bands).items()
    batch = tuple(torch.randn(2, n, 1200 // size, 1200 // size) for size, n in sizes)
    logits = model(batch)
    assert logits.shape == (2, 19)
    logits.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_weights_counted_by_hand() -> None:
    stem = (
        (4 * 16 * 32 + 32) + (6 * 9 * 32 + 32) + (2 * 9 * 64 + 64) + 2 * 32 + 32 * 9 * 64 + 2 * 64
    )

    def block(width: int) -> int:
        return 25 * width + 2 * width + 4 * width * (width + 1) + 4 * width * width + 2 * width

    halve = 64 * 128 * 4 + 2 * 128 + 128 * 256 * 4 + 2 * 256
    stages = 2 * block(64) + 4 * block(128) + 2 * block(256) + halve
    head = 2 * 256 + 256 * 43 + 43
    assert count(build_model("convnext-native", ALL, 43)) == stem + stages + head


def test_its_size_is_an_option() -> None:
    small = build_model("convnext-native", ALL, 19, {"widths": [16, 16, 16], "depths": [1, 1, 1]})
    assert count(small) < 30_000
    with pytest.raises(InputError, match="convnext-native"):
        build_model("convnext-native", ALL, 19, {"widths": [16, 16]})
