"""Atmospheric correction with 6S: how near it comes to sen2cor, and what a whole tile takes.

`python -m benchmarks.correction`. Nearness: the real pairs of `benchmarks.pairs`. Time and memory:
one simulated L1C tile, through `ben correct` in a fresh process, beside the floor of any
correction: the same bands read once and written once as they are.
"""

from __future__ import annotations

import shutil
import sys
from datetime import date
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from benchmarks.measure import run_alone, seconds, show, table
from benchmarks.pairs import BANDS, DATES, ELEVATION, correct_pair, errors, read_pair
from benforge.core.progress import silent
from benforge.correction.geometry import Geometry
from benforge.correction.l1c import open_l1c
from benforge.correction.port import CorrectOptions
from benforge.correction.sixs import SixS
from benforge.correction.sixs_run import Air, Light, Passage, run_sixs
from benforge.correction.tables import make_tables
from benforge.scenes.safe_write import SafeProduct, write_safe
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate

WORK = Path(__file__).parent / "work" / "correction"
PAIRS = Path(__file__).resolve().parents[2] / "shared/data/sentinel2/sen2r_barbellino_pairs"
SIZES = {"toy": 360, "quarter": 5490, "full": 10_980}
"""Pixels of 10 m along the tile."""


@cache
def _once_a_band(band: str) -> Passage:
    light = Light(geometry=Geometry(sun_zenith=30, sun_azimuth=145), month=6, day=13)
    return run_sixs(band, light, Air(aot=0.1, water=1.5))


def measure_tile(size: str) -> dict[str, Any]:
    """Seconds and GiB of a tile, and the floor; at toy size 6S is run once a band."""
    shutil.rmtree(WORK / "out", ignore_errors=True)
    day = SimulateDate(date=date(2017, 6, 13), cloud=0.05)
    recipe = SimulateRecipe(size=SIZES[size], dates=(day,), level="L1C")
    [product] = simulate(WORK / size, recipe).products
    (WORK / "out").mkdir()
    if size == "toy":
        sixs = SixS(CorrectOptions(), run=lambda band, _light, _air: _once_a_band(band))

        def correct() -> None:
            sixs.correct(product, WORK / "out", stop=Event(), progress=silent)

        took, memory = seconds(correct), 0.0
    else:
        words = ["correct", str(product), "--processor", "sixs", "--out", str(WORK / "out")]
        took, memory = run_alone([sys.executable, "-m", "benforge.cli", *words])
    floor = seconds(lambda: _copy(product))
    return {"seconds": took, "GiB": memory, "floor": floor, "ratio": took / floor}


def _copy(product: Path) -> None:
    """All bands read once and those of L2A written once, two at a time."""
    scene = open_l1c(product)
    about = scene.metadata
    bands = {band.name: scene.read_band(band.name) for band in about.sensor.patch_bands}
    copy = SafeProduct(
        spacecraft="S2A",
        level="L2A",
        sensing_time=about.sensing_time,
        generated=scene.generated,
        baseline="00.01",
        orbit=about.orbit,
        tile=about.tile,
        grid=about.grid,
        simulated_by="benchmarks",
    )
    write_safe(WORK / "out", copy, bands, threads=2)


def measure_pairs(elevation: float) -> list[dict[str, object]]:
    """A row a band: error and bias of 6S and of doing nothing on each date, and of both dates."""
    rows: dict[str, dict[str, object]] = {band: {"band": band} for band in BANDS}
    squares: dict[str, list[tuple[float, float]]] = {band: [] for band in BANDS}
    for day in DATES:
        pair = read_pair(PAIRS, day)
        ground, air = correct_pair(pair, make_tables(BANDS, pair.light, elevation, threads=2))
        print(f"{day}: AOT {air.aot:.2f}, water {float(np.median(air.water)):.1f} g/cm2")
        for band in BANDS:
            ours, bias = errors(ground[band], pair.after[band])
            nothing, bias_of_nothing = errors(pair.before[band], pair.after[band])
            rows[band][f"{day}, 6S"] = f"{ours:.0f} ({bias:+.0f})"
            rows[band][f"{day}, nothing"] = f"{nothing:.0f} ({bias_of_nothing:+.0f})"
            squares[band].append((ours**2, nothing**2))
    for band, both in squares.items():
        ours, nothing = np.sqrt(np.mean(both, axis=0))
        rows[band] |= {"both, 6S": f"{ours:.0f}", "both, nothing": f"{nothing:.0f}"}
    return list(rows.values())


def run(size: str = "full") -> dict[str, Any]:
    """The tile."""
    return measure_tile(size)


def report(size: str = "full") -> str:
    """Both as a page."""
    tile = run(size)
    told = (
        f"A simulated L1C tile of {SIZES[size]} x {SIZES[size]} pixels with `ben correct "
        f"--processor sixs`: {tile['seconds']:.0f} s, {tile['GiB']:.1f} GiB at most; reading all "
        f"bands once and writing them once as they are takes {tile['floor']:.0f} s, so the "
        f"correction takes {tile['ratio']:.1f} times that.\n"
    )
    parts = [told]
    if PAIRS.is_dir():
        title = "Root mean square (and mean) difference to sen2cor, reflectance x 10,000"
        parts.append(table(title, measure_pairs(ELEVATION)))
    return "\n".join(parts)


if __name__ == "__main__":
    show(report, SIZES)
