"""Real patches to train on: 24 of the sample, with a split."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_split
from benforge.core.split import Split
from benforge.training.recipe import TrainRecipe, TrainRequest, change_recipe

FAST = TrainRecipe(epochs=3, batch_size=4, learning_rate=0.02, workers=1)


def request(model: str = "scnn-rgb", seed: int = 1, labels: str = "level1", **changes: object):
    """A short training."""
    options = changes.pop("options", {})
    recipe = change_recipe(FAST, changes)
    return TrainRequest(
        model=model, split="few", labels=labels, seed=seed, options=options, recipe=recipe
    )


@pytest.fixture(scope="session")
def few(imported_sample: Archive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with the split "few": 12 train, 4 validate, 4 test, the others are left out."""
    root = tmp_path_factory.mktemp("training") / "archive"
    shutil.copytree(imported_sample.root, root)
    parts = np.full(66, None, object)
    parts[:12], parts[12:16], parts[16:20] = "train", "validation", "test"
    write_split(root, Split.of("few", "by-hand", imported_sample.index["patch_id"], parts))
    write_split(root, Split.of("all", "by-hand", imported_sample.index["patch_id"], _all(66)))
    return root


def _all(count: int) -> np.ndarray:
    return np.full(count, "train", object)


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Small batches are slower on several threads, and far slower beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
