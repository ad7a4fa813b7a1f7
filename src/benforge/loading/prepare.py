"""From stored numbers to what a model sees, in batch and on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from benforge.core.contract import Normalisation
from benforge.core.sensor import Sensor
from benforge.loading.fused import FusedGroup, find_fused
from benforge.loading.order import TURNS, cut
from benforge.loading.upsampling import Kernel, upsample, upsample_into

Stored = npt.NDArray[np.uint16] | torch.Tensor
"""`patch band row col` as stored; a tensor is int16 with the bits of uint16.

Torch has uint16 in name: it copies and converts it, but indexes and masks int16 alone (2.8 to
2.13, CPU and CUDA). So pixels are moved and gathered as int16, and seen as uint16 when they
become floats.
"""

ModelInput = torch.Tensor | tuple[torch.Tensor, ...]
"""`patch band row col` at 10 m, or one such tensor a pixel size, finest first."""

AT_ONCE = 16
"""Patches that a CPU works on at a time, so that they stay in its cache."""


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """The bands of one pixel size.

    Args:
        stored: where they stand in the stored array.
        seen: where they stand among the model's bands.
        mean: of each, `band 1 1`.
        std: likewise.
    """

    stored: list[int]
    seen: list[int]
    mean: torch.Tensor
    std: torch.Tensor


class Preparer:
    """Normalises bands, turns patches, and brings all bands to one pixel size unless native.

    On a GPU with Triton all of it is one pass over memory, `fused`; elsewhere torch's own
    operations do it. Both agree to 1e-4 of a standard deviation.

    Args:
        sensor: of the archive.
        bands: names, in the order of the model's bands.
        normalisation: one mean and std a band, in the same order.
        kernel: for 20 and 60 m bands.
        native: whether bands stay at their own pixel sizes.
        device: where it happens.
        dtype: of the result; all is computed in float32.
        stored: pixel size to the names of the bands that the pixels have; all of the sensor's if
            None.
        fused: whether the one pass may be used.
    """

    def __init__(
        self,
        sensor: Sensor,
        bands: Sequence[str],
        normalisation: Normalisation,
        kernel: Kernel,
        *,
        native: bool,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        stored: Mapping[int, Sequence[str]] | None = None,
        fused: bool = True,
    ) -> None:
        self.device = device
        self._kernel, self._native, self._dtype = kernel, native, dtype
        self._low, self._high = normalisation.low, normalisation.high
        self._bands, self._groups = len(bands), dict[int, _Group]()
        self._fused = find_fused(device) if fused and not native else None
        of = [sensor.band(name).pixel_size for name in bands]
        for size in sorted(set(of)):
            seen = [i for i, one in enumerate(of) if one == size]
            names = list(stored[size]) if stored else [b.name for b in sensor.bands_at(size)]
            mean, std = (
                torch.tensor([values[i] for i in seen], device=device)[:, None, None]
                for values in (normalisation.mean, normalisation.std)
            )
            self._groups[size] = _Group([names.index(bands[i]) for i in seen], seen, mean, std)
        self._fused_groups = {
            size: FusedGroup.of(group.stored, group.seen, group.mean, group.std)
            for size, group in self._groups.items()
        }

    def __call__(
        self,
        pixels: Mapping[int, Stored],
        turns: npt.NDArray[np.uint8] | torch.Tensor | None = None,
        rows: torch.Tensor | None = None,
    ) -> ModelInput:
        """What the model sees of these patches.

        Args:
            pixels: pixel size to patches as stored.
            turns: of each patch that is asked for, 0 to 7; None leaves them as they lie.
            rows: which of `pixels` are asked for, int64 on the device; all in order if None.
        """
        raw = {size: _bits(pixels[size], self.device) for size in self._groups}
        which = None if turns is None else torch.as_tensor(turns, device=self.device)
        finest = raw[min(raw)]
        count, edge = len(finest) if rows is None else len(rows), finest.shape[-1]
        shape = (count, self._bands, edge, edge)
        if self._fused and self._fused.fits(edge, [t.shape[-1] for t in raw.values()]):
            out = torch.empty(shape, dtype=self._dtype, device=self.device)
            bounds = self._low, self._high
            for size, one in self._fused_groups.items():
                self._fused.run(raw[size], rows, which, one, self._kernel, bounds, out)
            return out
        if rows is not None:
            raw = {size: tensor.index_select(0, rows) for size, tensor in raw.items()}
        if self._native:
            every = slice(None)
            return tuple(self._group(s, raw[s], which, every).to(self._dtype) for s in self._groups)
        out = _room(shape, self._dtype, self.device)
        for part in cut(count, AT_ONCE if self.device.type == "cpu" else max(1, count)):
            for size, group in self._groups.items():
                bands = self._group(size, raw[size], which, part)
                if self._dtype == torch.float32:
                    upsample_into(bands, out[part], group.seen, self._kernel)
                    continue
                bands = upsample(bands, edge, self._kernel)
                for i, seen in enumerate(group.seen):
                    out[part, seen] = bands[:, i]
        return out

    def _group(
        self, size: int, raw: torch.Tensor, turns: torch.Tensor | None, part: slice
    ) -> torch.Tensor:
        """The bands of one pixel size, normalised and turned, float32."""
        group = self._groups[size]
        values = raw.view(torch.uint16)[part].to(torch.float32)
        if group.stored != list(range(values.shape[1])):
            values = values[:, group.stored]
        if self._low is not None or self._high is not None:
            values = values.clamp(self._low, self._high)
        values = values.sub_(group.mean).div_(group.std)
        return values if turns is None else turn(values, turns[part])


def _room(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Where a batch goes; on a CPU from numpy, whose large arrays lie in pages of 2 MiB.

    Torch's lie in pages of 4 KiB, and meeting each for the first time takes as long as the
    interpolation.
    """
    if device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return torch.from_numpy(np.empty((*shape, dtype.itemsize), np.uint8)).view(dtype)[..., 0]


def _bits(pixels: Stored, device: torch.device) -> torch.Tensor:
    """Pixels on the device, as int16."""
    if isinstance(pixels, torch.Tensor):
        return pixels.to(device, non_blocking=True)
    return torch.from_numpy(pixels.view(np.int16)).to(device, non_blocking=True)


def turn(images: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Each patch rotated by 0 to 3 quarters, and flipped where its turn is 4 or more.

    Args:
        images: `patch band row col`.
        turns: `patch`, 0 to 7.
    """
    return turn_each(images, turns) if images.device.type == "cpu" else turn_alike(images, turns)


def turn_each(images: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """`turn`, a patch at a time: what a CPU does best, since one patch stays in its cache."""
    turned = torch.empty_like(images)
    for to, patch, one in zip(turned, images, turns.tolist(), strict=True):
        to.copy_(_turned(patch, one))
    return turned


def turn_alike(images: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """`turn`, all patches in one gather: few calls and no waiting, as a GPU wants."""
    where = _turn_table(images.shape[-1], images.device)[turns.long()]
    where = where[:, None].expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, where).view_as(images)


@lru_cache(maxsize=16)
def _turn_table(edge: int, device: torch.device) -> torch.Tensor:
    """Where each pixel of a turned square comes from: `turn pixel`."""
    square = torch.arange(edge * edge, device=device).view(1, 1, edge, edge)
    return torch.stack([_turned(square, one).flatten() for one in range(TURNS)])


def _turned(images: torch.Tensor, one: int) -> torch.Tensor:
    return torch.rot90(images.flip(-1) if one >= 4 else images, one % 4, (-2, -1))
