"""Patches of the v1 layout, made up small and broken where a test wants them so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import Affine

TILE_CORNER = (300_000, 5_400_000)
PIXELS = {
    **dict.fromkeys(["B01", "B09"], 20),
    **dict.fromkeys(["B05", "B06", "B07", "B8A", "B11", "B12"], 60),
    **dict.fromkeys(["B02", "B03", "B04", "B08"], 120),
}
SOURCE = "S2A_MSIL1C_20190613T101031_N0207_R022_T33UUP_20190613T101608.SAFE"


def make_patch(root: Path, name: str, *, seed: int = 0, **changes: Any) -> Path:
    """Write a patch named `name` with random pixels; `changes` replace keys of its JSON."""
    column, row = (int(part) for part in name.split("_")[-2:])
    ulx, uly = TILE_CORNER[0] + 1200 * column, TILE_CORNER[1] - 1200 * row
    folder = root / name
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for band, pixels in PIXELS.items():
        write_band(folder, band, rng.integers(1, 10_000, (pixels, pixels), np.uint16), ulx, uly)
    facts = {
        "labels": ["Pastures", "Mixed forest"],
        "coordinates": {"ulx": ulx, "uly": uly, "lrx": ulx + 1200, "lry": uly - 1200},
        "projection": rasterio.crs.CRS.from_epsg(32633).to_wkt(),
        "tile_source": SOURCE,
        "acquisition_date": "2019-06-13 10:10:31",
    }
    json_path(folder).write_text(json.dumps(facts | changes))
    return folder


def write_band(folder: Path, band: str, pixels: np.ndarray, ulx: float, uly: float) -> None:
    """Write one GeoTIFF as v1 has them."""
    size = 1200 // pixels.shape[0]
    with rasterio.open(
        folder / f"{folder.name}_{band}.tif",
        "w",
        driver="GTiff",
        count=1,
        dtype=pixels.dtype,
        height=pixels.shape[0],
        width=pixels.shape[1],
        crs="EPSG:32633",
        transform=Affine(size, 0, ulx, 0, -size, uly),
    ) as target:
        target.write(pixels, 1)


def json_path(folder: Path) -> Path:
    """The JSON of a patch folder."""
    return folder / f"{folder.name}_labels_metadata.json"
