"""An archive's patches for loops of others: a PyTorch dataset, and batches of plain numpy."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.contract import Normalisation
from benforge.errors import InputError
from benforge.loading.normalisation import find_normalisation
from benforge.loading.order import Positions, block_ids, cut, shuffle, shuffle_blocks
from benforge.loading.parts import find_parts
from benforge.loading.prepare import ModelInput, Preparer
from benforge.loading.reading import PatchReader, Pixels, read_ahead
from benforge.loading.targets import load_targets
from benforge.loading.upsampling import KERNELS

RGB = ("B04", "B03", "B02")
Item = tuple[ModelInput, torch.Tensor]


class NumpyBatch(NamedTuple):
    """Some patches as stored.

    Args:
        positions: in the index of the archive.
        pixels: pixel size (m) to `patch band row col`, uint16, all bands of that size.
    """

    positions: Positions
    pixels: Pixels


def iterate(
    archive: Archive,
    positions: Positions | None = None,
    batch_size: int = 128,
    *,
    bands: Sequence[str] | None = None,
    shuffled: str = "",
    seed: int = 1,
    epoch: int = 0,
    start: int = 0,
    workers: int = 1,
) -> Iterator[NumpyBatch]:
    """Batches of stored patches in plain numpy, read ahead.

    The order is drawn from seed and epoch alone, so an epoch that was cut off after `n` batches
    goes on with `start=n`.

    Args:
        archive: opened.
        positions: of patches in its index; all if None.
        batch_size: patches a batch; the last may have fewer.
        bands: names; only the pixel sizes that hold one of them are read. All if None.
        shuffled: "" keeps the order, "full" and "blocks" shuffle as trainings do.
        seed: of the order.
        epoch: of the order.
        start: the batch to begin with.
        workers: threads that read ahead; the batches are the same for any number.

    Raises:
        InputError: an unknown band or way to shuffle.
        ArchiveError: a shard is damaged, or patches are of several sizes.
    """
    reader = PatchReader(archive, check_bands(archive, bands))
    order = np.arange(len(archive)) if positions is None else np.asarray(positions, np.int64)
    if shuffled == "full":
        order = shuffle(order, seed, epoch)
    elif shuffled == "blocks":
        order = shuffle_blocks(order, block_ids(archive.index), seed, epoch)
    elif shuffled:
        raise InputError(f"no way to shuffle is called {shuffled!r}", do="Use full or blocks")

    def read(part: slice) -> NumpyBatch:
        return NumpyBatch(order[part], reader.read(order[part]))

    return read_ahead(read, cut(len(order), batch_size, start), workers)


class PatchDataset(Dataset[Item]):
    """Patches and their labels for `torch.utils.data.DataLoader`, or any loop that indexes.

    `dataset[i]` is `(band row col, label)`, both float32; of native bands, a tuple of one such
    array a pixel size, finest first, in place of the first. A DataLoader fetches whole batches at
    once (`__getitems__`), and its workers read the same memory maps: an archive is mapped, not
    copied, after a fork, and opened anew after a spawn, which moves some 70 bytes a patch.

    Args:
        archive: opened.
        split: name of a split; all patches if empty.
        part: "train", "validation" or "test" of it.
        bands: names, in the order wanted: "rgb", "all" if None, or a list.
        labels: "43", "19", "level2" or "level1".
        normalisation: "published", "train" or "none", or one that was found before.
        kernel: that brings 20 and 60 m bands to 10 m.
        native: whether bands stay at their own pixel sizes.

    Raises:
        InputError: an unknown band, part or label, or a part without patches.
        MissingError: the archive has no such split.
    """

    def __init__(
        self,
        archive: Archive,
        split: str = "",
        part: str = "train",
        *,
        bands: str | Sequence[str] | None = None,
        labels: str = "43",
        normalisation: str | Normalisation = "published",
        kernel: str = "cubic-0.5",
        native: bool = False,
    ) -> None:
        self.positions = _positions(archive, split, part)
        self.bands = check_bands(archive, bands)
        targets = load_targets(archive, labels)
        self.classes = targets.nomenclature.names
        self.labels = torch.from_numpy(targets.hot[self.positions])
        if kernel not in KERNELS:
            raise InputError(f"no kernel is called {kernel!r}", do=f"Use {', '.join(KERNELS)}")
        self._reader = PatchReader(archive, self.bands)
        sensor = archive.meta.sensor
        if isinstance(normalisation, str):
            normalisation = find_normalisation(
                normalisation, self._reader, self.positions, self.bands, sensor
            )
        self.normalisation = normalisation
        self._prepare = Preparer(
            sensor,
            self.bands,
            normalisation,
            kernel,  # type: ignore[arg-type]
            native=native,
            device=torch.device("cpu"),
        )

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, item: int) -> Item:
        """One patch: `band row col` and `label`.

        Raises:
            IndexError: there is none.
            TypeError: no whole number.
        """
        item = operator.index(item)
        if not -len(self) <= item < len(self):
            raise IndexError(f"{item} in {len(self)} patches")
        return self.__getitems__([item])[0]

    def __getitems__(self, items: Sequence[int]) -> list[Item]:
        """Some patches, read and prepared together, as a DataLoader asks for its batches."""
        which = np.asarray(items, np.int64)
        seen = self._prepare(self._reader.read(self.positions[which]))
        each = zip(*seen, strict=True) if isinstance(seen, tuple) else seen
        return list(zip(each, self.labels[which].float(), strict=True))


def check_bands(archive: Archive, bands: str | Sequence[str] | None) -> tuple[str, ...]:
    """The names of bands: "rgb", "all" (None means the same), or names.

    Raises:
        InputError: the archive has no such band.
    """
    there = tuple(band.name for band in archive.meta.sensor.patch_bands)
    if bands is None or bands == "all":
        return there
    if not len(bands):
        raise InputError("no band is named", do="Name one or more, rgb or all")
    wanted = RGB if bands == "rgb" else (bands,) if isinstance(bands, str) else tuple(bands)
    if lost := [name for name in wanted if name not in there]:
        raise InputError(
            f"there is no band {lost[0]!r}",
            where=archive.root,
            do=f"Use rgb, all, or some of {', '.join(there)}",
        )
    return wanted


def _positions(archive: Archive, split: str, part: str) -> Positions:
    if not split:
        return np.arange(len(archive))
    return find_parts(archive, read_split(archive.root, split), [part])[part]
