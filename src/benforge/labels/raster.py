"""Land cover as a raster of class codes or grid codes, in any CRS."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from benforge.core.grid import Bounds, Grid
from benforge.core.nomenclature import Nomenclature
from benforge.errors import LandCoverError
from benforge.labels.cells import cell_edges
from benforge.labels.checksum import content_sha256
from benforge.labels.codes import number_classes
from benforge.labels.draw import draw_labels
from benforge.labels.edges import Edges
from benforge.labels.port import TileLabels
from benforge.labels.projection import ToGrid

BATCH_CELLS = 1 << 22
"""Cells that are worked on at once, which bounds the memory that a fine raster takes."""


@dataclass(frozen=True, slots=True)
class RasterLandCover:
    """A raster of codes; made by `open_raster`.

    A cell is a square of ground with one class: shares are the exact areas of the cells'
    outlines in the tile's CRS, however fine or coarse they are, and the reference map has the
    class of the cell in which a pixel's centre lies. Nothing is resampled.
    """

    path: Path
    crs: pyproj.CRS
    shape: tuple[int, int]
    transform: tuple[float, ...]
    nodata: float | None
    nomenclature: Nomenclature

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What the map is; the checksum is computed when this is first asked for."""
        return {
            "name": self.path.name,
            "kind": "raster",
            "crs": self.crs.to_string(),
            "shape": list(self.shape),
            "transform": list(self.transform),
            "nomenclature": self.nomenclature.name,
            "sha256": content_sha256(self.path),
        }

    def read_labels(self, grid: Grid, patch_pixels: int) -> TileLabels:
        """Land cover of a tile: see `LandCoverSource`.

        Whether the cells hold class codes or grid codes is told by those in the tile.

        Raises:
            GridError: the grid is not a whole number of patches.
            LandCoverError: the map is damaged, does not cover the tile, holds unknown codes, or
                coordinates outside its CRS.
        """
        to_grid = ToGrid(self.crs, grid, self.path.name)
        windows = _batches(self._window(to_grid.bounds))
        codes = tuple(sorted(self.nomenclature.codes))
        batches = _CellBatches(self, windows, self._classes(windows), to_grid)
        return draw_labels(
            batches, np.arange(len(codes)), codes, grid, patch_pixels, where=self.path.name
        )

    def _window(self, bounds: Bounds) -> Window:
        """The cells that a box touches.

        Raises:
            LandCoverError: there are none.
        """
        to_cells = ~rasterio.Affine(*self.transform)
        left, bottom, right, top = bounds
        corners = [to_cells @ (x, y) for x in (left, right) for y in (bottom, top)]
        cols, rows = np.array(corners).T
        height, width = self.shape
        first_row, first_col = max(0, int(np.floor(rows.min()))), max(0, int(np.floor(cols.min())))
        last_row, last_col = (
            min(height, int(np.ceil(rows.max()))),
            min(width, int(np.ceil(cols.max()))),
        )
        if first_row >= last_row or first_col >= last_col:
            raise LandCoverError(
                "the map does not cover the tile",
                where=self.path.name,
                do="Use a map of this region",
            )
        return Window(first_col, first_row, last_col - first_col, last_row - first_row)

    def _classes(self, windows: list[Window]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """The different values in the windows, ascending, and the class that each means."""
        values = np.unique(np.concatenate([np.unique(self._read(window)) for window in windows]))
        kept = values[~self._is_nodata(values)]
        numbers = number_classes(kept.tolist(), self.nomenclature, self.path.name)
        classes = np.full(len(values), -1)
        classes[~self._is_nodata(values)] = numbers
        return values, classes

    def _is_nodata(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        empty: npt.NDArray[np.bool_] = np.isnan(values)
        return empty if self.nodata is None else empty | (values == self.nodata)

    def _read(self, window: Window) -> npt.NDArray[Any]:
        try:
            with rasterio.open(self.path) as raster:
                values: npt.NDArray[Any] = raster.read(1, window=window)
        except RasterioError as error:
            raise _damaged(error, self.path.name) from error
        return values


@dataclass(frozen=True, slots=True, eq=False)
class _CellBatches:
    """The edges of the cells in some windows, made anew whenever they are gone through."""

    source: RasterLandCover
    windows: list[Window]
    classes: tuple[npt.NDArray[Any], npt.NDArray[np.int64]]
    to_grid: ToGrid

    def __iter__(self) -> Iterator[Edges]:
        values, classes = self.classes
        whole = rasterio.Affine(*self.source.transform)
        for window in self.windows:
            cells = classes[np.searchsorted(values, self.source._read(window))]
            corner = whole @ rasterio.Affine.translation(window.col_off, window.row_off)
            yield cell_edges(cells, tuple(corner)[:6], self.to_grid)


def _batches(window: Window) -> list[Window]:
    """The window in bands of whole rows."""
    rows = max(1, BATCH_CELLS // window.width)
    return [
        Window(window.col_off, window.row_off + top, window.width, min(rows, window.height - top))
        for top in range(0, window.height, rows)
    ]


def open_raster(path: Path, *, nomenclature: Nomenclature) -> RasterLandCover:
    """Find CRS, corner and cell size of a raster map.

    Raises:
        LandCoverError: the file is damaged, it has several bands, or no CRS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as raster:
                bands, crs, nodata = raster.count, raster.crs, raster.nodata
                shape, transform = raster.shape, tuple(raster.transform)[:6]
    except (RasterioError, CRSError) as error:
        raise _damaged(error, path.name) from error
    if bands != 1:
        raise LandCoverError(
            f"it has {bands} bands, land cover has one", where=path.name, do="Use a map of codes"
        )
    if crs is None:
        raise LandCoverError(
            "the map has no CRS", where=path.name, do="Give it the one its coordinates are in"
        )
    found = pyproj.CRS(crs.to_wkt())
    return RasterLandCover(path, found, shape, transform, nodata, nomenclature)


def _damaged(error: Exception, where: str) -> LandCoverError:
    return LandCoverError(
        f"the map is damaged, it cannot be read ({error.__cause__ or error})",
        where=where,
        do="Get the file again",
    )
