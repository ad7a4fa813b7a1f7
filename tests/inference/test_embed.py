"""Embeddings are what the classification layer is given, for every registered model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benforge.archive.archive import Archive
from benforge.errors import InputError
from benforge.inference.embed import embed_batch, embed_patches, embed_pixels, find_classifier
from benforge.inference.predict import predict
from benforge.models.checkpoint import load_model
from benforge.models.port import count_bands
from benforge.models.registry import MODELS, build_model
from tests.inference.test_export import make_run
from tests.training.conftest import few  # noqa: F401

CLASSES = 5


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gives_its_logits_by_its_embedding(name: str) -> None:
    spec = MODELS[name]
    torch.manual_seed(1)
    model = build_model(name, spec.bands, CLASSES).eval()
    sizes = count_bands(spec.bands)
    inputs = (
        tuple(torch.randn(2, count, 1200 // size, 1200 // size) for size, count in sizes.items())
        if spec.native
        else torch.randn(2, len(spec.bands), 120, 120)
    )
    found = embed_batch(model, inputs)
    layer = find_classifier(model)
    assert found.shape == (2, layer.in_features)
    assert found.dtype == np.float32
    with torch.inference_mode():
        by_hand = torch.from_numpy(found) @ layer.weight.T + layer.bias
        assert torch.allclose(by_hand, model(inputs), atol=1e-4)
    assert not layer._forward_pre_hooks


def test_of_an_archive_and_of_one_patch(few: Path, tmp_path: Path) -> None:  # noqa: F811
    run, archive = make_run(tmp_path / "run", "convnext-native"), Archive.open(few)
    found = np.concatenate(list(embed_patches(run, archive, batch_size=16)))
    assert len(found) == 66
    assert np.allclose(embed_pixels(run, archive[40].arrays), found[40], rtol=1e-4, atol=1e-2)
    layer = find_classifier(load_model(run)[0])
    logits = torch.from_numpy(found) @ layer.weight.T + layer.bias
    scores = torch.sigmoid(logits).detach().numpy()
    assert np.abs(scores - predict(run, few).scores).max() < 1e-5


class Odd(nn.Module):
    """A network whose last fully connected layer does not give the logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + 1


def test_networks_without_such_a_layer() -> None:
    with pytest.raises(InputError, match="do not come from its last fully connected layer"):
        embed_batch(Odd(), torch.zeros(1, 3))
    with pytest.raises(InputError, match="no fully connected layer"):
        embed_batch(nn.Sequential(nn.Conv2d(1, 1, 1)), torch.zeros(1, 1, 1, 1))
