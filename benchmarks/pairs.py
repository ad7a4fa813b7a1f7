"""Real pairs: what Sentinel-2A saw over a lake in the Alps, and what sen2cor made of it.

Two dates of 42 x 24 pixels of 10 m around Lago Barbellino (sen2r's example data). B8A is not among
the bands, so B08 stands in for it. Nothing is known of the angles; the sun is reckoned from the
time and the sensor taken to stand overhead. The lake lies 1,862 m above the sea.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio

from benforge.core.grid import Grid
from benforge.correction.atmosphere import Atmosphere, estimate_atmosphere
from benforge.correction.classify import Scl, classify
from benforge.correction.geometry import reckon_geometry
from benforge.correction.neighbours import block_mean
from benforge.correction.sixs_run import Light
from benforge.correction.surface import WATER_LEVELS, correct_band, water_levels
from benforge.correction.tables import BandTable

DATES = ("20170703", "20190723")
BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B11", "B12")
VISIBLE = ("B01", "B02", "B03", "B04")
ELEVATION = 1862.0


@dataclass(frozen=True)
class Pair:
    """One date: bands at 10 m before and after sen2cor, reflectance x 10,000."""

    light: Light
    before: Mapping[str, np.ndarray]
    after: Mapping[str, np.ndarray]
    cirrus: np.ndarray


def read_pair(folder: Path, date: str) -> Pair:
    """The pair of a date."""
    before = read(folder / f"S2A1C_{date}_022_Barbellino_TOA_10.tif")
    after = read(folder / f"S2A2A_{date}_022_Barbellino_BOA_10.tif")
    time = datetime.strptime(f"{date}T102021", "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    grid = Grid("EPSG:32632", 580_560, 5_102_120, 10, 42, 24)
    light = Light(geometry=reckon_geometry(grid, time), month=time.month, day=time.day)
    seen = dict(zip((*BANDS[:9], "B10", *BANDS[9:]), before, strict=True))
    return Pair(light, seen, dict(zip(BANDS, after, strict=True)), seen.pop("B10"))


def read(path: Path) -> np.ndarray:
    """All bands of a raster, `band row col`."""
    with rasterio.open(path) as source:
        return source.read()


def correct_pair(
    pair: Pair, tables: Mapping[str, BandTable]
) -> tuple[dict[str, np.ndarray], Atmosphere]:
    """Our ground of a pair, reflectance x 10,000 at 10 m, and the air that was found."""
    seen = dict(pair.before) | {"B8A": pair.before["B08"]}
    looked = {n: block_mean(seen[n], 2).astype(np.uint16) for n in ("B02", "B03", "B04", "B8A")}
    looked |= {n: seen[n][::2, ::2] for n in ("B11", "B12")}
    classes = classify(looked | {"B10": pair.cirrus[::6, ::6]}, pair.light.geometry)
    names = ("B02", "B04", "B08", "B09", "B12")
    top = {n: block_mean(seen[n], 2) / np.float32(10_000) for n in names}
    land = np.isin(classes, (Scl.VEGETATION, Scl.BARE, Scl.DARK))
    air = estimate_atmosphere(top, land, tables, reference="B08")
    levels = water_levels(air.water[1::3, 1::3])
    ground = {}
    for name in BANDS:
        passages = [tables[name].passage(air.aot, water) for water in WATER_LEVELS]
        ground[name] = correct_band(seen[name].copy(), levels, passages, 6)
    return ground, air


def errors(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Root of the mean square, and mean, of the difference."""
    difference = found.astype(float) - true
    return float(np.sqrt((difference**2).mean())), float(difference.mean())
