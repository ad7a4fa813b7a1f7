"""From a request to all that a training needs: patches, targets, model, optimiser."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import torch
from torch import nn

from benforge import __version__
from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.contract import Contract
from benforge.core.progress import Progress, silent
from benforge.core.split import PARTS, Split
from benforge.errors import InputError
from benforge.loading.inputs import Inputs
from benforge.loading.normalisation import find_normalisation
from benforge.loading.order import Positions, block_ids, shuffle, shuffle_blocks
from benforge.loading.parts import find_parts
from benforge.loading.places import open_inputs
from benforge.loading.prepare import ModelInput
from benforge.loading.reading import PatchReader
from benforge.loading.targets import Targets, load_targets
from benforge.models.port import ModelSpec
from benforge.models.registry import (
    build_model,
    find_model,
    title_of,
    wanted_normalisation,
    weights_of,
)
from benforge.training.features import feature_inputs
from benforge.training.optimiser import make_optimiser
from benforge.training.processes import Processes
from benforge.training.recipe import TrainRecipe, TrainRequest


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A training, ready to go.

    Args:
        recipe: how.
        seed: of all that is drawn.
        processes: this one and the others.
        parts: part to positions in the archive's index.
        inputs: gives what the network sees.
        hot: `patch label` of the whole archive, on the device.
        model: what the checkpoint holds.
        network: what is trained: the model, or the head of one whose features are frozen.
        forward: the network, compiled if the recipe says so.
        optimiser: of the network.
        contract: of the checkpoints.
        absent: classes that no training patch has.
        shards: processes that hold the pixels of their share of the patches alone; 1 where each
            can read all.
        blocks: the shard of every patch of the archive, where the recipe shuffles by it.
    """

    recipe: TrainRecipe
    seed: int
    processes: Processes
    parts: Mapping[str, Positions]
    inputs: Inputs
    hot: torch.Tensor
    model: nn.Module
    network: nn.Module
    forward: Callable[[ModelInput], torch.Tensor]
    optimiser: torch.optim.SGD
    contract: Contract
    absent: tuple[str, ...]
    shards: int = 1
    blocks: Positions | None = None

    def order(self, epoch: int) -> Positions:
        """The training patches of an epoch, in their order."""
        train = self.parts["train"]
        if self.blocks is not None:
            return shuffle_blocks(train, self.blocks, self.seed, epoch)
        return shuffle(train, self.seed, epoch, self.shards)

    def targets(self, positions: Positions) -> torch.Tensor:
        """The labels of these patches, `patch label`, on the device."""
        where = torch.from_numpy(positions)
        return self.hot[where.to(self.hot.device, non_blocking=True)]

    def autocast(self) -> AbstractContextManager[object]:
        """Half precision where the recipe says so."""
        enabled = self.recipe.precision == "bf16"
        return torch.autocast(self.processes.device.type, torch.bfloat16, enabled=enabled)


def set_up(
    root: Path,
    request: TrainRequest,
    processes: Processes,
    cache: Path,
    progress: Progress = silent,
    pixels: str = "disk",
) -> Setup:
    """Open the archive, build the model, and check that they fit.

    Args:
        root: folder of the archive.
        request: what is wanted.
        processes: this one and the others.
        cache: folder for features of a frozen network.
        progress: told how many of those are computed.
        pixels: where they live: "disk", "ram" or "device".

    Raises:
        InputError: an unknown model, option or label; an empty part; patches that are not there.
        MissingError: no such archive or split.
    """
    archive, recipe = Archive.open(root), request.recipe
    _check_batches(recipe, processes)
    split, spec = read_split(archive.root, request.split), find_model(request.model)
    parts = find_parts(archive, split, _parts(recipe))
    targets = load_targets(archive, request.labels)
    torch.manual_seed(request.seed)
    model = build_model(request.model, spec.bands, len(targets.nomenclature), request.options)
    contract = _contract(archive, split, request, spec, model, targets, parts["train"])
    model = model.to(processes.device)
    if recipe.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    used = np.unique(np.concatenate(list(parts.values())))
    shared = pixels == "device" and recipe.shuffle == "full" and not spec.frozen_features
    shards = processes.count if shared else 1
    mine = used if shards == 1 else _mine(parts, processes, recipe)
    inputs = _open(archive, contract, processes.device, recipe, pixels, mine, progress)
    network = model
    if spec.frozen_features:
        network = cast(nn.Module, model.head)
        inputs = feature_inputs(
            model, inputs, archive, used, contract, recipe.precision, cache, progress
        )
    return Setup(
        recipe=recipe,
        seed=request.seed,
        processes=processes,
        parts=parts,
        inputs=inputs,
        hot=torch.from_numpy(targets.hot).to(processes.device),
        model=model,
        network=network,
        forward=torch.compile(network) if recipe.compile else network,
        optimiser=make_optimiser(network, recipe),
        contract=contract,
        absent=_absent(targets, parts["train"]),
        shards=shards,
        blocks=block_ids(archive.index) if recipe.shuffle == "blocks" else None,
    )


def _open(
    archive: Archive,
    contract: Contract,
    device: torch.device,
    recipe: TrainRecipe,
    place: str,
    used: Positions,
    progress: Progress,
) -> Inputs:
    """The patches of a training, in the numbers that it computes with."""
    return open_inputs(
        archive,
        contract,
        device,
        place=place,
        used=used,
        workers=recipe.workers,
        dtype=torch.bfloat16 if recipe.precision == "bf16" else torch.float32,
        progress=progress,
    )


def _absent(targets: Targets, train: Positions) -> tuple[str, ...]:
    """Classes of no training patch."""
    counts = targets.counts(train)
    return tuple(n for n, c in zip(targets.nomenclature.names, counts, strict=True) if not c)


def _parts(recipe: TrainRecipe) -> tuple[str, ...]:
    """Train and validation; the latter may be empty where nothing asks for it."""
    return PARTS[:1] if recipe.keep == "last" and not recipe.patience else PARTS[:2]


def _mine(parts: Mapping[str, Positions], processes: Processes, recipe: TrainRecipe) -> Positions:
    """The patches that this process alone is asked for, in any epoch."""
    return np.unique(
        np.concatenate([processes.share(part, recipe.batch_size) for part in parts.values()])
    )


def _check_batches(recipe: TrainRecipe, processes: Processes) -> None:
    if recipe.batch_size % processes.count:
        raise InputError(
            f"a batch of {recipe.batch_size} is not divided by {processes.count} processes",
            where="batch_size",
            do=f"Take a multiple of {processes.count}",
        )


def _contract(
    archive: Archive,
    split: Split,
    request: TrainRequest,
    spec: ModelSpec,
    model: nn.Module,
    targets: Targets,
    train: Positions,
) -> Contract:
    sensor = archive.meta.sensor
    reader = PatchReader(archive, spec.bands)
    normalisation = wanted_normalisation(request.model, request.options) or find_normalisation(
        request.recipe.normalisation, reader, train, spec.bands, sensor
    )
    return Contract(
        model=request.model,
        title=title_of(request.model, model),
        options=dict(request.options),
        bands=tuple(spec.bands),
        quantification=sensor.quantification,
        patch_pixels=archive[0].arrays[min(sensor.pixel_sizes)].shape[-1],
        native=spec.native,
        kernel=request.recipe.kernel,
        normalisation=normalisation,
        nomenclature=targets.nomenclature.name,
        classes=targets.nomenclature.names,
        own=targets.nomenclature if targets.members else None,
        members=targets.members,
        split=split.name,
        split_digest=split.digest,
        archive=archive.root.resolve().name,
        simulated=bool(archive.meta.simulated),
        recipe=msgspec.to_builtins(request.recipe) | {"seed": request.seed},
        weights=weights_of(model),
        versions={
            "benforge": __version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
    )
