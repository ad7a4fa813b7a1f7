"""The batches of an epoch: from an archive's pixels, or from features that were computed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from benforge.archive.archive import Archive
from benforge.core.contract import Contract
from benforge.loading.order import Positions, cut
from benforge.loading.prepare import ModelInput, Preparer
from benforge.loading.reading import PatchReader, Pixels, read_ahead

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
    """Batches from an archive's pixels.

    Args:
        reader: of the archive.
        prepare: what happens on the device.
        workers: threads that read ahead; the batches are the same for any number.
    """

    reader: PatchReader
    prepare: Preparer
    workers: int = 1

    @classmethod
    def of(
        cls,
        archive: Archive,
        contract: Contract,
        device: torch.device,
        workers: int = 1,
        dtype: torch.dtype = torch.float32,
    ) -> PatchInputs:
        """An archive's patches as the model of a contract sees them."""
        prepare = Preparer(
            archive.meta.sensor,
            contract.bands,
            contract.normalisation,
            contract.kernel,  # type: ignore[arg-type]
            native=contract.native,
            device=device,
            dtype=dtype,
        )
        return cls(PatchReader(archive, contract.bands), prepare, workers)

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `Inputs` says."""

        def read(part: slice) -> tuple[slice, Pixels]:
            return part, self.reader.read(positions[part])

        for part, pixels in read_ahead(read, cut(len(positions), size, start), self.workers):
            chosen = None if turns is None else turns[part]
            yield Batch(positions[part], self.prepare(pixels, chosen))


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
