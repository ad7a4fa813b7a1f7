"""L1C products for the tests of correction: a known ground seen through a known air."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.core.grid import Grid
from benforge.core.sensor import load_sensor
from benforge.correction.geometry import reckon_geometry
from benforge.correction.sixs_run import Air, Light
from benforge.correction.tables import to_top
from benforge.scenes.safe_write import SafeProduct, to_raw, write_safe
from tests.correction.air import plain_air

GRID = Grid("EPSG:32633", 300_000, 5_300_040, 10, 720, 600)
SENSED = datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC)
GENERATED = datetime(2017, 6, 13, 10, 16, 8, tzinfo=UTC)
AIR = Air(aot=0.22, water=2.4)

VEGETATION = {
    "B01": 0.018,
    "B02": 0.02,
    "B03": 0.045,
    "B04": 0.03,
    "B05": 0.07,
    "B06": 0.2,
    "B07": 0.26,
    "B08": 0.27,
    "B8A": 0.29,
    "B09": 0.29,
    "B10": 0.0,
    "B11": 0.14,
    "B12": 0.06,
}
"""Ground reflectance of dense vegetation: red is half of B12, B09 is as B8A."""


def about(level: str = "L1C", **changes: Any) -> SafeProduct:
    """What a product says."""
    facts: dict[str, Any] = {
        "spacecraft": "S2A",
        "level": level,
        "sensing_time": SENSED,
        "generated": GENERATED,
        "baseline": "02.05",
        "orbit": 22,
        "tile": "33UUP",
        "grid": GRID,
        "simulated_by": "the tests",
    }
    return SafeProduct(**{**facts, **changes})


def ground(grid: Grid = GRID, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Ground reflectance of vegetation that is bright and dark by turns, band to `row col`."""
    shades = np.random.default_rng(seed).uniform(0.7, 1.3, grid.resized(60).shape)
    return {
        band.name: np.kron(
            shades * VEGETATION[band.name], np.ones((60 // band.pixel_size,) * 2)
        ).astype(np.float32)
        for band in load_sensor().bands
    }


def through_air(
    bands: Mapping[str, npt.NDArray[np.float32]], light: Light, air: Air = AIR
) -> dict[str, npt.NDArray[np.uint16]]:
    """What the sensor sees of the ground, reflectance x 10,000; without light from around."""
    seen = {}
    for name, pixels in bands.items():
        top = to_top(pixels, plain_air(name, light, air))
        seen[name] = np.rint(10_000 * top).clip(1, 65534).astype(np.uint16)
    seen["B10"][...] = 10
    return seen


def write_l1c(folder: Path, *, marks: bool = True, **changes: Any) -> Path:
    """An L1C product of vegetation; where marked, a corner without data and one saturated.

    Args:
        folder: where it goes.
        marks: whether it has those corners.
        changes: of what it says.
    """
    product = about(**changes)
    time = product.sensing_time
    light = Light(geometry=reckon_geometry(product.grid, time), month=time.month, day=time.day)
    bands = through_air(ground(product.grid), light)
    for name, pixels in bands.items():
        size = load_sensor().band(name).pixel_size
        if marks:
            pixels[: 120 // size, : 120 // size] = 0
            pixels[-120 // size :, -120 // size :] = 65535
        raw = to_raw(pixels, product.offsets.get(name, 0))
        raw[pixels == 65535] = 65535
        bands[name] = raw
    return write_safe(folder, product, bands)
