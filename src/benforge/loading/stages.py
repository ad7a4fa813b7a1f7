"""Each stage of loading by itself: copying, reading, fetching, normalising, interpolating."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
import torch

from benforge.archive.bands import room_for
from benforge.loading.held import DevicePixels
from benforge.loading.order import Positions, cut
from benforge.loading.prepare import Preparer
from benforge.loading.reading import PatchReader, PixelSource
from benforge.loading.upsampling import upsample

LEAST, MOST, SECONDS = 4, 60, 2.0
"""Rounds of stages that take turns, and seconds after which there is no further one."""
_FEW = 128
"""Patches that preparation is measured on, at most."""
_SAMPLE = 2**28
"""Bytes of pixels that reading is measured on, at most."""


def patch_bytes(source: PixelSource, order: Positions) -> int:
    """Bytes of a patch as it is read."""
    return sum(array.nbytes for array in source.read(order[:1]).values())


def synchronise(device: torch.device) -> None:
    """Wait for a GPU to have done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def time_stages(
    source: PixelSource,
    prepare: Preparer,
    order: Positions,
    size: int,
    *,
    coded: bool,
    device: torch.device,
) -> dict[str, float]:
    """Microseconds a patch of each stage, warm: medians of rounds that take turns.

    Args:
        source: of stored pixels.
        prepare: what happens on the device.
        order: of patches.
        size: patches a batch.
        coded: whether chunks are compressed.
        device: where batches are prepared.
    """
    order = order[: max(size, _SAMPLE // patch_bytes(source, order))]
    parts = [order[part] for part in cut(len(order), size)]
    took = _timed(_moving(source, parts), len(order), device)
    few = order[: min(size, _FEW)]
    took |= _timed(_preparing(source, few, prepare, device), len(few), device)
    prepared = max(0.0, took.pop("prepare") - took["transfer"])
    took["normalise"] = max(0.0, prepared - took["upsample"])
    took["decode"] = max(0.0, took["read"] - took["copy"]) if coded else 0.0
    return took


def _timed(
    works: Mapping[str, Callable[[], object]], patches: int, device: torch.device
) -> dict[str, float]:
    """Microseconds a patch of each, one round to warm up left out."""
    times: dict[str, list[float]] = {name: [] for name in works}
    begun, rounds = time.perf_counter(), 0
    while rounds < LEAST or (rounds < MOST and time.perf_counter() - begun < SECONDS):
        rounds += 1
        for name, work in works.items():
            start = time.perf_counter()
            work()
            synchronise(device)
            times[name].append(time.perf_counter() - start)
    return {name: 1e6 * median(t[1:]) / patches for name, t in times.items()}


def _moving(source: PixelSource, parts: Sequence[Positions]) -> dict[str, Callable[[], object]]:
    """Reading stored pixels, and copying the same bytes."""
    if isinstance(source, DevicePixels):
        rows = [source.rows(part) for part in parts]
        some = list(source.pixels.values())
        return {
            "copy": lambda: [[t[: len(r)].clone() for t in some] for r in rows],
            "read": lambda: [[t.index_select(0, r) for t in some] for r in rows],
        }
    memory = [source.read(part) for part in parts]
    rooms = {size: room_for(array.shape) for size, array in memory[0].items()}

    def copy() -> None:
        """A patch at a time, as reading does."""
        for batch in memory:
            for size, array in batch.items():
                room = rooms[size]
                for i in range(len(array)):
                    room[i] = array[i]

    def read() -> None:
        for part in parts:
            if isinstance(source, PatchReader):
                source.read(part, {size: room[: len(part)] for size, room in rooms.items()})
            else:
                source.read(part)

    return {"copy": copy, "read": read}


def _preparing(
    source: PixelSource, few: Positions, prepare: Preparer, device: torch.device
) -> dict[str, Callable[[], object]]:
    """From stored pixels to what a model sees, whole and in parts."""
    stored = source.read(few)
    bits = {size: torch.from_numpy(array.view(np.int16)) for size, array in stored.items()}
    works = {"upsample": _upsampling(bits, len(few), device)}
    if isinstance(source, DevicePixels):
        held, rows = source.pixels, source.rows(few)
        return works | {
            "transfer": lambda: None,
            "prepare": lambda: prepare(held, None, rows),
        }
    return works | {
        "transfer": lambda: [t.to(device, non_blocking=True) for t in bits.values()],
        "prepare": lambda: prepare(stored),
    }


def _upsampling(
    whole: Mapping[int, torch.Tensor], patches: int, device: torch.device
) -> Callable[[], object]:
    """Interpolation alone, as the plain way does it: some patches at a time on a CPU."""
    edge = max(t.shape[-1] for t in whole.values())
    coarse = [t[:16].to(device).float() for t in whole.values() if t.shape[-1] < edge]

    def work() -> None:
        for _ in range(-(-patches // 16)):
            for tensor in coarse:
                upsample(tensor, edge, "cubic-0.5")

    return work
