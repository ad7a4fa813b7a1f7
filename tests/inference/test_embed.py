"""Embeddings are mean and deviation of a model's last feature map, for every registered model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benforge.archive.archive import Archive
from benforge.errors import InputError
from benforge.inference.embed import embed_batch, embed_patches, embed_pixels
from benforge.models.port import count_bands
from benforge.models.registry import MODELS, build_model
from tests.inference.test_export import make_run
from tests.training.conftest import few  # noqa: F401

CLASSES = 5
FEATURES = {
    "scnn-rgb": 128,
    "scnn-all": 128,
    "inception-v2-frozen": 2048,
    "inception-v2": 2048,
    "kbranch": 2 * (64 + 64 + 32),
    "resnet18": 1024,
    "resnet50": 4096,
    "convnext-native": 512,
}
"""Twice the channels of the last feature maps, of which K-Branch has three."""


def ask(name: str) -> tuple[nn.Module, torch.Tensor | tuple[torch.Tensor, ...]]:
    spec = MODELS[name]
    torch.manual_seed(1)
    model = build_model(name, spec.bands, CLASSES).eval()
    sizes = count_bands(spec.bands)
    if spec.native:
        return model, tuple(
            torch.randn(2, count, 1200 // size, 1200 // size) for size, count in sizes.items()
        )
    return model, torch.randn(2, len(spec.bands), 120, 120)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_maps(name: str) -> None:
    model, inputs = ask(name)
    found = embed_batch(model, inputs)
    assert found.shape == (2, FEATURES[name])
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found[0] - found[1]).max() > 0
    assert not any(module._forward_hooks for module in model.modules())


def test_where_a_model_takes_the_mean_itself_it_is_what_is_classified() -> None:
    model, inputs = ask("resnet18")
    found = torch.from_numpy(embed_batch(model, inputs)[:, :512])
    with torch.inference_mode():
        assert torch.allclose(model.head(found), model(inputs), atol=1e-4)


def test_a_flat_network_is_heard_where_it_flattens() -> None:
    model, inputs = ask("scnn-all")
    with torch.inference_mode():
        last = model.convolutions[:12](inputs).numpy()  # up to the third normalisation
    found = embed_batch(model, inputs)
    assert np.allclose(found[:, :64], last.mean(axis=(2, 3)), atol=1e-5)
    assert np.allclose(found[:, 64:], last.std(axis=(2, 3)), atol=1e-5)


def test_of_an_archive_and_of_one_patch(few: Path, tmp_path: Path) -> None:  # noqa: F811
    run, archive = make_run(tmp_path / "run", "convnext-native"), Archive.open(few)
    found = np.concatenate(list(embed_patches(run, archive, batch_size=16)))
    assert len(found) == 66
    assert np.allclose(embed_pixels(run, archive[40].arrays), found[40], rtol=1e-4, atol=1e-2)


def test_networks_without_a_map() -> None:
    with pytest.raises(InputError, match="has no feature map"):
        embed_batch(nn.Linear(3, 3), torch.zeros(1, 3))
    with pytest.raises(InputError, match="has no feature map"):
        embed_batch(nn.Identity(), torch.zeros(1, 1, 1, 1))
