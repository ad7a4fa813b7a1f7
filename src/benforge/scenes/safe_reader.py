"""A Sentinel-2 SAFE product, opened: the reader of every level, layout and baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.errors import InputError, ProductError
from benforge.scenes.port import SATURATED, SceneMetadata, SceneReader
from benforge.scenes.safe_checksum import ListedFile
from benforge.scenes.safe_files import ProductFiles, open_files, split_tile
from benforge.scenes.safe_jp2 import HEADER, Pixels, check_header, decode
from benforge.scenes.safe_metadata import SafeContents, read_contents

_CLASSIFICATION_PIXEL = 20


@dataclass(frozen=True, slots=True)
class SafeReader:
    """One product of one tile; made by `open_safe`, which checks it.

    Holds no open file: it may be used from several threads and sent to another process.
    """

    metadata: SceneMetadata
    files: ProductFiles
    bands: Mapping[str, str]
    classification: str | None
    listed: Mapping[str, ListedFile]

    def read_band(
        self, name: str, out: npt.NDArray[np.uint16] | None = None, *, threads: int = 1
    ) -> npt.NDArray[np.uint16]:
        """One band, decoded once; see `SceneReader.read_band`.

        Raises:
            InputError: no such band is kept, or `out` has another shape or type.
            ProductError: the file is damaged, or not the one that manifest.safe lists.
        """
        if name not in self.bands:
            raise InputError(f"no band {name!r} is read", do=f"There are {', '.join(self.bands)}")
        grid = self.metadata.grid.resized(self.metadata.sensor.band(name).pixel_size)
        if out is None:
            out = np.empty(grid.shape, np.uint16)
        if out.shape != grid.shape or out.dtype != np.uint16:
            raise InputError(f"{name} is uint16 {grid.shape}, not {out.dtype} {out.shape}")
        self._decode(self.bands[name], out, threads, self._radiometry(name))
        return out

    def read_classification(self) -> npt.NDArray[np.uint8] | None:
        """The scene classification at 20 m, `row col`, or None where there is none.

        Raises:
            ProductError: the file is damaged, or not the one that manifest.safe lists.
        """
        if self.classification is None:
            return None
        out = np.empty(self.metadata.grid.resized(_CLASSIFICATION_PIXEL).shape, np.uint8)
        self._decode(self.classification, out, 1, None)
        return out

    def _decode(
        self,
        name: str,
        out: Pixels,
        threads: int,
        finish: Callable[[npt.NDArray[Any]], None] | None,
    ) -> None:
        where = self.files.where(name)
        with self.files.raster(name, self.listed.get(name)) as path:
            decode(path, out, where, threads=threads, finish=finish)

    def _radiometry(self, name: str) -> Callable[[npt.NDArray[Any]], None] | None:
        """What turns the digital numbers of a block into reflectance, None where they are it."""
        known, standard = self.metadata.quantification, self.metadata.sensor.quantification
        offset = self.metadata.offsets[name]
        if offset == 0 and known == standard:
            return None
        table = reflectance_table(offset, known, standard)

        def apply(block: npt.NDArray[Any]) -> None:
            block[...] = np.take(table, block, mode="clip")  # checks no index: twice as fast

        return apply


def open_safe(path: Path, tile: str | None = None, verify: bool = True) -> SceneReader:
    """Open a Sentinel-2 product and check all that can be checked without decoding.

    Args:
        path: its folder, its main metadata file, or its zip, or one of these and a tile,
            `X.SAFE#32TNM`.
        tile: which granule, where a product from before December 2016 has several and the path
            does not say.
        verify: hold each band to the size and checksum that manifest.safe lists.

    Raises:
        MissingError: there is nothing at `path`.
        ProductError: another kind of product, or one that is damaged, incomplete or
            contradicts itself.
    """
    path, named = split_tile(path)
    files = open_files(path)
    contents = read_contents(files, tile or named)
    bands = _choose_files(files, contents)
    classification = _one(files, contents, "SCL", contents.classification)
    listed = contents.listed if verify else {}
    reader = SafeReader(contents.metadata, files, bands, classification, listed)
    _check_images(reader)
    return reader


def reflectance_table(offset: int, quantification: int, standard: int) -> npt.NDArray[np.uint16]:
    """Digital number to reflectance x `standard`: 65,536 values to look up.

    A valid number becomes (number + offset) x standard / quantification, at least 1 so that it
    stays apart from no data, at most 65,534. No data (0) and saturated (65,535) stay.
    """
    numbers = np.arange(2**16, dtype=np.float64)
    table = np.rint((numbers + offset) * (standard / quantification))
    table = table.clip(1, SATURATED - 1).astype(np.uint16)
    table[[0, SATURATED]] = 0, SATURATED
    return table


def _choose_files(files: ProductFiles, contents: SafeContents) -> dict[str, str]:
    """Band name to its one file."""
    chosen = {name: _one(files, contents, name, found) for name, found in contents.bands.items()}
    missing = [name for name, file in chosen.items() if file is None]
    if missing:
        size = contents.metadata.sensor.band(missing[0]).pixel_size
        folder = f"/R{size}m" if contents.metadata.level == "L2A" else ""
        raise ProductError(
            f"no file of band {', '.join(missing)}",
            where=files.where(f"{contents.granule}/IMG_DATA{folder}"),
            do="Download the product again",
        )
    return {name: file for name, file in chosen.items() if file is not None}


def _one(
    files: ProductFiles, contents: SafeContents, name: str, found: Sequence[str]
) -> str | None:
    if len(found) > 1:
        raise ProductError(
            f"{len(found)} files of band {name}: {', '.join(found)}",
            where=files.where(contents.granule),
            do="Keep the right one",
        )
    return found[0] if found else None


def _check_images(reader: SafeReader) -> None:
    """Size, type, ground and, where it costs nothing, completeness of every file."""
    grid, sensor = reader.metadata.grid, reader.metadata.sensor
    for name, file in reader.bands.items():
        _check_image(reader, file, grid.resized(sensor.band(name).pixel_size), "uint16")
    if reader.classification is not None:
        _check_image(reader, reader.classification, grid.resized(_CLASSIFICATION_PIXEL), "uint8")


def _check_image(reader: SafeReader, name: str, grid: Grid, dtype: str) -> None:
    files = reader.files
    where = files.where(name)
    limit = 2 * np.dtype(dtype).itemsize * grid.height * grid.width + HEADER
    if not 0 < files.sizes[name] <= limit:
        raise ProductError(
            f"{files.sizes[name]} bytes cannot be {grid.height} x {grid.width} pixels",
            where=where,
            do="Download the product again",
        )
    check_header(files.head(name, HEADER), grid, dtype, where)
    if not files.packed:
        with files.raster(name):
            pass
    listed = reader.listed.get(name)
    if listed is not None and files.sizes[name] != listed.size:
        raise ProductError(
            f"{files.sizes[name]} bytes, but manifest.safe lists {listed.size}",
            where=where,
            do="Download the product again",
        )
