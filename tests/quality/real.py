"""Real pixels cut as archives hold them: pixel size to `patch band row col`, stored numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio

from benforge.core.sensor import load_sensor

SENSOR = load_sensor()
Pixels = dict[int, npt.NDArray[np.uint16]]


def stack(bands: Mapping[str, npt.NDArray[np.uint16]]) -> Pixels:
    """Bands `patch row col`, or none of a band that nobody looks at, as pixels of 10 and 20 m."""
    found = {}
    for size in (10, 20):
        names = [band.name for band in SENSOR.bands_at(size)]
        like = next(bands[name] for name in names if name in bands)
        found[size] = np.stack([bands.get(name, np.zeros_like(like)) for name in names], axis=1)
    return found


def major_tom(folder: Path, offset: int = 0) -> Pixels:
    """8 x 8 patches of a scene of Major TOM; `offset` is taken off, as baseline 04.00 asks."""
    bands = {}
    for name in ("B02", "B03", "B04", "B8A", "B11", "B12"):
        with rasterio.open(folder / f"{name}.tif") as file:
            edge = 1200 // SENSOR.band(name).pixel_size
            values = file.read(1)[: 8 * edge, : 8 * edge].astype(int) - offset
        parts = values.clip(0).astype(np.uint16).reshape(8, edge, 8, edge).swapaxes(1, 2)
        bands[name] = parts.reshape(64, edge, edge)
    return stack(bands)


def slovenia(file: Path) -> Pixels:
    """The five dates over Slovenia as five patches; every band has pixels of one size there."""
    cube = np.rint(np.load(file) * SENSOR.quantification).astype(np.uint16)[:, :99, :99]
    names = [band.name for band in SENSOR.bands]
    bands = {name: cube[..., place] for place, name in enumerate(names)}
    finer = {b.name: bands[b.name].repeat(2, axis=1).repeat(2, axis=2) for b in SENSOR.bands_at(10)}
    return stack({**bands, **finer})


def barbellino(folder: Path, day: str) -> tuple[Pixels, npt.NDArray[np.uint8]]:
    """A piece of the Alps, all bands at 10 m there, and its scene classification."""
    with rasterio.open(folder / f"S2A2A_{day}_022_Barbellino_BOA_10.tif") as file:
        order = [band.name for band in SENSOR.patch_bands if band.name != "B09"]
        bands = dict(zip(order, file.read().astype(np.uint16)[:, None], strict=True))
    with rasterio.open(folder / f"S2A2A_{day}_022_Barbellino_SCL_10.tif") as file:
        codes = file.read(1)[None]
    coarse = {b.name: bands[b.name][:, ::2, ::2] for b in SENSOR.bands_at(20)}
    return stack({**bands, **coarse}), codes
