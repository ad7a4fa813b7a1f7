"""How fast an archive's patches come, and what keeps them from coming faster."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from benforge.archive.archive import Archive
from benforge.archive.info import find_compression
from benforge.core.object_path import ObjectPath
from benforge.errors import InputError
from benforge.loading.dataset import check_bands
from benforge.loading.held import HeldBands
from benforge.loading.inputs import DeviceInputs, PatchInputs
from benforge.loading.normalisation import find_normalisation
from benforge.loading.order import Positions, block_ids, cut, draw_turns, shuffle, shuffle_blocks
from benforge.loading.places import place_inputs
from benforge.loading.prepare import Preparer
from benforge.loading.reading import AHEAD, PatchReader, read_ahead
from benforge.loading.stages import patch_bytes, synchronise, time_stages

ADVICE: Mapping[str, str] = {
    "disk": "The disk binds: hold the pixels with --pixels ram or device where they fit, read "
    "whole shards with train.shuffle=blocks, or read ahead with more train.workers.",
    "network": "The network binds: copy the archive to a disk (ben copy), hold the pixels with "
    "--pixels ram or device where they fit, or ask for fewer places with train.shuffle=blocks.",
    "page cache": "Copying from the page cache binds, at the speed of memory: more train.workers, "
    "or --pixels device where a GPU has room.",
    "decode": "Decompression binds: more train.workers, --pixels ram or device, or an archive "
    "built with storage.compression none.",
    "upsampling": "Bringing 20 and 60 m bands to 10 m binds: use a GPU, or a model that takes "
    "bands as they are (native).",
    "normalisation": "Turning, converting and normalising bind: use a GPU.",
    "device": "The device's own preparation binds: nothing waits for pixels.",
}
"""What binds, to what to do about it."""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; times are of one patch, in microseconds.

    Args:
        patches: of the archive.
        measured: patches that came while the clock ran.
        pixels: where they live: "disk", "ram" or "device".
        device: what prepares them.
        bands: "rgb" or "all".
        batch_size: patches a batch.
        workers: threads that read ahead.
        patches_per_second: ready for a model, from end to end.
        share_of_memory_copy: speed of reading stored pixels, as a share of copying the same bytes
            from one array in memory to another, in the same batches.
        waiting_share: share of the time in which whoever prepares waits for stored pixels.
        bound_by: what keeps patches from coming faster, a key of `ADVICE`.
        advice: what to do about it.
        stages: read (of it decode, where chunks are compressed; 0 where they come over the
            network, from which it cannot be told), transfer, normalise, upsample, and copy, which
            is the floor of read.
        share_from_disk: of the bytes that were read while the clock ran; None where the system
            does not tell, and for an archive in object storage.
        memory_per_worker_mib: batches that a worker may have in memory.
        notes: what the figures do not tell.
    """

    patches: int
    measured: int
    pixels: str
    device: str
    bands: str
    batch_size: int
    workers: int
    patches_per_second: float
    share_of_memory_copy: float
    waiting_share: float
    bound_by: str
    advice: str
    stages: dict[str, float]
    share_from_disk: float | None
    memory_per_worker_mib: float
    notes: tuple[str, ...]


def diagnose(
    archive: Archive,
    *,
    bands: str = "all",
    pixels: str = "disk",
    shuffled: str = "full",
    batch_size: int = 128,
    workers: int = 1,
    seconds: float = 5.0,
    device: torch.device | None = None,
) -> Diagnosis:
    """Measure the loader on an archive.

    Args:
        archive: opened.
        bands: "rgb", or "all" that patches have.
        pixels: where they live.
        shuffled: "full" or "blocks".
        batch_size: patches a batch.
        workers: threads that read ahead.
        seconds: that batches are fetched for; the stages take as long again, about.
        device: what prepares batches; the CPU if None.

    Raises:
        InputError: the archive has no patch, or the seconds have no end.
        MemoryShortError: held pixels do not fit.
        ArchiveError: a shard is damaged, or patches are of several sizes.
    """
    _check_asked(archive, seconds)
    device = device or torch.device("cpu")
    inputs = _inputs(archive, check_bands(archive, bands), pixels, workers, device)
    order = _order(archive, shuffled)
    rate, waiting, count, from_disk = _fetch(inputs, order, batch_size, seconds, device)
    remote = isinstance(archive.root, ObjectPath)
    from_disk = None if remote else from_disk
    source = inputs.held if isinstance(inputs, DeviceInputs) else inputs.reader
    coded = not remote and find_compression(archive) != "none"
    stages = time_stages(source, inputs.prepare, order, batch_size, coded=coded, device=device)
    bound = _bound(inputs, waiting, from_disk, stages, device, remote=remote)
    each = patch_bytes(source, order)
    held = 0 if pixels == "device" else (AHEAD * workers + 2) * min(batch_size, len(archive)) * each
    return Diagnosis(
        patches=len(archive),
        measured=count,
        pixels=pixels,
        device=str(device),
        bands=bands,
        batch_size=batch_size,
        workers=workers,
        patches_per_second=round(rate, 1),
        share_of_memory_copy=round(stages["copy"] / stages["read"], 3),
        waiting_share=round(waiting, 3),
        bound_by=bound,
        advice=ADVICE[bound],
        stages={name: round(value, 2) for name, value in stages.items()},
        share_from_disk=None if from_disk is None else round(from_disk / (each * count), 3),
        memory_per_worker_mib=round(held / max(1, workers) / 2**20, 1),
        notes=_notes(archive, order, each, count, from_disk, pixels),
    )


def _check_asked(archive: Archive, seconds: float) -> None:
    if not len(archive):
        raise InputError("the archive has no patch to read", where=archive.root)
    if not 0 < seconds < math.inf:
        raise InputError(f"cannot fetch for {seconds} seconds", do="Give seconds, such as 5")


_Loaded = PatchInputs | DeviceInputs


def _inputs(
    archive: Archive, names: Sequence[str], place: str, workers: int, device: torch.device
) -> _Loaded:
    sensor, every = archive.meta.sensor, np.arange(len(archive))
    reader = PatchReader(archive, names)
    normalisation = find_normalisation("published", reader, every, names, sensor)

    def prepare(held: HeldBands | None) -> Preparer:
        stored = held.names if held else None
        return Preparer(
            sensor, names, normalisation, "cubic-0.5", native=False, device=device, stored=stored
        )

    return place_inputs(archive, names, device, prepare, place=place, workers=workers)


def _order(archive: Archive, shuffled: str) -> Positions:
    every = np.arange(len(archive))
    if shuffled == "blocks":
        return shuffle_blocks(every, block_ids(archive.index), 1, 0)
    return shuffle(every, 1, 0)


def _fetch(
    inputs: _Loaded, order: Positions, size: int, seconds: float, device: torch.device
) -> tuple[float, float, int, float | None]:
    """Patches a second, share of the time waited, patches, bytes from the disk."""
    before, count, waited, spent = _disk_bytes(), 0, 0.0, 0.0
    start = time.perf_counter()
    while spent < seconds:
        for patches, waiting in _steps(inputs, order, size, device):
            count, waited = count + patches, waited + waiting
            spent = time.perf_counter() - start
            if spent >= seconds:
                break
    after = _disk_bytes()
    fetched = None if before is None or after is None else float(after - before)
    return count / spent, waited / spent, count, fetched


def _steps(
    inputs: _Loaded, order: Positions, size: int, device: torch.device
) -> Iterator[tuple[int, float]]:
    """Batches as a training takes them: patches of each, and seconds waited for their pixels."""
    turns = draw_turns(len(order), 1, 0)
    if isinstance(inputs, DeviceInputs):
        for batch in inputs.batches(order, size, turns=turns):
            synchronise(device)
            yield len(batch.positions), 0.0
        return
    reader, parts = inputs.reader, list(cut(len(order), size))
    pixels = read_ahead(lambda part: reader.read(order[part]), parts, inputs.workers)
    for part in parts:
        start = time.perf_counter()
        found = next(pixels)
        waited = time.perf_counter() - start
        inputs.prepare(found, turns[part])
        synchronise(device)
        yield part.stop - part.start, waited


def _bound(
    inputs: _Loaded,
    waiting: float,
    from_disk: float | None,
    stages: Mapping[str, float],
    device: torch.device,
    *,
    remote: bool = False,
) -> str:
    """A key of `ADVICE`."""
    reads = isinstance(inputs, PatchInputs) and waiting > 0.5
    if reads and isinstance(inputs, PatchInputs) and isinstance(inputs.reader, PatchReader):
        if remote or from_disk:
            return "network" if remote else "disk"
        return "decode" if stages["decode"] > stages["copy"] else "page cache"
    if reads:
        return "page cache"
    if device.type == "cuda":
        return "device"
    return "upsampling" if stages["upsample"] > stages["normalise"] else "normalisation"


def _disk_bytes() -> int | None:
    """Bytes that this process had fetched from disks so far; None where that is not told."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes"))
    except (OSError, StopIteration, ValueError):
        return None


def _notes(
    archive: Archive,
    order: Positions,
    each: int,
    count: int,
    from_disk: float | None,
    pixels: str,
) -> tuple[str, ...]:
    notes, size = [], len(order) * each / 2**20
    if pixels == "disk" and isinstance(archive.root, ObjectPath):
        notes.append("Pixels come over the network: reading is measured with it, decoding is not.")
    elif pixels == "disk" and from_disk is None:
        notes.append("This system does not tell what came from the disk, what from the page cache.")
    elif pixels == "disk" and not from_disk:
        notes.append(
            f"All that was read, {min(count, len(order)):,} patches of {size:,.0f} MiB in all, lay "
            "in the page cache: what the disk does was not measured."
        )
    if size < 64:
        notes.append(f"{len(order)} patches fit a processor's cache: larger archives are slower.")
    if archive.meta.simulated:
        notes.append("The archive is simulated.")
    return tuple(notes)
