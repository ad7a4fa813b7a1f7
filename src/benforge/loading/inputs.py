"""The batches of an epoch: from an archive's pixels, or from features that were computed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from benforge.loading.held import DevicePixels
from benforge.loading.order import Positions, cut
from benforge.loading.prepare import ModelInput, Preparer
from benforge.loading.reading import Pixels, PixelSource, read_ahead

Turns = npt.NDArray[np.uint8]


class Batch(NamedTuple):
    """Some patches.

    Args:
        positions: in the index of the archive.
        inputs: what the model sees of them.
    """

    positions: Positions
    inputs: ModelInput


class Inputs(Protocol):
    """Gives what a model sees of patches."""

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """These patches in this order, `size` at a time.

        Args:
            positions: in the archive's index.
            size: patches a batch; the last may have fewer.
            turns: of each patch, or None.
            start: the batch to begin with.
        """
        ...


@dataclass(frozen=True, slots=True)
class PatchInputs:
    """Batches from an archive's pixels, on the disk or in memory.

    Args:
        reader: gives stored pixels.
        prepare: what happens on the device.
        workers: threads that read ahead; the batches are the same for any number.
    """

    reader: PixelSource
    prepare: Preparer
    workers: int = 1

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `Inputs` says."""

        def read(part: slice) -> tuple[slice, Pixels]:
            return part, self.reader.read(positions[part])

        for part, pixels in read_ahead(read, cut(len(positions), size, start), self.workers):
            chosen = None if turns is None else turns[part]
            yield Batch(positions[part], self.prepare(pixels, chosen))


@dataclass(frozen=True, slots=True)
class DeviceInputs:
    """Batches of pixels that the device holds: gathered and prepared there, by no other thread.

    Args:
        held: the pixels.
        prepare: what happens on the device.
    """

    held: DevicePixels
    prepare: Preparer

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `Inputs` says. All that tells patches and turns moves at once, before the first."""
        rows = self.held.rows(positions)
        which = None if turns is None else torch.as_tensor(turns, device=self.held.device)
        for part in cut(len(positions), size, start):
            chosen = None if which is None else which[part]
            yield Batch(positions[part], self.prepare(self.held.pixels, chosen, rows[part]))


@dataclass(frozen=True, slots=True, eq=False)
class FeatureInputs:
    """Batches of features that lie in memory; turns change nothing.

    Args:
        features: `patch feature`, float32.
        rows: position in the index to row of `features`; -1 for none.
        device: where batches go.
    """

    features: npt.NDArray[np.float32]
    rows: Positions
    device: torch.device

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `Inputs` says."""
        for part in cut(len(positions), size, start):
            rows = self.rows[positions[part]]
            yield Batch(positions[part], torch.from_numpy(self.features[rows]).to(self.device))
