"""The patches of an archive as a dataset of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch.utils.data import Dataset

from benforge.archive.archive import Archive
from benforge.loading.normalisation import find_normalisation
from benforge.loading.prepare import ModelInput, Preparer
from benforge.loading.reading import PatchReader
from benforge.loading.targets import load_targets

Normalise = Literal["published", "train", "none"]
Item = tuple[ModelInput, torch.Tensor]


class PatchDataset(Dataset[Item]):
    """Patches as a model sees them, with their labels: item `i` is the i-th of the archive.

    Args:
        reader: of the archive.
        prepare: what happens to its pixels, on the CPU.
        hot: float32 `patch label`.
        classes: names, in the order of the axis `label`.
        bands: names, in the order of the axis `band`.
    """

    def __init__(
        self,
        reader: PatchReader,
        prepare: Preparer,
        hot: torch.Tensor,
        classes: tuple[str, ...],
        bands: tuple[str, ...],
    ) -> None:
        self._reader, self._prepare, self._hot = reader, prepare, hot
        self.classes, self.bands = classes, bands

    @classmethod
    def of(
        cls,
        archive: Archive,
        bands: Sequence[str] | None,
        labels: str,
        normalise: Normalise,
        *,
        native: bool = False,
    ) -> PatchDataset:
        """The patches of an archive; arguments as `Archive.to_torch` has them.

        Raises:
            InputError: no such band, labels or normalisation.
        """
        sensor = archive.meta.sensor
        kept = [band.name for band in sensor.patch_bands]
        names = tuple(kept if bands is None else (sensor.band(name).name for name in bands))
        targets, reader = load_targets(archive, labels), PatchReader(archive, names)
        found = find_normalisation(normalise, reader, np.arange(len(archive)), names, sensor)
        prepare = Preparer(
            sensor, names, found, "cubic-0.5", native=native, device=torch.device("cpu")
        )
        hot = torch.from_numpy(targets.hot).float()
        return cls(reader, prepare, hot, targets.nomenclature.names, names)

    def __len__(self) -> int:
        return len(self._hot)

    def __getitem__(self, index: int) -> Item:
        """Image and multi-hot of one patch.

        Raises:
            IndexError: there is no such patch.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"{index} in a dataset of {len(self)} patches")
        return self.__getitems__([index % len(self)])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Item]:
        """Several at once, which is how a `DataLoader` asks: one read, one preparation."""
        images = self._prepare(self._reader.read(np.asarray(indices, np.int64)))
        each = zip(*images, strict=True) if isinstance(images, tuple) else images
        return list(zip(each, self._hot[list(indices)], strict=True))
