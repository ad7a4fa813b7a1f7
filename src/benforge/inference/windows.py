"""Scores of a trained model for windows of a decoded scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benforge.core.contract import Contract, check_agrees
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor
from benforge.errors import InputError, MemoryShortError
from benforge.inference.predict import BATCH, score
from benforge.loading.devices import find_device
from benforge.loading.inputs import Batch, Turns
from benforge.loading.order import Positions, cut
from benforge.loading.prepare import Preparer
from benforge.loading.reading import Pixels, read_ahead
from benforge.models.checkpoint import hash_weights, load_model

Mosaics = Mapping[int, npt.NDArray[np.uint16]]
"""Pixel size (m) to the whole scene, `band row col`, reflectance x 10,000."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowInputs:
    """Batches that are cut from the bands of one scene in memory.

    Args:
        mosaics: the scene.
        corners: `window 2`, row and column in the finest pixels; whole numbers of 60 m.
        edge: of a window, in the finest pixels.
        prepare: what happens on the device.
    """

    mosaics: Mosaics
    corners: npt.NDArray[np.int64]
    edge: int
    prepare: Preparer

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `loading.inputs.Inputs` says; positions are those of `corners`."""

        def read(part: slice) -> Batch:
            which = None if turns is None else turns[part]
            return Batch(positions[part], self.prepare(self.read(positions[part]), which))

        yield from read_ahead(read, cut(len(positions), size, start), 1)

    def read(self, positions: Positions) -> Pixels:
        """Pixel size to `patch band row col` of these windows."""
        finest, corners = min(self.mosaics), self.corners[positions].tolist()
        found = {}
        for size, mosaic in self.mosaics.items():
            edge, per = self.edge * finest // size, size // finest
            room = np.empty((len(corners), len(mosaic), edge, edge), np.uint16)
            for to, (row, col) in zip(room, corners, strict=True):
                top, left = row // per, col // per
                to[...] = mosaic[:, top : top + edge, left : left + edge]
            found[size] = room
        return found


@dataclass(frozen=True, slots=True, eq=False)
class HeldWindows:
    """Batches that a device cuts by itself: the scene is moved there once, then nothing is.

    Windows that overlap are not moved again, and a batch costs a few calls, not one a window.

    Args:
        mosaics: pixel size to the whole scene on the device, `band row col`, int16 with the bits
            of uint16, which torch cannot index.
        corners: `window 2` on the device, as of `WindowInputs`.
        edge: of a window, in the finest pixels.
        prepare: what happens on the device.
    """

    mosaics: Mapping[int, torch.Tensor]
    corners: torch.Tensor
    edge: int
    prepare: Preparer

    @classmethod
    def of(cls, inputs: WindowInputs, device: torch.device) -> HeldWindows:
        """The same windows, their scene on the device: 1.4 GB of a full tile with all bands."""
        held = {size: hold(mosaic, device) for size, mosaic in inputs.mosaics.items()}
        corners = torch.from_numpy(inputs.corners).to(device)
        return cls(held, corners, inputs.edge, inputs.prepare)

    def batches(
        self, positions: Positions, size: int, *, turns: Turns | None = None, start: int = 0
    ) -> Iterator[Batch]:
        """As `loading.inputs.Inputs` says; positions are those of `corners`."""
        which = torch.from_numpy(positions).to(self.corners.device)
        for part in cut(len(positions), size, start):
            turned = None if turns is None else turns[part]
            yield Batch(positions[part], self.prepare(self.read(which[part]), turned))

    def read(self, positions: torch.Tensor) -> dict[int, torch.Tensor]:
        """Pixel size to `patch band row col` of these windows."""
        finest, corners = min(self.mosaics), self.corners[positions]
        found = {}
        for size, mosaic in self.mosaics.items():
            edge, per = self.edge * finest // size, size // finest
            windows = mosaic.unfold(1, edge, 1).unfold(2, edge, 1)  # a view, nothing is copied
            tops, lefts = (corners // per).unbind(1)
            found[size] = windows[:, tops, lefts].transpose(0, 1).contiguous()
        return found


def hold(mosaic: npt.NDArray[np.uint16], device: torch.device) -> torch.Tensor:
    """Bands on a device, int16 with the bits of uint16."""
    return torch.from_numpy(np.ascontiguousarray(mosaic).view(np.int16)).to(device)


@dataclass(frozen=True, slots=True, eq=False)
class WindowModel:
    """A trained model that is asked about windows of scenes; made by `open_model`.

    Args:
        model: ready to be asked.
        contract: of it.
        digest: SHA-256 of the checkpoint.
        device: where it computes.
    """

    model: torch.nn.Module
    contract: Contract
    digest: str
    device: torch.device

    def check_fits(self, sensor: Sensor, where: str) -> None:
        """Raise where a product has other bands or numbers than the model was trained on.

        Raises:
            InputError: names what differs, and both sides.
        """
        known = [band.name for band in sensor.patch_bands]
        if lost := [band for band in self.contract.bands if band not in known]:
            raise InputError(
                f"the model needs band {lost[0]}, the product has {', '.join(known)}",
                where=where,
                do="Take a model of these bands",
            )
        quantification = self.contract.quantification
        check_agrees("reflectance 1 stored as", quantification, sensor.quantification, where)

    def score(
        self,
        mosaics: Mosaics,
        sensor: Sensor,
        corners: npt.NDArray[np.int64],
        *,
        batch_size: int = BATCH,
        progress: Progress = silent,
    ) -> npt.NDArray[np.float32]:
        """Scores of these windows, `window label`, 0 to 1.

        Args:
            mosaics: pixel size to all bands of `sensor` at that size.
            sensor: the bands that were decoded, among them the model's.
            corners: `window 2`, row and column of each in the finest pixels.
            batch_size: windows at once; changes no score beyond rounding.
            progress: told how many are done.

        Raises:
            MemoryShortError: the device has too little memory for a scene and a batch.
        """
        if not len(corners):
            return np.zeros((0, len(self.contract.classes)), np.float32)
        inputs = WindowInputs(mosaics, corners, self.contract.patch_pixels, self._preparer(sensor))
        try:
            held = inputs if self.device.type == "cpu" else HeldWindows.of(inputs, self.device)
            return score(self.model, held, np.arange(len(corners)), batch_size, progress)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise MemoryShortError(
                f"too little memory for a scene and {batch_size} windows at once",
                where=str(self.device),
                do=f"Lower --batch-size below {batch_size}, or use --device cpu",
            ) from error

    def _preparer(self, sensor: Sensor) -> Preparer:
        contract = self.contract
        return Preparer(
            sensor,
            contract.bands,
            contract.normalisation,
            contract.kernel,  # type: ignore[arg-type]
            native=contract.native,
            device=self.device,
        )


def open_model(run: Path, device: str = "") -> WindowModel:
    """The model of a run or checkpoint file.

    Raises:
        MissingError: there is no checkpoint.
        InputError: it is damaged, or there is no such device.
    """
    where = find_device(device)
    model, contract = load_model(run, where)
    return WindowModel(model, contract, hash_weights(run), where)
