"""From stored numbers to what a model sees, in batch and on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from benforge.core.contract import Normalisation
from benforge.core.sensor import Sensor
from benforge.loading.order import TURNS, cut
from benforge.loading.upsampling import Kernel, upsample

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

    Args:
        sensor: of the archive.
        bands: names, in the order of the model's bands.
        normalisation: one mean and std a band, in the same order.
        kernel: for 20 and 60 m bands.
        native: whether bands stay at their own pixel sizes.
        device: where it happens.
        dtype: of the result; all is computed in float32.
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
    ) -> None:
        self._kernel, self._native, self._device, self._dtype = kernel, native, device, dtype
        self._low, self._high = normalisation.low, normalisation.high
        self._bands, self._groups = len(bands), dict[int, _Group]()
        of = [sensor.band(name).pixel_size for name in bands]
        for size in sorted(set(of)):
            seen = [i for i, one in enumerate(of) if one == size]
            names = [band.name for band in sensor.bands_at(size)]
            mean, std = (
                torch.tensor([values[i] for i in seen], device=device)[:, None, None]
                for values in (normalisation.mean, normalisation.std)
            )
            self._groups[size] = _Group([names.index(bands[i]) for i in seen], seen, mean, std)

    def __call__(
        self,
        pixels: Mapping[int, npt.NDArray[np.uint16] | torch.Tensor],
        turns: npt.NDArray[np.uint8] | None = None,
    ) -> ModelInput:
        """What the model sees of these patches.

        Args:
            pixels: pixel size to `patch band row col`, as stored; a tensor is int16 with the bits
                of uint16, which torch cannot index.
            turns: of each patch, 0 to 7; None leaves them as they lie.
        """
        raw = {size: _stored(pixels[size], self._device) for size in self._groups}
        which = None if turns is None else torch.as_tensor(turns, device=self._device)
        if self._native:
            every = slice(None)
            return tuple(self._group(s, raw[s], which, every).to(self._dtype) for s in self._groups)
        finest = raw[min(raw)]
        count, edge = len(finest), finest.shape[-1]
        out = torch.empty((count, self._bands, edge, edge), dtype=self._dtype, device=self._device)
        for part in cut(count, AT_ONCE if self._device.type == "cpu" else max(1, count)):
            for size, group in self._groups.items():
                bands = upsample(self._group(size, raw[size], which, part), edge, self._kernel)
                for i, seen in enumerate(group.seen):
                    out[part, seen] = bands[:, i]
        return out

    def _group(
        self, size: int, raw: torch.Tensor, turns: torch.Tensor | None, part: slice
    ) -> torch.Tensor:
        """The bands of one pixel size, normalised and turned, float32."""
        group = self._groups[size]
        values = raw[part].to(torch.float32)
        if group.stored != list(range(values.shape[1])):
            values = values[:, group.stored]
        if self._low is not None or self._high is not None:
            values = values.clamp(self._low, self._high)
        values = values.sub_(group.mean).div_(group.std)
        return values if turns is None else turn(values, turns[part])


def _stored(pixels: npt.NDArray[np.uint16] | torch.Tensor, device: torch.device) -> torch.Tensor:
    """Stored numbers on the device, uint16."""
    if isinstance(pixels, torch.Tensor):
        return pixels.to(device).view(torch.uint16)
    return torch.from_numpy(pixels).to(device)


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
    """`turn`, all patches of one turn at a time: few calls, as a GPU wants."""
    turned = torch.empty_like(images)
    for one in range(TURNS):
        here = turns == one
        turned[here] = _turned(images[here], one)
    return turned


def _turned(images: torch.Tensor, one: int) -> torch.Tensor:
    return torch.rot90(images.flip(-1) if one >= 4 else images, one % 4, (-2, -1))
