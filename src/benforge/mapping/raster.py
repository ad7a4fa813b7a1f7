"""The scores of a map as a cloud-optimised GeoTIFF: a band a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.shutil
from rasterio.io import DatasetWriter, MemoryFile

from benforge.core.files import ANEW, write_atomic
from benforge.core.grid import Grid
from benforge.mapping.facts import MapFacts, find_classes

BLOCK = 128
"""Pixels along a block, the fewest that GDAL likes: maps are small."""
_LEAST = 32
"""Pixels along the longer edge of the smallest overview, about."""


def write_scores(path: Path, grid: Grid, scores: npt.NDArray[np.float32], facts: MapFacts) -> None:
    """Write scores as they are, float32; NaN where a window was left out.

    They are not scaled to bytes: a full tile of 43 classes takes 1.4 MB, and the numbers stay
    those of `ben predict`. Overviews are means. GDAL makes the file in memory: what it says of a
    full disk is many lines of its own, or nothing.

    Args:
        path: of the file.
        grid: a pixel a window.
        scores: `label row col`, 0 to 1.
        facts: written as tags; of each class its name, code and colour.

    Raises:
        StorageError: the disk is full.
    """
    with MemoryFile(ext=".tif") as made:
        with rasterio.open(
            "scores",
            "w+",
            driver="MEM",
            height=grid.height,
            width=grid.width,
            count=len(scores),
            dtype="float32",
            crs=grid.crs,
            transform=rasterio.Affine(*grid.transform),
            nodata=np.nan,
        ) as memory:
            memory.write(scores)
            _tell(memory, facts)
            rasterio.shutil.copy(
                memory,
                made.name,
                driver="COG",
                BLOCKSIZE=str(BLOCK),
                COMPRESS="DEFLATE",
                PREDICTOR="YES",
                OVERVIEW_RESAMPLING="AVERAGE",
                OVERVIEW_COUNT=str(max(0, int(np.log2(max(grid.shape) / _LEAST)))),
            )
        write_atomic(path, made.read(), ANEW)


def _tell(dataset: DatasetWriter, facts: MapFacts) -> None:
    dataset.update_tags(AREA_OR_POINT="Area", **facts.tags())
    classes = find_classes(facts)
    for band, (name, one) in enumerate(zip(facts.classes, classes, strict=True), start=1):
        dataset.set_band_description(band, name)
        color = "#{:02x}{:02x}{:02x}".format(*one.color)
        dataset.update_tags(band, code=str(one.code), color=color)
