"""Pixels read once and held: in the machine's memory, or on the device that computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from benforge.archive.archive import Archive
from benforge.core.memory import free_memory
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor
from benforge.errors import InputError, MemoryShortError
from benforge.loading.order import Positions, cut
from benforge.loading.reading import PatchReader, Pixels, read_ahead

_AT_ONCE = 256
"""Patches read at a time while pixels are fetched."""
_SPARE = 0.5
"""GiB that must stay free beside the pixels."""


@dataclass(frozen=True, slots=True)
class HeldBands:
    """Which bands of an archive are held: of each pixel size those that are needed, no others.

    Args:
        names: pixel size to the bands' names, as they stand in the held arrays.
        picks: pixel size to where they stand in the archive's array.
        shapes: pixel size to `band row col` of a held patch.
    """

    names: Mapping[int, tuple[str, ...]]
    picks: Mapping[int, tuple[int, ...]]
    shapes: Mapping[int, tuple[int, int, int]]

    @classmethod
    def of(cls, sensor: Sensor, bands: Sequence[str], reader: PatchReader) -> HeldBands:
        """The bands of these names, in the archive's order."""
        names, picks, shapes = {}, {}, {}
        for size, (_, *edges) in reader.shapes.items():
            there = [band.name for band in sensor.bands_at(size)]
            picks[size] = tuple(i for i, name in enumerate(there) if name in bands)
            names[size] = tuple(there[i] for i in picks[size])
            shapes[size] = (len(picks[size]), edges[0], edges[1])
        return cls(names, picks, shapes)

    @property
    def patch_bytes(self) -> int:
        """Bytes of one patch."""
        return sum(2 * int(np.prod(shape)) for shape in self.shapes.values())

    def pick(self, pixels: Pixels) -> Pixels:
        """The held bands of a batch as read."""
        return {
            size: array if len(self.picks[size]) == array.shape[1] else array[:, self.picks[size]]
            for size, array in pixels.items()
        }


class _Rows:
    """Which row of the held arrays a patch of the index is.

    Args:
        used: positions of the held patches, ascending.
        total: patches of the archive.
    """

    def __init__(self, used: Positions, total: int) -> None:
        self._rows = np.full(total, -1, np.int64)
        self._rows[used] = np.arange(len(used))

    def __call__(self, positions: Positions) -> Positions:
        """Rows of these patches.

        Raises:
            InputError: one is not held.
        """
        rows = self._rows[positions]
        if len(rows) and rows.min() < 0:
            lost = int(positions[int(rows.argmin())])
            raise InputError(f"patch {lost} of the index is not held in memory")
        return rows


class RamPixels:
    """Pixels of some patches in the machine's memory, one contiguous array a pixel size.

    Args:
        archive: opened.
        bands: names of the bands that are needed; no others are held.
        used: positions of the patches, each once.
        workers: threads that read.
        progress: told how many are read.

    Raises:
        MemoryShortError: they do not fit; says how many GiB they need, and how many there are.
        ArchiveError: a shard is damaged, or patches are of several sizes.
    """

    def __init__(
        self,
        archive: Archive,
        bands: Sequence[str],
        used: Positions,
        *,
        workers: int = 1,
        progress: Progress = silent,
    ) -> None:
        reader = PatchReader(archive, bands)
        self.bands = HeldBands.of(archive.meta.sensor, bands, reader)
        used = np.unique(used)
        check_memory(len(used) * self.bands.patch_bytes, torch.device("cpu"))
        self._rows = _Rows(used, len(archive))
        self.pixels: Mapping[int, npt.NDArray[np.uint16]] = {
            size: np.empty((len(used), *shape), np.uint16)
            for size, shape in self.bands.shapes.items()
        }
        for part, read in _read_once(reader, used, workers, progress):
            for size, array in self.bands.pick(read).items():
                self.pixels[size][part] = array

    def read(self, positions: Positions) -> Pixels:
        """The held bands of these patches, in this order.

        Raises:
            InputError: one is not held.
        """
        rows = self._rows(positions)
        return {size: array.take(rows, axis=0) for size, array in self.pixels.items()}


class DevicePixels:
    """Pixels of some patches on the device that computes, as int16 with the bits of uint16.

    Args:
        archive: opened.
        bands: names of the bands that are needed; no others are held.
        used: positions of the patches, each once.
        device: where; a CPU does too, for those who try it out.
        workers: threads that read.
        progress: told how many are read.

    Raises:
        MemoryShortError: they do not fit; says how many GiB they need, and how many there are.
        ArchiveError: a shard is damaged, or patches are of several sizes.
    """

    def __init__(
        self,
        archive: Archive,
        bands: Sequence[str],
        used: Positions,
        device: torch.device,
        *,
        workers: int = 1,
        progress: Progress = silent,
    ) -> None:
        reader = PatchReader(archive, bands, pinned=device.type == "cuda")
        self.bands, self.device = HeldBands.of(archive.meta.sensor, bands, reader), device
        used = np.unique(used)
        check_memory(len(used) * self.bands.patch_bytes, device)
        self._rows = _Rows(used, len(archive))
        self.pixels: Mapping[int, torch.Tensor] = {
            size: torch.empty((len(used), *shape), dtype=torch.int16, device=device)
            for size, shape in self.bands.shapes.items()
        }
        for part, read in _read_once(reader, used, workers, progress):
            for size, array in self.bands.pick(read).items():
                bits = torch.from_numpy(array.view(np.int16))
                self.pixels[size][part].copy_(bits, non_blocking=True)

    def rows(self, positions: Positions) -> torch.Tensor:
        """The rows of `pixels` that these patches are, int64, on the device.

        Raises:
            InputError: one is not held.
        """
        return torch.from_numpy(self._rows(positions)).to(self.device)

    def read(self, positions: Positions) -> Pixels:
        """The held bands of these patches, in this order, back in the machine's memory.

        Raises:
            InputError: one is not held.
        """
        rows = self.rows(positions)
        return {
            size: tensor.index_select(0, rows).cpu().numpy().view(np.uint16)
            for size, tensor in self.pixels.items()
        }


def _read_once(
    reader: PatchReader, used: Positions, workers: int, progress: Progress
) -> Iterator[tuple[slice, Pixels]]:
    """All these patches in the order of the index, which is that of the disk."""

    def read(part: slice) -> tuple[slice, Pixels]:
        return part, reader.read(used[part])

    for part, pixels in read_ahead(read, cut(len(used), _AT_ONCE), workers):
        yield part, pixels
        progress("fetching pixels", part.stop, len(used))


def check_memory(needed: int, device: torch.device) -> None:
    """Raise where so many bytes do not fit, before anything is read.

    Raises:
        MemoryShortError: says how many GiB are needed and how many there are.
    """
    if device.type == "cuda":
        free: float | None = torch.cuda.mem_get_info(device)[0] / 2**30
        who, do = "the GPU", "Use --pixels ram or disk, or more GPUs with torchrun"
    else:
        free, who, do = free_memory(), "this machine", "Use --pixels disk"
    wanted = needed / 2**30
    if free is not None and wanted + _SPARE > free:
        raise MemoryShortError(
            f"the pixels need {wanted:,.1f} GiB and {_SPARE} beside them, {who} has {free:,.1f} "
            "free",
            where="--pixels",
            do=do,
        )
