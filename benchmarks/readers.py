"""Who reads patches: what a reader is, ours and its floor, and zarr-python on our shards.

A reader yields all twelve bands of a patch at native pixel size, in memory of its own.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import zarr

from benchmarks.tile import SCENE, SENSOR, Patches, Pixels, Tile
from benforge.archive.bands import room_for
from benforge.archive.layout import array_name, scene_path
from benforge.archive.pixels import PixelReader
from benforge.archive.shards import index_size

BATCH = 64

NOTES = {
    "benforge": "`PixelReader.read`, a call a patch, through memory maps.",
    "zarr-python": (
        "three slices a patch, its defaults; from our shards, and from a file a chunk, which suits "
        "it best."
    ),
    "GeoTIFF per band": (
        "twelve uncompressed files a patch, `driver='GTiff'`, no listing of folders; *as torchgeo* "
        "is what torchgeo 0.8 asks of rasterio: defaults, every band brought to 120 x 120 pixels "
        "(bilinear) as int32. torchgeo itself is unmeasured: it needs torchvision, which has no "
        "build for this torch."
    ),
    "LMDB": (
        "a safetensors file a patch; *as ConfigILM* opens it (`lock=False, meminit=False, "
        "readahead=True`, a transaction a patch, `safetensors.numpy.load(bytes(...))`), only read, "
        "neither stacked nor upsampled; *zero-copy* has one transaction and copies the bands from "
        "known places of the map into three arrays, without parsing."
    ),
    "Parquet": (
        "a row group a patch, uncompressed, no dictionary, memory-mapped, one thread; the three "
        "arrays are copied out of pyarrow's buffers."
    ),
}
"""What each does."""


Work = Callable[[Sequence[int]], None]
"""One way to read patches in an order."""


class Reader(Protocol):
    """One layout and who reads it."""

    sequence: Sequence[int]
    """The patches in the order in which they lie on the disk."""

    def files(self) -> list[Path]:
        """What lies on the disk."""
        ...

    def open(self) -> None:
        """Open every file and read what tells where patches lie."""
        ...

    def close(self) -> None:
        """Leave no file open or mapped."""
        ...

    def read(self, numbers: Sequence[int]) -> None:
        """Patch after patch."""
        ...

    def patch(self, number: int) -> Mapping[str, Pixels]:
        """Band to `row col`, as it was read."""
        ...


class PatchByPatch:
    """A reader of whoever has no call for many: `_read` gives the arrays of one patch."""

    def read(self, numbers: Sequence[int]) -> None:
        """See `Reader`."""
        for number in numbers:
            self._read(number)

    def patch(self, number: int) -> Mapping[str, Pixels]:
        """See `Reader`."""
        return by_band(self._read(number))

    def _read(self, number: int) -> Patches:
        raise AssertionError(number)


def by_band(arrays: Mapping[int, Pixels]) -> dict[str, Pixels]:
    """Band to `row col`."""
    return {
        band.name: pixels
        for size, array in arrays.items()
        for band, pixels in zip(SENSOR.bands_at(size), array, strict=True)
    }


class Benforge:
    """Our archive."""

    def __init__(self, tile: Tile, root: Path) -> None:
        self._root, self._tile = root, tile
        rows, columns = np.divmod(np.arange(tile.count), tile.columns)
        shard = rows // 13 * tile.columns + columns // 13
        self.sequence = np.argsort(shard, kind="stable").tolist()
        self._places = [(SCENE, n % tile.columns, n // tile.columns) for n in range(tile.count)]
        self._first = np.unique(shard, return_index=True)[1].tolist()
        self.open()

    def files(self) -> list[Path]:
        """See `Reader`."""
        return [path for path in self._root.rglob("*") if path.is_file()]

    def open(self) -> None:
        """See `Reader`; reads a patch of each shard, so that all indexes are known."""
        self.reader = PixelReader(self._root, SENSOR)
        self.read(self._first)

    def close(self) -> None:
        """See `Reader`."""
        self.reader.close()

    def read(self, numbers: Sequence[int]) -> None:
        """See `Reader`."""
        read, places = self.reader.read, self._places
        for number in numbers:
            read(*places[number])

    def read_batches(self, numbers: Sequence[int], out: Patches | None = None) -> None:
        """Patches in batches, into the same arrays."""
        shapes = {size: patches.shape[1:] for size, patches in self._tile.sample.items()}
        out = out or {size: room_for((BATCH, *shape)) for size, shape in shapes.items()}
        for start in range(0, len(numbers), BATCH):
            places = [self._places[number] for number in numbers[start : start + BATCH]]
            self.reader.read_many(places, out)

    def patch(self, number: int) -> Mapping[str, Pixels]:
        """See `Reader`."""
        return by_band(self.reader.read(*self._places[number]))


class Zarr(PatchByPatch):
    """zarr-python on our shards."""

    def __init__(self, tile: Tile, root: Path) -> None:
        self._folder, self._columns = scene_path(root, SCENE), tile.columns
        self.sequence = Benforge(tile, root).sequence
        self.open()

    def files(self) -> list[Path]:
        """See `Reader`."""
        return [path for path in self._folder.rglob("*") if path.is_file()]

    def open(self) -> None:
        """See `Reader`."""
        group = zarr.open_group(self._folder, mode="r")
        self._arrays = [(s, group[array_name(s)], 1200 // s) for s in SENSOR.pixel_sizes]

    def close(self) -> None:
        """See `Reader`."""

    def _read(self, number: int) -> Patches:
        row, column = divmod(number, self._columns)
        return {
            size: array[
                :, row * edge : (row + 1) * edge, column * edge : (column + 1) * edge
            ]
            for size, array, edge in self._arrays
        }  # fmt: skip


class ZarrFiles(Zarr):
    """zarr-python on arrays without shards, of the first patches in one row."""

    def __init__(self, tile: Tile, folder: Path, count: int) -> None:
        group = zarr.create_group(folder)
        for size, patches in tile.sample.items():
            chosen = patches[tile.which.ravel()[:count]]
            _, bands, edge, _ = chosen.shape
            array = group.create_array(
                array_name(size), shape=(bands, edge, edge * count), dtype="uint16",
                chunks=(bands, edge, edge), filters=(), compressors=(),
            )  # fmt: skip
            array[...] = chosen.transpose(1, 2, 0, 3).reshape(bands, edge, -1)
        self._folder, self._columns = folder, count
        self.sequence = range(count)
        self.open()


class Ranges(PatchByPatch):
    """The floor of reading our archive: the same ranges of the same files by `preadv`."""

    def __init__(self, tile: Tile, root: Path) -> None:
        self._ours = Benforge(tile, root)
        self._ours.close()
        self.sequence, self._tile, self._root = self._ours.sequence, tile, root
        self._shapes = [patches.shape[1:] for patches in tile.sample.values()]
        self._opened: dict[Path, int] = {}
        self._ranges = [self._find(number) for number in range(tile.count)]

    @cache  # noqa: B019
    def _index(self, path: Path) -> npt.NDArray[np.uint64]:
        tail = path.read_bytes()[-index_size(13 * 13) : -4]
        return np.frombuffer(tail, "<u8").reshape(13, 13, 2)

    def _find(self, number: int) -> list[tuple[Path, int, int]]:
        """File, first byte and length of each array's chunk."""
        row, column = self._tile.place(number)
        found = []
        for size in self._tile.sample:
            folder = scene_path(self._root, SCENE) / array_name(size)
            path = folder / "c" / "0" / str(row // 13) / str(column // 13)
            found.append((path, *self._index(path)[row % 13, column % 13].tolist()))
        return found

    def files(self) -> list[Path]:
        """See `Reader`."""
        return self._ours.files()

    def open(self) -> None:
        """See `Reader`."""
        paths = {path for ranges in self._ranges for path, _, _ in ranges}
        self._opened = {path: os.open(path, os.O_RDONLY) for path in paths}

    def close(self) -> None:
        """See `Reader`."""
        for file in self._opened.values():
            os.close(file)
        self._opened = {}

    def _read(self, number: int) -> Patches:
        arrays = {}
        for size, shape, (path, start, length) in zip(
            self._tile.sample, self._shapes, self._ranges[number], strict=True
        ):
            out = np.empty(length, np.uint8)
            os.preadv(self._opened[path], [out], start)
            whole = length == 2 * math.prod(shape)
            arrays[size] = out.view("<u2").reshape(shape) if whole else out
        return arrays
