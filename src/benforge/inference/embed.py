"""Embeddings: what a model has made of a patch just before its classification layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benforge.archive.archive import Archive
from benforge.core.contract import Contract
from benforge.core.progress import Progress, silent
from benforge.core.sensor import load_sensor
from benforge.errors import InputError
from benforge.inference.predict import BATCH, check_fits
from benforge.loading.places import open_inputs
from benforge.loading.prepare import ModelInput, Preparer
from benforge.models.checkpoint import load_model

Vectors = npt.NDArray[np.float32]
"""`patch feature`."""


def find_classifier(model: nn.Module) -> nn.Linear:
    """The last fully connected layer of a model, which gives the logits.

    Raises:
        InputError: it has none.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise InputError(
            "the model has no fully connected layer to take embeddings before",
            where=type(model).__name__,
            do="Use a model of ben models, or ben embed --statistics",
        )
    return layers[-1]


@contextmanager
def _listening(layer: nn.Linear) -> Iterator[list[Tensor]]:
    """What goes into a layer while the context lasts, the last call's alone."""
    heard: list[Tensor] = []

    def hear(_: nn.Module, given: tuple[Any, ...]) -> None:
        heard[:] = [given[0]]

    handle = layer.register_forward_pre_hook(hear)
    try:
        yield heard
    finally:
        handle.remove()


def embed_batch(model: nn.Module, inputs: ModelInput) -> Vectors:
    """The embeddings of a batch, `patch feature`, float32: the classification layer's input.

    Args:
        model: in evaluation mode.
        inputs: as the model takes them.

    Raises:
        InputError: the logits are not what its last fully connected layer makes of them.
    """
    layer = find_classifier(model)
    with torch.inference_mode(), _listening(layer) as heard:
        logits = model(inputs)
        if not heard or heard[0].ndim != 2 or not _same(layer(heard[0]), logits):
            raise InputError(
                "the model's logits do not come from its last fully connected layer",
                where=type(model).__name__,
                do="Use a model of ben models, or ben embed --statistics",
            )
        found: Vectors = heard[0].float().cpu().numpy()
    return found


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def embed_patches(
    run: Path,
    archive: Archive,
    *,
    device: torch.device | None = None,
    batch_size: int = BATCH,
    progress: Progress = silent,
) -> Iterator[Vectors]:
    """The embeddings of all patches of an archive, in the order of its index, in batches.

    Args:
        run: folder of a training, or its checkpoint.
        archive: need not be the one that the model was trained on.
        device: where; the CPU if None.
        batch_size: patches at once; changes nothing beyond rounding.
        progress: told how many are done.

    Raises:
        InputError: other bands, numbers or patch sizes than the model's.
        MissingError: no such checkpoint.
    """
    model, contract = load_model(run, device)
    check_fits(contract, archive)
    inputs = open_inputs(archive, contract, device or torch.device("cpu"))
    done = 0
    for batch in inputs.batches(np.arange(len(archive)), batch_size):
        yield embed_batch(model, batch.inputs)
        done += len(batch.positions)
        progress("embedding", done, len(archive))


def embed_pixels(run: Path, pixels: Mapping[int, npt.NDArray[np.uint16]]) -> Vectors:
    """The embedding of one patch, `feature`, prepared as the model's contract says.

    Args:
        run: folder of a training, or its checkpoint.
        pixels: pixel size (m) to `band row col`, as archives store them.

    Raises:
        MissingError: no such checkpoint.
        InputError: the checkpoint is damaged.
    """
    model, contract = load_model(run)
    batch = {size: bands[None] for size, bands in pixels.items()}
    found: Vectors = embed_batch(model, _preparer(contract)(batch))[0]
    return found


def _preparer(contract: Contract) -> Preparer:
    return Preparer(
        load_sensor(),
        contract.bands,
        contract.normalisation,
        contract.kernel,  # type: ignore[arg-type]
        native=contract.native,
        device=torch.device("cpu"),
    )
