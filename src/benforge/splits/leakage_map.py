"""A picture of what a split leaks: every tile, and the one that leaks most, patch by patch."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio.raw
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import ConnectionPatch
from matplotlib.patches import Patch as Swatch
from pyproj import Transformer

from benforge.labels.countries import SOURCE
from benforge.splits.leakage import LeakageMap

Floats = npt.NDArray[np.float64]

INK, PAPER, LAND, SHORE = "#22303c", "#ffffff", "#f3f1ec", "#a9b3bd"
STATES: tuple[tuple[str, str], ...] = (
    ("train", "#c3ccd6"),
    ("validation", "#e6d9a8"),
    ("test, apart from training", "#0072b2"),
    ("test, touches training", "#e8890c"),
    ("test, on ground of training", "#a3123f"),
)
"""What a footprint is, and its colour; told apart with any colour vision, and in grey."""
TRAIN, VALIDATION, APART, TOUCHES, ON_GROUND = range(len(STATES))
_KILOMETRE = 1000.0
_WIDEST = 12_000
"""Kilometres: land that spans more is torn apart by the projection, at its far side."""
_LAEA = "+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +type=crs"


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """The footprints in one plane.

    Args:
        corners: `footprint corner axis`, km.
        state: what each is, a place in `STATES`.
        to_plane: from degrees to the plane, m.
    """

    corners: Floats
    state: npt.NDArray[np.intp]
    to_plane: Transformer


def draw_leakage(found: LeakageMap) -> bytes:
    """A PNG of the footprints of training, validation and test, and of those of test that leak.

    Left all tiles, in an equal-area projection around their centre; right the tile with most
    leaking footprints of test, in its own CRS. A footprint of several parts (other dates) shows as
    test, or else as validation.
    """
    figure = Figure(figsize=(14, 8.2), dpi=150, facecolor=PAPER)
    FigureCanvasAgg(figure)
    wide, close = figure.subplots(1, 2, width_ratios=[1, 1])
    figure.subplots_adjust(left=0.03, right=0.985, top=0.83, bottom=0.12, wspace=0.07)
    tile = _worst_tile(found)
    ground = _project(found)
    _draw_tile(close, found, ground.state, tile)
    _draw_all(wide, close, ground, found.footprints.tile == tile)
    _write_words(figure, found, ground.state)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _states(found: LeakageMap) -> npt.NDArray[np.intp]:
    _, validation, test = found.patches > 0
    state = np.where(validation, VALIDATION, TRAIN)
    leaks = np.where(found.ground, ON_GROUND, np.where(found.touched, TOUCHES, APART))
    return np.where(test, leaks, state)


def _worst_tile(found: LeakageMap) -> int:
    """The tile with most footprints of test on ground of training, then of any contact."""
    tests, tiles = found.patches[2] > 0, found.footprints.tile
    weight = tests * (1.0 + 1e3 * found.touched + 1e6 * found.ground)
    return int(np.argmax(np.bincount(tiles, weight)))


def _project(found: LeakageMap) -> _Ground:
    footprints = found.footprints
    degrees = np.empty((len(footprints), 4, 2))
    for number, crs in enumerate(footprints.crs_names):
        which = np.flatnonzero(footprints.crs == number)
        transformer = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
        points = footprints.corners(which)
        degrees[which] = np.stack(transformer.transform(points[..., 0], points[..., 1]), axis=-1)
    lon, lat = (degrees.min(axis=(0, 1)) + degrees.max(axis=(0, 1))) / 2
    plane = _LAEA.format(lat=round(lat, 1), lon=round(lon, 1))
    to_plane = Transformer.from_crs("OGC:CRS84", plane, always_xy=True)
    corners = np.stack(to_plane.transform(degrees[..., 0], degrees[..., 1]), axis=-1)
    return _Ground(corners / _KILOMETRE, _states(found), to_plane)


def _draw_all(axes: Any, close: Any, ground: _Ground, zoomed: npt.NDArray[np.bool_]) -> None:
    centres = ground.corners.mean(axis=1)
    low, high = centres.min(axis=0), centres.max(axis=0)
    middle, half = (low + high) / 2, max(*(high - low) / 2 * 1.08, 60.0)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    _draw_land(axes, ground.to_plane)
    order = np.random.default_rng(0).permutation(len(centres))
    size = (1.2 / (2 * half) * 6.2 * 72) ** 2
    least = np.clip(20_000 / len(centres), 0.35, 12)
    colors = np.array([color for _, color in STATES])[ground.state[order]]
    axes.scatter(*centres[order].T, s=max(size, least), c=colors, marker="s", linewidths=0)
    box = ground.corners[zoomed].reshape(-1, 2)
    (left, bottom), (right, top) = box.min(axis=0), box.max(axis=0)
    frame = np.array([(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)])
    axes.plot(*frame.T, color=INK, linewidth=1.4)
    _frame(axes, "All tiles", 2 * half)
    for corner, there in (((right, top), (0, 1)), ((right, bottom), (0, 0))):
        line = ConnectionPatch(
            corner, there, "data", "axes fraction", axesA=axes, axesB=close, color=INK
        )
        line.set(linewidth=0.6, alpha=0.6)
        axes.figure.add_artist(line)


def _draw_land(axes: Any, to_plane: Transformer) -> None:
    with as_file(files("benforge.labels") / SOURCE) as path:
        _, _, wkb, _ = pyogrio.raw.read(path, layer="countries", columns=[])
    rings = shapely.get_exterior_ring(shapely.get_parts(shapely.from_wkb(wkb)))
    points, owner = shapely.get_coordinates(rings, return_index=True)
    plane = np.stack(to_plane.transform(points[:, 0], points[:, 1]), axis=-1) / _KILOMETRE
    pieces = np.split(plane, np.flatnonzero(np.diff(owner)) + 1)
    near = [p for p in pieces if np.isfinite(p).all() and np.ptp(p, axis=0).max() < _WIDEST]
    land = PolyCollection(near, facecolors=LAND, edgecolors=SHORE, linewidths=0.7)
    axes.add_collection(land, autolim=False)


def _draw_tile(axes: Any, found: LeakageMap, state: npt.NDArray[np.intp], tile: int) -> None:
    footprints = found.footprints
    which = np.flatnonzero(footprints.tile == tile)
    corners = footprints.corners(which)
    origin = corners.min(axis=(0, 1))
    colors = np.array([color for _, color in STATES])[state[which]]
    squares = (corners - origin) / _KILOMETRE
    axes.add_collection(
        PolyCollection(squares, facecolors=colors, edgecolors=PAPER, linewidths=0.25)
    )
    extent = float(squares.max())
    margin = 0.02 * extent
    axes.set_xlim(-margin, extent + margin)
    axes.set_ylim(-margin, extent + margin)
    name = footprints.tile_names[tile]
    leaking = int(np.count_nonzero(state[which] >= TOUCHES))
    tested = int(np.count_nonzero(state[which] >= APART))
    _frame(axes, f"Tile {name}: {leaking:,} of {tested:,} test footprints leak", extent)


def _frame(axes: Any, title: str, extent: float) -> None:
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(SHORE)
    axes.set_title(title, loc="left", fontsize=12, color=INK, pad=7)
    length = _round_length(extent / 5)
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    x, y = left + 0.04 * (right - left), bottom - 0.028 * (top - bottom)
    axes.plot([x, x + length], [y, y], color=INK, linewidth=2, clip_on=False)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.text(x + length, y, f"  {length:g} km", color=INK, fontsize=9, va="center")


def _round_length(length: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not longer."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step * power for step in (1, 2, 5) if step * power <= length))


def _write_words(figure: Figure, found: LeakageMap, state: npt.NDArray[np.intp]) -> None:
    title = title_of(found)
    figure.text(0.03, 0.945, title, fontsize=min(19, 1350 / len(title)), color=INK, weight="bold")
    counts = np.bincount(state, minlength=len(STATES))
    figure.text(0.03, 0.905, _sentence(*counts[APART:].tolist()), fontsize=12.5, color=INK)
    swatches = [
        Swatch(facecolor=color, edgecolor=SHORE, linewidth=0.5, label=name)
        for name, color in STATES
    ]
    legend = figure.legend(handles=swatches, loc="lower center", ncols=len(STATES), fontsize=11)
    legend.set(frame_on=False)
    legend.set_bbox_to_anchor((0.5, 0.012))


def title_of(found: LeakageMap) -> str:
    """What stands over the picture; it says so where anything is simulated."""
    of = ", simulated" if found.simulated else ""
    return f"What the split {found.name} leaks from training into test{of}"


def _sentence(apart: int, touching: int, on_ground: int) -> str:
    tested = apart + touching + on_ground
    if not touching + on_ground:
        return f"None of {tested:,} test footprints shares ground with training or touches it."
    return (
        f"Of {tested:,} test footprints {on_ground / tested:.1%} lie on ground that training has "
        f"seen, and a further {touching / tested:.1%} touch a training footprint."
    )
