"""Mean, spread and percentiles of every band, exact, from how often each value occurs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.core.bigearthnet import load_bigearthnet
from benforge.statistics.described import Described
from benforge.statistics.sheet import Sheet

PERCENTILES = (1, 2, 25, 50, 75, 98, 99)


@dataclass(frozen=True, slots=True)
class BandValues:
    """One band in figures, reflectance x 10,000; pixels of value 0 are no data and do not count.

    Args:
        pixels: how many have data.
        share_no_data: share of all pixels that are 0.
        mean: None without pixels, as all that follows.
        deviation: standard deviation of the population (divided by n).
        low: smallest value.
        high: largest value.
        percentiles: of `PERCENTILES`, as numpy's method "linear" defines them.
    """

    pixels: int
    share_no_data: float
    mean: float | None = None
    deviation: float | None = None
    low: int | None = None
    high: int | None = None
    percentiles: tuple[float | None, ...] = (None,) * len(PERCENTILES)


def values_of(counts: npt.NDArray[np.int64]) -> BandValues:
    """A band in figures, from how often each of its values occurs; sums are whole numbers."""
    nothing = int(counts[0])
    found = np.flatnonzero(counts[1:]) + 1
    times = [int(n) for n in counts[found]]
    values, pixels = [int(value) for value in found], sum(times)
    share = nothing / max(1, nothing + pixels)
    if not pixels:
        return BandValues(0, share)
    total = sum(v * n for v, n in zip(values, times, strict=True))
    squares = sum(v * v * n for v, n in zip(values, times, strict=True))
    return BandValues(
        pixels=pixels,
        share_no_data=share,
        mean=total / pixels,
        deviation=math.sqrt((pixels * squares - total * total) / pixels**2),
        low=values[0],
        high=values[-1],
        percentiles=tuple(_percentile(found, np.cumsum(counts[found]), q) for q in PERCENTILES),
    )


def _percentile(
    values: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], percent: float
) -> float:
    """What `np.percentile` gives of the pixels: between the two that stand at its place.

    Args:
        values: those that occur, ascending.
        ends: how many pixels have this value or a smaller one.
        percent: 0 to 100.
    """
    place = (int(ends[-1]) - 1) * (percent / 100)
    below = math.floor(place)
    above = min(below + 1, int(ends[-1]) - 1)
    a, b = (float(values[np.searchsorted(ends, i, side="right")]) for i in (below, above))
    part = place - below
    return b - (b - a) * (1 - part) if part >= 0.5 else a + (b - a) * part


def band_sheet(described: Described) -> Sheet | None:
    """Every band, with the authors' mean and deviation of BigEarthNet; None without pixels."""
    if described.histograms is None:
        return None
    known = load_bigearthnet()
    rows: list[dict[str, Any]] = []
    for band in described.histograms.sensor.patch_bands:
        found = values_of(described.histograms.counts[band.name])
        rows.append(
            {
                "band": band.name,
                "pixel_size": band.pixel_size,
                "pixels": found.pixels,
                "share_no_data": found.share_no_data,
                "mean": found.mean,
                "deviation": found.deviation,
                "lowest": found.low,
                **{f"p{q}": v for q, v in zip(PERCENTILES, found.percentiles, strict=True)},
                "highest": found.high,
                "mean_of_BigEarthNet": known.band_means.get(band.name),
                "deviation_of_BigEarthNet": known.band_stds.get(band.name),
            }
        )
    note = (
        "Reflectance x 10,000. Pixels of value 0 are no data: only their share is told. All other "
        f"pixels of {described.histograms.patches:,} patches are counted, none is estimated. "
        "The last two columns are those the authors published with BigEarthNet."
    )
    title = described.title("Pixel values of each band")
    return Sheet(title, pa.Table.from_pylist(rows, schema=_SCHEMA), note)


_SCHEMA = pa.schema(
    [
        ("band", pa.string()),
        ("pixel_size", pa.int16()),
        ("pixels", pa.int64()),
        ("share_no_data", pa.float64()),
        ("mean", pa.float64()),
        ("deviation", pa.float64()),
        ("lowest", pa.int32()),
        *((f"p{q}", pa.float64()) for q in PERCENTILES),
        ("highest", pa.int32()),
        ("mean_of_BigEarthNet", pa.float64()),
        ("deviation_of_BigEarthNet", pa.float64()),
    ]
)
