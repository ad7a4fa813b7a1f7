"""Embeddings: what a model sees in a patch, by its last feature map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeGuard

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


class _Ear:
    """Hears the feature maps of a model while it is asked: means and deviations of channels.

    A map is `patch channel row col` with several pixels. Those that count are the last that a layer
    with weights has made before a layer turns a map into plain features, one a branch, as an
    activation then hides what lies below 0; or, where the model joins pixels itself, its last map.
    """

    def __init__(self) -> None:
        self._learned: list[Tensor] = []
        self._last: list[Tensor] = []
        self._ends: list[Tensor] = []

    def hear(self, module: nn.Module, given: tuple[Any, ...], made: Any) -> None:
        """What `register_forward_hook` calls."""
        alone = next(module.children(), None) is None
        if _is_map(made):
            self._last = [made]
            if alone and next(module.parameters(), None) is not None:
                self._learned = [_describe(made)]  # now: an activation may change it in place
        elif alone and given and _is_map(given[0]):
            self._ends += self._learned or [_describe(given[0])]

    @property
    def found(self) -> list[Tensor]:
        """`patch 2 channel` of each map that counts."""
        return self._ends or [_describe(one) for one in self._last]


def _describe(maps: Tensor) -> Tensor:
    """Mean and standard deviation of each channel, `patch 2 channel`."""
    variance, mean = torch.var_mean(maps.float(), dim=(2, 3), correction=0)
    return torch.stack([mean, variance.sqrt()], dim=1)


def _is_map(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.ndim == 4 and value.shape[2:].numel() > 1


@contextmanager
def _listening(model: nn.Module) -> Iterator[_Ear]:
    ear = _Ear()
    handles = [module.register_forward_hook(ear.hear) for module in model.modules()]
    try:
        yield ear
    finally:
        for handle in handles:
            handle.remove()


def embed_batch(model: nn.Module, inputs: ModelInput) -> Vectors:
    """The embeddings of a batch, `patch feature`, float32.

    They are the mean over the patch of each channel of the last feature map, then the standard
    deviation of each: what the model sees, wherever in the patch it lies.

    Args:
        model: in evaluation mode.
        inputs: as the model takes them.

    Raises:
        InputError: the model has no feature map.
    """
    with torch.inference_mode(), _listening(model) as ear:
        model(inputs)
        if not ear.found:
            raise InputError(
                "the model has no feature map to take embeddings of",
                where=type(model).__name__,
                do="Use a model of ben models, or ben embed --statistics",
            )
        found: Vectors = torch.cat(ear.found, dim=2).flatten(1).cpu().numpy()
    return found


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
