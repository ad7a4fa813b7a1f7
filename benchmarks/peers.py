"""Others who read patches, each from its own layout of the same tile, at its best settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from rasterio.enums import Resampling
from safetensors.numpy import load

from benchmarks.readers import PatchByPatch, by_band
from benchmarks.tile import SCENE, SENSOR, Patches, Pixels, Tile
from benforge.layouts.safetensors_encode import SafetensorsEncoder

PAGES = 41
"""Of 4,096 bytes that a value of LMDB takes here, and a little more."""


class Tiffs:
    """A GeoTIFF a band, of the first patches."""

    def __init__(self, tile: Tile, folder: Path, count: int) -> None:
        self._folder, self.sequence = folder, range(count)
        for number in self.sequence:
            self._write(tile, number)

    def _write(self, tile: Tile, number: int) -> None:
        (self._folder / str(number)).mkdir(parents=True)
        row, column = tile.place(number)
        for size, array in tile.patch(number).items():
            transform = rasterio.Affine(
                size, 0, 300000 + 1200 * column, 0, -size, 5400000 - 1200 * row
            )
            for band, pixels in zip(SENSOR.bands_at(size), array, strict=True):
                with rasterio.open(
                    self._path(number, band.name), "w", driver="GTiff", dtype="uint16", count=1,
                    crs="EPSG:32633", height=len(pixels), width=len(pixels), transform=transform,
                ) as file:  # fmt: skip
                    file.write(pixels, 1)

    def _path(self, number: int, band: str) -> Path:
        return self._folder / str(number) / f"{band}.tif"

    def files(self) -> list[Path]:
        """See `Reader`."""
        return list(self._folder.glob("*/*.tif"))

    def open(self) -> None:
        """See `Reader`."""

    def close(self) -> None:
        """See `Reader`."""

    def read(self, numbers: Sequence[int]) -> None:
        """See `Reader`."""
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
            for number in numbers:
                self.patch(number)

    def patch(self, number: int) -> Mapping[str, Pixels]:
        """See `Reader`."""
        found = {}
        for band in SENSOR.patch_bands:
            with rasterio.open(self._path(number, band.name), driver="GTiff") as file:
                found[band.name] = file.read(1)
        return found

    def read_as_torchgeo(self, numbers: Sequence[int]) -> None:
        """Patch after patch, `band row col` of int32, all of 10 m."""
        for number in numbers:
            bands = []
            for band in SENSOR.patch_bands:
                with rasterio.open(self._path(number, band.name)) as file:
                    bands.append(
                        file.read(
                            indexes=1,
                            out_shape=(120, 120),
                            out_dtype="int32",
                            resampling=Resampling.bilinear,
                        )
                    )
            np.stack(bands)


class Database:
    """LMDB of safetensors, as rico-hdl writes it; read in two ways, for a process opens it once."""

    def __init__(self, tile: Tile, folder: Path) -> None:
        self._folder = folder
        self._encoder = SafetensorsEncoder(
            {name: pixels.shape for name, pixels in by_band(tile.patch(0)).items()}
        )
        places = map(tile.place, range(tile.count))
        self._keys = [f"{SCENE}_{column:02}_{row:02}".encode() for row, column in places]
        self.sequence = sorted(range(tile.count), key=self._keys.__getitem__)
        self._write(tile)
        self._opened: lmdb.Environment | None = None
        self._runs = self._plan()

    def _write(self, tile: Tile) -> None:
        room = np.empty((1, self._encoder.size), np.uint8)
        size = tile.count * (PAGES * 4096) + (1 << 24)
        environment = lmdb.open(str(self._folder), map_size=size, sync=False)
        with environment.begin(write=True) as transaction:
            for number in self.sequence:
                bands = {n: p[None] for n, p in by_band(tile.patch(number)).items()}
                value = memoryview(self._encoder(bands, room)[0])
                transaction.put(self._keys[number], value, append=True)
        environment.sync(True)
        environment.close()

    def _plan(self) -> list[tuple[int, int, int, int]]:
        """Pixel size, where in its array, and from and to where in a value, of bands in a row."""
        self.open()
        with self._env.begin(buffers=True) as transaction:
            value = bytes(transaction.get(self._keys[0]))
        self.close()
        begin = 8 + int.from_bytes(value[:8], "little")
        header = json.loads(value[8:begin])
        runs: list[tuple[int, int, int, int]] = []
        for size in SENSOR.pixel_sizes:
            at = 0
            for band in SENSOR.bands_at(size):
                start, stop = (begin + x for x in header[band.name]["data_offsets"])
                if runs and runs[-1][0] == size and runs[-1][3] == start:
                    runs[-1] = (*runs[-1][:3], stop)
                else:
                    runs.append((size, at, start, stop))
                at += (stop - start) // 2
        return runs

    @property
    def _env(self) -> lmdb.Environment:
        assert self._opened is not None
        return self._opened

    def files(self) -> list[Path]:
        """See `Reader`."""
        return [self._folder / "data.mdb"]

    def open(self) -> None:
        """See `Reader`."""
        self._opened = self._opened or lmdb.open(
            str(self._folder), readonly=True, lock=False, meminit=False, readahead=True
        )

    def close(self) -> None:
        """See `Reader`."""
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    def read(self, numbers: Sequence[int]) -> None:
        """As ConfigILM."""
        for number in numbers:
            self.patch(number)

    def patch(self, number: int) -> Mapping[str, Pixels]:
        """As ConfigILM."""
        with self._env.begin(write=False, buffers=True) as transaction:
            data = transaction.get(self._keys[number])
        found: Mapping[str, Pixels] = load(bytes(data))
        return found

    def read_zero_copy(self, numbers: Sequence[int]) -> None:
        """Patch after patch."""
        with self._env.begin(buffers=True) as transaction:
            for number in numbers:
                self._copy(transaction, number)

    def _copy(self, transaction: lmdb.Transaction, number: int) -> Patches:
        value = transaction.get(self._keys[number])
        out = {10: np.empty(57_600, "<u2"), 20: np.empty(21_600, "<u2"), 60: np.empty(800, "<u2")}
        for size, at, start, stop in self._runs:
            count = (stop - start) // 2
            out[size][at : at + count] = np.frombuffer(value, "<u2", count, start)
        return {
            10: out[10].reshape(4, 120, 120),
            20: out[20].reshape(6, 60, 60),
            60: out[60].reshape(2, 20, 20),
        }

    def patch_zero_copy(self, number: int) -> Mapping[str, Pixels]:
        """Band to `row col`."""
        with self._env.begin(buffers=True) as transaction:
            return by_band(self._copy(transaction, number))


class ParquetFile(PatchByPatch):
    """A row group a patch."""

    def __init__(self, tile: Tile, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._path, self.sequence = folder / "patches.parquet", range(tile.count)
        kinds = {str(s): pa.binary(p[0].nbytes) for s, p in tile.sample.items()}
        schema = pa.schema(list(kinds.items()))
        with pq.ParquetWriter(
            self._path, schema, compression="none", use_dictionary=False, write_statistics=False,
            data_page_size=1 << 20,
        ) as writer:  # fmt: skip
            for number in self.sequence:
                columns = [
                    pa.array([p.tobytes()], kinds[str(s)]) for s, p in tile.patch(number).items()
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        self._shapes = {s: p.shape[1:] for s, p in tile.sample.items()}
        self.open()

    def files(self) -> list[Path]:
        """See `Reader`."""
        return [self._path]

    def open(self) -> None:
        """See `Reader`."""
        self._file: Any = pq.ParquetFile(self._path, memory_map=True, pre_buffer=False)

    def close(self) -> None:
        """See `Reader`."""
        self._file.close(force=True)
        self._file = None

    def _read(self, number: int) -> Patches:
        table = self._file.read_row_group(number, use_threads=False)
        return {
            size: np.frombuffer(table.column(i).chunk(0).buffers()[1], "<u2").reshape(shape).copy()
            for i, (size, shape) in enumerate(self._shapes.items())
        }
