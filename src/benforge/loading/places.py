"""Where pixels live while a model works on them: on the disk, in memory, on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import torch

from benforge.archive.archive import Archive
from benforge.core.contract import Contract
from benforge.core.progress import Progress, silent
from benforge.errors import InputError
from benforge.loading.held import DevicePixels, HeldBands, RamPixels
from benforge.loading.inputs import DeviceInputs, Inputs, PatchInputs
from benforge.loading.order import Positions
from benforge.loading.prepare import Preparer
from benforge.loading.reading import PatchReader

Place = Literal["disk", "ram", "device"]
PLACES: tuple[Place, ...] = get_args(Place)
"""Mapped from the disk; read once into memory; held by the device that computes."""


def check_place(name: str) -> Place:
    """The place of this name.

    Raises:
        InputError: there is none.
    """
    if name not in PLACES:
        raise InputError(
            f"pixels cannot be held in {name!r}", where="--pixels", do=f"Use {', '.join(PLACES)}"
        )
    return name


def open_inputs(
    archive: Archive,
    contract: Contract,
    device: torch.device,
    *,
    place: str = "disk",
    used: Positions | None = None,
    workers: int = 1,
    dtype: torch.dtype = torch.float32,
    progress: Progress = silent,
) -> Inputs:
    """An archive's patches as the model of a contract sees them.

    Args:
        archive: opened.
        contract: of the model.
        device: where it computes.
        place: one of `PLACES`; the batches are the same.
        used: positions of the patches that may be asked for, all if None.
        workers: threads that read ahead, from disk or memory.
        dtype: of what the model sees.
        progress: told how many are read, where pixels are held.

    Raises:
        InputError: no such place.
        MemoryShortError: held pixels do not fit.
        ArchiveError: a shard is damaged, or patches are of several sizes.
    """
    return place_inputs(
        archive,
        contract.bands,
        device,
        partial(_preparer, archive, contract, device, dtype),
        place=place,
        used=used,
        workers=workers,
        progress=progress,
    )


def place_inputs(
    archive: Archive,
    bands: Sequence[str],
    device: torch.device,
    prepare: Callable[[HeldBands | None], Preparer],
    *,
    place: str,
    used: Positions | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> PatchInputs | DeviceInputs:
    """The same without a contract: bands, and what makes a preparer of those that are held."""
    place = check_place(place)
    if place == "disk":
        reader = PatchReader(archive, bands, pinned=device.type == "cuda")
        return PatchInputs(reader, prepare(None), workers)
    used = np.arange(len(archive)) if used is None else used
    fetch: dict[str, Any] = {"workers": max(1, workers), "progress": progress}
    if place == "ram":
        ram = RamPixels(archive, bands, used, **fetch)
        return PatchInputs(ram, prepare(ram.bands), workers)
    held = DevicePixels(archive, bands, used, device, **fetch)
    return DeviceInputs(held, prepare(held.bands))


def inputs_from_disk(
    archive: Archive,
    contract: Contract,
    device: torch.device,
    *,
    workers: int = 1,
    dtype: torch.dtype = torch.float32,
) -> PatchInputs:
    """The patches as `open_inputs` gives them from the disk, with their reader."""
    reader = PatchReader(archive, contract.bands, pinned=device.type == "cuda")
    return PatchInputs(reader, _preparer(archive, contract, device, dtype), workers)


def _preparer(
    archive: Archive,
    contract: Contract,
    device: torch.device,
    dtype: torch.dtype,
    held: HeldBands | None = None,
) -> Preparer:
    return Preparer(
        archive.meta.sensor,
        contract.bands,
        contract.normalisation,
        contract.kernel,  # type: ignore[arg-type]
        native=contract.native,
        device=device,
        dtype=dtype,
        stored=held.names if held else None,
    )
