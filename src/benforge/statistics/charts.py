"""Tables drawn as charts; each function takes a sheet and returns a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Swatch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from benforge.core.nomenclature import Nomenclature
from benforge.core.season import SEASONS
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import (
    BLUE,
    COLUMN,
    ON_LIGHT,
    PAGE,
    SEASON_COLORS,
    SOFT,
    bare,
    new_figure,
    rgb,
)

THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")
_SHADES = mpl.colormaps["Blues"].with_extremes(bad="#dde2e0")
BAR_EDGE: Mapping[str, Any] = {"edgecolor": SOFT, "linewidth": 0.3}


def draw_classes(sheet: Sheet, nomenclature: Nomenclature) -> Figure:
    """A bar a class in its colour of the legend, most patches on top; classes without are named."""
    rows = [row for row in sheet.table.to_pylist() if row["patches"]]
    figure = new_figure(sheet.title, PAGE, 0.19 * max(3, len(rows)) + 0.15)
    axes = figure.subplots()
    counts = [row["patches"] for row in rows]
    colors = [rgb(nomenclature.by_code(row["code"]).color) for row in rows]
    axes.barh(range(len(rows)), counts, 0.74, color=colors, **BAR_EDGE)
    names = [textwrap.fill(row["class"], 52) for row in rows]
    axes.set_yticks(range(len(rows)), names, size=6.8, linespacing=0.9)
    for place, row in enumerate(rows):
        text = f" {row['patches']:,}  ({_percent(row['share'])})"
        axes.text(row["patches"], place, text, va="center", size=6.8)
    axes.set_ylim(max(3, len(rows)) - 0.5, -0.5)
    axes.set_xlim(0, max(counts, default=1) * 1.24)
    bare(axes, "bottom", "left")
    axes.set_xticks([])
    return figure


def draw_labels(sheet: Sheet) -> Figure | None:
    """A bar a number of labels; None where no patch has one."""
    if not len(sheet.table):
        return None
    figure = new_figure(sheet.title, COLUMN, 2.2)
    axes = figure.subplots()
    numbers, patches = (sheet.table[name].to_pylist() for name in ("labels", "patches"))
    axes.bar(numbers, patches, 0.78, color=BLUE)
    shares = sheet.table["share"].to_pylist()
    for number, count, share in zip(numbers, patches, shares, strict=True):
        text = _percent(share).removesuffix(" %").replace(" ", "")
        axes.text(number, count, text, ha="center", va="bottom", size=5.8)
    axes.set_xticks(numbers)
    axes.set_xlabel("labels of a patch; above the bars, their share in %")
    _patches_axis(axes, axes.yaxis, "patches")
    return figure


def draw_dates(sheet: Sheet) -> Figure:
    """A bar a day of acquisition, coloured by season (Fig. 2 of the paper)."""
    figure = new_figure(sheet.title, PAGE, 2.3)
    axes = figure.subplots()
    dates, seasons, patches = (
        sheet.table[name].to_pylist() for name in ("date", "season", "patches")
    )
    days = [float(mdates.date2num(day)) for day in dates]
    width = max(1.3, (days[-1] - days[0]) / 250)
    axes.bar(days, patches, width, color=[SEASON_COLORS[season] for season in seasons])
    _date_axis(axes, days[0], days[-1])
    _patches_axis(axes, axes.yaxis, "patches")
    _season_legend(axes, [season for season in SEASONS if season in seasons])
    return figure


def _date_axis(axes: Axes, first: float, last: float) -> None:
    """Months by name, with the year under the first and under each January; else what fits."""
    span = last - first
    margin = max(8.0, 0.025 * span)
    axes.set_xlim(first - margin, last + margin)
    if 60 < span <= 800:
        months = mdates.MonthLocator(interval=1 if span <= 430 else 2)
        axes.xaxis.set_major_locator(months)
        axes.xaxis.set_major_formatter(FuncFormatter(_month))
        return
    locator = mdates.AutoDateLocator(minticks=3, maxticks=12)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))


def _month(day: float, position: int | None) -> str:
    found = mdates.num2date(day)
    return f"{found:%b\n%Y}" if found.month == 1 or position == 0 else f"{found:%b}"


def draw_countries(sheet: Sheet) -> Figure:
    """A bar a country, split into seasons."""
    rows = sheet.table.to_pylist()
    figure = new_figure(sheet.title, PAGE, 0.24 * max(2, len(rows)) + 0.55)
    axes = figure.subplots()
    left = np.zeros(len(rows))
    for season in SEASONS:
        counts = np.array([row[season] for row in rows])
        axes.barh(range(len(rows)), counts, 0.7, left=left, color=SEASON_COLORS[season])
        left += counts
    for place, row in enumerate(rows):
        text = f" {row['patches']:,}  ({_percent(row['share'])})"
        axes.text(row["patches"], place, text, va="center", size=6.8)
    axes.set_yticks(range(len(rows)), [row["country"] for row in rows])
    axes.set_ylim(max(2, len(rows)) - 0.5, -0.6)
    axes.set_xlim(0, max(left.max(initial=1), 1) * 1.2)
    bare(axes, "left")
    _patches_axis(axes, axes.xaxis, "patches")
    _season_legend(axes, [s for s in SEASONS if any(row[s] for row in rows)])
    return figure


def draw_seasons(sheet: Sheet) -> Figure:
    """A bar a season."""
    figure = new_figure(sheet.title, COLUMN, 1.9)
    axes = figure.subplots()
    rows = sheet.table.to_pylist()
    names = [row["season"] for row in rows]
    axes.bar(names, [row["patches"] for row in rows], 0.62, color=[SEASON_COLORS[n] for n in names])
    for place, row in enumerate(rows):
        text = f"{row['patches']:,}\n{_percent(row['share'])}"
        axes.text(place, row["patches"], text, ha="center", va="bottom", size=6.4)
    axes.set_ylim(0, 1.2 * max(1, *(row["patches"] for row in rows)))
    bare(axes, "left", "bottom")
    axes.set_yticks([])
    return figure


def draw_together(sheet: Sheet) -> Figure | None:
    """The matrix of conditional shares as a map of shades; None for fewer than two classes."""
    rows = sheet.table.to_pylist()
    if len(rows) < 2:
        return None
    codes = [str(row["code"]) for row in rows]
    shares = np.array([[row[code] for code in codes] for row in rows])
    shares[np.diag_indices(len(rows))] = np.nan
    size = 6.6 if len(rows) <= 22 else 5.4
    names = [textwrap.fill(row["class"], 46) for row in rows]
    cell = max(0.24 if len(rows) <= 22 else 0.095, _height_of(names, size))
    figure = new_figure(sheet.title, PAGE, cell * max(5, len(rows)) + 0.3)
    axes = figure.subplots()
    shades = axes.pcolormesh(shares, cmap=_SHADES, vmin=0, vmax=1, edgecolors="white", lw=0.3)
    if len(rows) <= 22:
        _write_shares(axes, shares)
    axes.set_yticks(np.arange(len(rows)) + 0.5, names, size=size, linespacing=1, ma="right")
    axes.tick_params(axis="y", pad=4 + 0.7 * size * max(map(len, codes)))
    beside: dict[str, Any] = {"xytext": (-4, 0), "textcoords": "offset points", "ha": "right"}
    for place, code in enumerate(codes):
        axes.annotate(code, (0, place + 0.5), va="center", size=size, **beside)
    axes.set_xticks(np.arange(len(rows)) + 0.5, codes, size=size, rotation=90)
    axes.set_ylim(len(rows), 0)
    bare(axes, "left", "bottom")
    bar = figure.colorbar(shades, ax=axes, shrink=0.8, aspect=28, pad=0.015)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    bar.set_label("of the row's patches have the column's class")
    return figure


def _height_of(names: Sequence[str], size: float) -> float:
    """Inches that a row needs for the name of most lines."""
    return max(name.count("\n") + 1 for name in names) * size * 1.2 / 72


def _write_shares(axes: Axes, shares: npt.NDArray[np.float64]) -> None:
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            axes.text(
                column + 0.5,
                row + 0.52,
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                size=5.2,
                color="white" if share > 0.55 else ON_LIGHT,
            )


def _percent(share: float) -> str:
    """A share as a reader wants it: 12.3 %, < 0.1 %."""
    return "< 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def _patches_axis(axes: Axes, axis: Axis, label: str) -> None:
    axis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axis.set_major_formatter(THOUSANDS)
    axis.grid(True)
    axis.set_label_text(label)


def _season_legend(axes: Axes, seasons: Sequence[str]) -> None:
    swatches = [Swatch(color=SEASON_COLORS[season], label=season) for season in seasons]
    axes.legend(
        handles=swatches,
        ncols=4,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.1,
        columnspacing=1.2,
    )
