"""The pixels that readers read: the 66 real patches of the sample, at random over one tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benforge.archive.layout import SceneFrame, array_name
from benforge.archive.scene_writer import SceneWriter
from benforge.archive.storage import COMPRESSIONS, Compression, StorageRecipe
from benforge.core.grid import Grid
from benforge.core.record import SCHEMA
from benforge.core.sensor import load_sensor
from benforge.demo.sample import unpack_sample
from benforge.layouts.v1_read import list_v1_patches, read_v1_bands, read_v1_patch
from benforge.testing.archives import begin_archive

SENSOR = load_sensor()
SCENE = "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP"
PATCH_BYTES = 160_000

Pixels = npt.NDArray[np.uint16]
Patches = dict[int, Pixels]
"""Pixel size to `patch band row col`."""


def read_sample(work: Path) -> Patches:
    """The real patches, by pixel size."""
    folders = list_v1_patches(unpack_sample(work))
    bands = [dict(read_v1_bands(read_v1_patch(f, SENSOR), SENSOR)) for f in folders]
    return {
        size: np.stack([[patch[band] for band in SENSOR.bands_at(size)] for patch in bands])
        for size in SENSOR.pixel_sizes
    }


@dataclass(frozen=True)
class Tile:
    """A tile of patches; they are counted row by row.

    Args:
        sample: the patches that it repeats.
        which: the patch of the sample that lies at each `row col`.
    """

    sample: Patches
    which: npt.NDArray[np.uint16]

    @classmethod
    def draw(cls, work: Path, rows: int, columns: int) -> Tile:
        """The sample at random."""
        sample = read_sample(work)
        random = np.random.default_rng(0)
        return cls(sample, random.integers(0, len(sample[10]), (rows, columns), np.uint16))

    @property
    def count(self) -> int:
        """How many patches it has."""
        return self.which.size

    @property
    def columns(self) -> int:
        """How many in a row."""
        return self.which.shape[1]

    @cached_property
    def arrays(self) -> list[Pixels]:
        """All patches in memory, `patch band row col`, an array a pixel size."""
        return [patches[self.which.ravel()] for patches in self.sample.values()]

    @cached_property
    def flat(self) -> Pixels:
        """The same as one array, `patch value`."""
        return np.concatenate([a.reshape(len(a), -1) for a in self.arrays], axis=1)

    def place(self, number: int) -> tuple[int, int]:
        """Row and column of a patch."""
        return divmod(number, self.columns)

    def patch(self, number: int) -> Patches:
        """Pixel size to `band row col`."""
        one = self.which[self.place(number)]
        return {size: patches[one] for size, patches in self.sample.items()}


def write_scenes(
    tile: Tile, work: Path, compressions: Sequence[Compression] = COMPRESSIONS
) -> None:
    """One archive a compression, `work/<compression>`."""
    rows, columns = tile.which.shape
    grid = Grid("EPSG:32633", 300000, 5400000, 10, rows * 120, columns * 120)
    frame = SceneFrame(grid, columns, rows, 120)
    for compression in compressions:
        storage = StorageRecipe(compression=compression)
        root = begin_archive(work / compression)
        with SceneWriter(root, SCENE, frame, SENSOR, storage, threads=2) as writer:
            for size, patches in tile.sample.items():
                writer.write_mosaic(array_name(size), _mosaic(patches, tile.which))
            writer.finish(SCHEMA.empty_table(), {"product": SCENE, "source": "benchmark"})


def _mosaic(patches: Pixels, which: npt.NDArray[np.uint16]) -> Pixels:
    rows, columns = which.shape
    _, bands, edge, _ = patches.shape
    mosaic = np.empty((bands, rows * edge, columns * edge), np.uint16)
    for row, column in np.ndindex(which.shape):
        here = slice(row * edge, (row + 1) * edge), slice(column * edge, (column + 1) * edge)
        mosaic[:, *here] = patches[which[row, column]]
    return mosaic
