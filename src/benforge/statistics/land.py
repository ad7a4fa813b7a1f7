"""The ground of every map: the sea, and countries with their borders."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benforge.statistics.projection import Frame, Projection, Squares
from benforge.statistics.style import LINE

LEAST = 900_000.0
"""Metres that a map of tiles shows at least."""

_LAND, _BORDER, _SEA = "#e6eae8", "#a9b3af", "#f6f8f9"


def frame_around(squares: Squares, least: float = LEAST) -> Frame:
    """Around squares, with a margin; at least so many metres wide and high."""
    low, high = squares.min(axis=(0, 1)), squares.max(axis=(0, 1))
    half = np.maximum((high - low) * 1.1, least) / 2
    (left, bottom), (right, top) = (low + high) / 2 - half, (low + high) / 2 + half
    return float(left), float(bottom), float(right), float(top)


def land_axes(
    figure: Figure, at: tuple[float, float], width: float, frame: Frame, view: Projection
) -> Axes:
    """A map with the land and its borders.

    Args:
        figure: that it is added to.
        at: its left and upper edge, inches.
        width: of it, inches.
        frame: what is shown, metres of the projection.
        view: the projection.
    """
    wide, high = figure.get_size_inches()
    left, bottom, right, top = frame
    height = width * (top - bottom) / (right - left)
    place = (at[0] / wide, (at[1] - height) / high, width / wide, height / high)
    axes = figure.add_axes(place)
    axes.set(xlim=frame[0::2], ylim=frame[1::2], xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=LINE)
    axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, fc=_SEA, zorder=0))
    land = PolyCollection(view.countries(frame), facecolors=_LAND, edgecolors=_BORDER, lw=0.4)
    axes.add_collection(land, autolim=False)
    return axes
