"""A model with all that comes before and after it: stored numbers in, scores out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from benforge.core.contract import Contract
from benforge.core.sensor import Sensor
from benforge.loading.upsampling import cubic_matrix


class DeployedModel(nn.Module):
    """Normalises, upsamples, asks the model and takes the sigmoid, in plain tensor products.

    Args:
        model: trained.
        contract: of the model.
        sensor: whose bands it sees.
    """

    def __init__(self, model: nn.Module, contract: Contract, sensor: Sensor) -> None:
        super().__init__()
        self.model, self.native, self.edge = model, contract.native, contract.patch_pixels
        of = [sensor.band(name).pixel_size for name in contract.bands]
        self.sizes = tuple(sorted(set(of)))
        self.low, self.high = contract.normalisation.low, contract.normalisation.high
        order: list[int] = []
        for size in self.sizes:
            here = [i for i, one in enumerate(of) if one == size]
            stored = [band.name for band in sensor.bands_at(size)]
            order += here
            chosen = [stored.index(contract.bands[i]) for i in here]
            self.register_buffer(f"chosen_{size}", torch.tensor(chosen))
            for name in ("mean", "std"):
                values = getattr(contract.normalisation, name)
                picked = torch.tensor([values[i] for i in here], dtype=torch.float32)
                self.register_buffer(f"{name}_{size}", picked[:, None, None])
            there = self.edge * min(self.sizes) // size
            if not self.native and there != self.edge:
                matrix = cubic_matrix(there, self.edge, contract.kernel)
                self.register_buffer(f"matrix_{size}", torch.from_numpy(np.array(matrix)).float())
        self.register_buffer("order", torch.tensor(np.argsort(order)))

    def forward(self, *stored: Tensor) -> Tensor:
        """Scores, `patch label`, 0 to 1.

        Args:
            stored: one tensor a pixel size, finest first, all bands of that size as archives
                store them (reflectance x 10,000): `patch 4 120 120`, `patch 6 60 60` and
                `patch 2 20 20`, float32.
        """
        groups = [self._group(size, one) for size, one in zip(self.sizes, stored, strict=True)]
        if self.native:
            return torch.sigmoid(self.model(tuple(groups)))
        return torch.sigmoid(self.model(torch.cat(groups, dim=1)[:, self.order]))  # type: ignore[index]

    def _group(self, size: int, stored: Tensor) -> Tensor:
        parts: Mapping[str, Tensor] = dict(self.named_buffers(recurse=False))
        values = stored[:, parts[f"chosen_{size}"]]
        if self.low is not None or self.high is not None:
            values = values.clamp(self.low, self.high)
        values = (values - parts[f"mean_{size}"]) / parts[f"std_{size}"]
        if f"matrix_{size}" not in parts:
            return values
        matrix = parts[f"matrix_{size}"]
        return matrix @ (values @ matrix.T)

    def example(self, sensor: Sensor, patches: int) -> tuple[Tensor, ...]:
        """Made-up stored numbers of the shapes that it takes."""
        random = torch.Generator().manual_seed(1)
        edges = {size: self.edge * min(self.sizes) // size for size in self.sizes}
        return tuple(
            torch.randint(
                0, 5000, (patches, len(sensor.bands_at(s)), edges[s], edges[s]), generator=random
            ).float()
            for s in self.sizes
        )
