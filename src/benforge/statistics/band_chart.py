"""The values of every band as boxes, beside what the authors published."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch as Swatch
from matplotlib.patches import Rectangle

from benforge.core.sensor import Sensor
from benforge.statistics.charts import THOUSANDS
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import INK, PAGE, SIZE_COLORS, SOFT, new_figure


def draw_bands(sheet: Sheet, sensor: Sensor) -> Figure | None:
    """A box a band by wavelength: quartiles, median, percentiles 1 and 99, mean; None without data.

    Beside each stand the authors' mean and one standard deviation either way.
    """
    rows = [row for row in sheet.table.to_pylist() if row["pixels"]]
    if not rows:
        return None
    figure = new_figure(sheet.title, PAGE, 2.9)
    axes = figure.subplots()
    colors = dict(zip(sensor.pixel_sizes, SIZE_COLORS, strict=False))
    for place, row in enumerate(rows):
        _box(axes, place - 0.13, row, colors[row["pixel_size"]])
        _beside(axes, place + 0.27, row)
    names = [f"{row['band']}\n{sensor.band(row['band']).wavelength:,.0f} nm" for row in rows]
    axes.set_xticks(range(len(rows)), names)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, len(rows) - 0.4)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(THOUSANDS)
    axes.yaxis.grid(True)
    axes.set_ylabel("reflectance × 10,000")
    present = sorted({row["pixel_size"] for row in rows})
    sizes = [Swatch(color=colors[size], alpha=0.55, label=f"{size} m") for size in present]
    keys = _keys(any(row["mean_of_BigEarthNet"] is not None for row in rows))
    figure.legend(handles=[*sizes, *keys], loc="outside lower left", ncols=7, columnspacing=1.1)
    return figure


def _box(axes: Axes, x: float, row: dict[str, Any], color: str) -> None:
    axes.plot([x, x], [row["p1"], row["p99"]], color=color, lw=0.9, zorder=2)
    height = row["p75"] - row["p25"]
    axes.add_patch(Rectangle((x - 0.2, row["p25"]), 0.4, height, fc="white", ec="none", zorder=2.5))
    box = Rectangle((x - 0.2, row["p25"]), 0.4, height, fc=color, alpha=0.55, zorder=3)
    axes.add_patch(box)
    axes.plot([x - 0.2, x + 0.2], [row["p50"]] * 2, color=INK, lw=1.1, zorder=4)
    axes.plot([x], [row["mean"]], "o", ms=3.2, mfc="white", mec=INK, mew=0.8, zorder=5)


def _beside(axes: Axes, x: float, row: dict[str, Any]) -> None:
    mean, deviation = row["mean_of_BigEarthNet"], row["deviation_of_BigEarthNet"]
    if mean is not None:
        ends = [max(0, mean - deviation), mean + deviation]
        axes.plot([x, x], ends, color=SOFT, lw=0.8, zorder=2)
        axes.plot([x], [mean], "D", ms=2.8, color=SOFT, zorder=3)


def _keys(beside: bool) -> list[Line2D]:
    keys = [
        Line2D([], [], color=SOFT, lw=0.9, label="1 to 99 %, box 25 to 75 %"),
        Line2D([], [], color=INK, lw=1.1, label="median"),
        Line2D([], [], ls="", marker="o", ms=3.2, mfc="white", mec=INK, mew=0.8, label="mean"),
    ]
    if beside:
        label = "published: mean ± deviation"
        keys.append(Line2D([], [], color=SOFT, marker="D", ms=2.8, lw=0.8, label=label))
    return keys
