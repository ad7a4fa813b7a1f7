"""Where chosen products lie: each tile on a map of countries, a quarter of it a season."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Swatch

from benforge.core.files import ANEW, storage_errors, write_atomic
from benforge.errors import InputError
from benforge.statistics.land import frame_around, land_axes
from benforge.statistics.projection import Projection, Squares, projection_about
from benforge.statistics.style import (
    INK,
    SEASON_COLORS,
    SOFT,
    as_png,
    as_svg,
    new_figure,
    on_white,
    styled,
)
from benforge.tiles.ground import TILE, corner_of, square_of
from benforge.tiles.selection import Selection

WIDTH = 5.2
"""Inches."""

_NONE = "#ffffff"
_QUARTERS: Mapping[str, tuple[int, int]] = {
    "winter": (0, 0),
    "spring": (1, 0),
    "summer": (0, 1),
    "autumn": (1, 1),
}
"""Season to its quarter of a tile: column and row."""


def write_selection_map(selection: Selection, path: Path, title: str = "Chosen products") -> None:
    """Draw the map into a PNG or an SVG.

    Raises:
        InputError: the file's name ends in neither.
        StorageError: it cannot be written.
    """
    if path.suffix not in {".png", ".svg"}:
        raise InputError("a map is a .png or an .svg", where=path, do="Name it so: --map map.png")
    with styled():
        figure = draw_selection(selection, title)
        data = as_png(figure) if path.suffix == ".png" else on_white(as_svg(figure))
    with storage_errors(path, ANEW):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data, ANEW)


def draw_selection(selection: Selection, title: str) -> Figure:
    """Each tile as a square of four quarters, coloured where its season was chosen."""
    tiles = sorted({entry.product.tile for entry in selection.entries})
    middles = [square_of(tile).centroid for tile in tiles]
    view = projection_about([p.x for p in middles], [p.y for p in middles])
    frame = frame_around(np.concatenate([_square(view, tile) for tile in tiles]))
    height = WIDTH * (frame[3] - frame[1]) / (frame[2] - frame[0])
    told = ", ".join(f"{season} {n}" for season, n in selection.seasons.items())
    simulated = "simulated, " if any(e.simulated for e in selection.entries) else ""
    of = f"{simulated}{len(selection.entries)} products of {len(tiles)} tiles: {told}"
    figure = new_figure(f"{title} · {of}", WIDTH + 0.08, height + 0.35, layout=False)
    axes = land_axes(figure, (0.04, 0.33 + height), WIDTH, frame, view)
    _draw_tiles(axes, selection, tiles, view)
    _draw_key(axes)
    return figure


def _square(
    view: Projection, tile: str, column: float = 0, row: float = 0, part: int = 1
) -> Squares:
    """A tile's square on the map, or one of its parts."""
    corner, edge = corner_of(tile), TILE / part
    left = np.array([corner.ulx + column * edge])
    top = np.array([corner.uly - row * edge])
    return view.squares(f"EPSG:{corner.epsg}", left, top, edge)


def _draw_tiles(axes: Axes, selection: Selection, tiles: list[str], view: Projection) -> None:
    had = {(entry.product.tile, entry.season) for entry in selection.entries}
    quarters, colors = [], []
    for tile in tiles:
        for season, (column, row) in _QUARTERS.items():
            quarters.append(_square(view, tile, column, row, 2)[0])
            colors.append(SEASON_COLORS[season] if (tile, season) in had else _NONE)
    parts = PolyCollection(quarters, facecolors=colors, edgecolors="none")
    whole = [_square(view, tile)[0] for tile in tiles]
    edges = PolyCollection(whole, facecolors="none", edgecolors=SOFT, lw=0.35)
    for drawn in (parts, edges):
        axes.add_collection(drawn, autolim=False)


def _draw_key(axes: Axes) -> None:
    seasons = [Swatch(fc=SEASON_COLORS[s], ec=SOFT, lw=0.3, label=s) for s in _QUARTERS]
    axes.legend(
        handles=[*seasons, Swatch(fc=_NONE, ec=SOFT, lw=0.3, label="none")],
        ncols=5,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        columnspacing=1.6,
        labelcolor=INK,
    )
