"""Where the patches lie: tiles on a map of countries, and the best covered place in detail."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Swatch
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from pyproj import Transformer

from benforge.statistics.charts import THOUSANDS
from benforge.statistics.land import frame_around, land_axes
from benforge.statistics.projection import DEGREES, Frame, Projection, Squares, projection_about
from benforge.statistics.style import INK, ON_LIGHT, PAGE, SOFT, new_figure

TILE = 109_800.0
"""Metres along a tile (fidelity rule 1)."""
AROUND = 1.5 * TILE
"""Metres from the middle of the best covered tile to the tiles that are shown with it."""
ENOUGH = 20
"""Footprints that there must be to show them one by one."""

_SHADES = mpl.colormaps["viridis_r"]
_SEASONS = {1: "#9ecae1", 2: "#4292c6", 3: "#08519c", 4: "#08264d"}
"""Number of seasons to colour, also legible without colours."""

_MAP, _CLOSE, _GAP, _KEY = 3.75, 3.0, 0.17, 0.52
"""Inches: greatest width and height of the maps of tiles and of patches, between, and below."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tiles:
    """Each tile: its name, patches, and square on the map."""

    names: list[str]
    patches: npt.NDArray[np.int64]
    squares: Squares


def draw_map(title: str, footprints: pa.Table, edge: float) -> Figure:
    """The tiles shaded by patches; beside them, if enough is there, one place patch by patch.

    Args:
        title: of the figure.
        footprints: as `count_footprints` gives them.
        edge: metres along a patch.
    """
    corners = _tile_corners(footprints, edge)
    view = _view_over(corners)
    tiles = _project_tiles(corners, view)
    squares = _project_patches(footprints, view, edge)
    near = np.asarray(pc.is_in(footprints["tile"], pa.array(_densest(footprints, tiles))))
    detailed = near.sum() >= ENOUGH
    frame = frame_around(tiles.squares)
    aspect = (frame[3] - frame[1]) / (frame[2] - frame[0])
    width = min(_MAP, 4.4 / aspect)
    height = max(width * aspect, _CLOSE * detailed)
    wide = PAGE if detailed else width + 0.08
    figure = new_figure(title, wide, height + _KEY, layout=False)
    overview = land_axes(figure, (0.04, height + _KEY), width, frame, view)
    _draw_tiles(figure, overview, tiles)
    if detailed:
        window = _square(frame_around(squares[near], 12 * edge))
        _mark(overview, window)
        detail = land_axes(figure, (0.04 + width + _GAP, height + _KEY), _CLOSE, window, view)
        inside = _inside(squares, window)
        _draw_patches(detail, squares[inside], np.asarray(footprints["seasons"])[inside])
        _draw_scale(detail, window)
    return figure


def _tile_corners(footprints: pa.Table, edge: float) -> pa.Table:
    """Each tile: `tile`, `crs`, `patches_sum`, and its corner as its patches tell it."""
    column, row = (np.asarray(footprints[name], np.float64) for name in ("column", "row"))
    corners = pa.table(
        {
            "tile": footprints["tile"],
            "crs": footprints["crs"],
            "patches": footprints["patches"],
            "left": np.asarray(footprints["ulx"]) - column * edge,
            "top": np.asarray(footprints["uly"]) + row * edge,
        }
    )
    totals = [("patches", "sum"), ("left", "min"), ("top", "max")]
    return corners.group_by(["tile", "crs"]).aggregate(totals).sort_by("tile")


def _view_over(corners: pa.Table) -> Projection:
    middles = []
    for row in corners.to_pylist():
        degrees = Transformer.from_crs(row["crs"], DEGREES, always_xy=True)
        middles.append(degrees.transform(row["left_min"] + TILE / 2, row["top_max"] - TILE / 2))
    return projection_about(*zip(*middles, strict=True))


def _project_tiles(corners: pa.Table, view: Projection) -> _Tiles:
    squares = [
        view.squares(row["crs"], np.array([row["left_min"]]), np.array([row["top_max"]]), TILE)
        for row in corners.to_pylist()
    ]
    patches = np.asarray(corners["patches_sum"])
    return _Tiles(corners["tile"].to_pylist(), patches, np.concatenate(squares))


def _densest(footprints: pa.Table, tiles: _Tiles) -> list[str]:
    """The tiles around that one which has most footprints within `AROUND` of its middle."""
    found = footprints.group_by("tile").aggregate([([], "count_all")]).to_pylist()
    counts = {row["tile"]: row["count_all"] for row in found}
    middles = tiles.squares.mean(axis=1)
    apart = np.abs(middles[:, None] - middles[None]).max(axis=-1)
    held = (apart < AROUND) @ np.array([counts[name] for name in tiles.names])
    best = int(held.argmax())
    return [name for name, far in zip(tiles.names, apart[best], strict=True) if far < AROUND]


def _project_patches(footprints: pa.Table, view: Projection, edge: float) -> Squares:
    """The footprints on the map, in the order of the table."""
    crs = np.asarray(footprints["crs"])
    left, top = (np.asarray(footprints[name]) for name in ("ulx", "uly"))
    squares = np.empty((len(footprints), 4, 2))
    for one in np.unique(crs):
        of = crs == one
        squares[of] = view.squares(str(one), left[of], top[of], edge)
    return squares


def _square(frame: Frame) -> Frame:
    left, bottom, right, top = frame
    x, y, half = (left + right) / 2, (bottom + top) / 2, max(right - left, top - bottom) / 2
    return x - half, y - half, x + half, y + half


def _inside(squares: Squares, frame: Frame) -> npt.NDArray[np.bool_]:
    """Which squares lie in a frame at least in part."""
    low, high = squares.min(axis=1), squares.max(axis=1)
    return np.asarray((high > frame[:2]).all(axis=1) & (low < frame[2:]).all(axis=1))


def _draw_tiles(figure: Figure, axes: Axes, tiles: _Tiles) -> None:
    norm = Normalize(0, int(tiles.patches.max()))
    colors = _SHADES(norm(tiles.patches))
    axes.add_collection(
        PolyCollection(list(tiles.squares), facecolors=colors, edgecolors="white", lw=0.3),
        autolim=False,
    )
    high, box = figure.get_size_inches()[1], axes.get_position()
    inside = box.width * 0.1
    bar_axes = figure.add_axes(
        (box.x0 + inside, box.y0 - 0.16 / high, box.width - 2 * inside, 0.085 / high)
    )
    bar = figure.colorbar(
        ScalarMappable(norm, _SHADES),
        cax=bar_axes,
        orientation="horizontal",
        ticks=MaxNLocator(5, integer=True),
    )
    bar.outline.set_visible(False)
    bar_axes.xaxis.set_major_formatter(THOUSANDS)
    bar.set_label("patches of a tile", labelpad=1)


def _mark(axes: Axes, window: Frame) -> None:
    left, bottom, right, top = window
    box = Rectangle((left, bottom), right - left, top - bottom, fc="none", ec=ON_LIGHT, lw=0.9)
    axes.add_patch(box)


def _draw_patches(axes: Axes, squares: Squares, seasons: npt.NDArray[np.int64]) -> None:
    axes.add_collection(
        PolyCollection(
            list(squares),
            facecolors=[_SEASONS[int(number)] for number in seasons],
            edgecolors="white" if len(squares) < 5000 else "none",
            linewidths=0.25,
            antialiaseds=len(squares) < 5000,
            rasterized=True,
        ),
        autolim=False,
    )
    numbers = sorted(set(seasons.tolist()))
    axes.legend(
        handles=[Swatch(fc=_SEASONS[n], ec=SOFT, lw=0.3, label=str(n)) for n in numbers],
        title="seasons in which a patch of the frame was taken",
        title_fontsize=7,
        ncols=4,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        columnspacing=1.6,
        labelcolor=INK,
    )


def _draw_scale(axes: Axes, window: Frame) -> None:
    """A bar of a round length, about a quarter of the width."""
    left, bottom, right, _ = window
    width = right - left
    power = 10.0 ** np.floor(np.log10(width / 4))
    length = max(step for step in (1, 2, 5) if step * power <= width / 4) * power
    x, y = left + 0.05 * width, bottom + 0.05 * width
    halo = [withStroke(linewidth=2.4, foreground="white")]
    axes.plot(
        [x, x + length], [y, y], color=ON_LIGHT, lw=1.4, solid_capstyle="butt", path_effects=halo
    )
    text = f"{length / 1000:g} km"
    axes.text(x, y + 0.02 * width, text, color=ON_LIGHT, size=6.5, path_effects=halo)
