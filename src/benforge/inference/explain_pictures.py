"""An explanation in pictures: bars of bands with their spread, and patches with what counts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benforge.archive.archive import Archive
from benforge.core.nomenclature import Nomenclature
from benforge.errors import InputError
from benforge.inference.explained import Explanation, Importance, Kind, MapFacts
from benforge.labels.hot import way_to
from benforge.statistics.pictures import TRUE_COLOR, Color, Picture, stretch
from benforge.statistics.style import BLUE, PAGE, SIZE_COLORS, bare, new_figure

Bools = npt.NDArray[np.bool_]

SAID: dict[Kind, str] = {
    "right": "given, and a label",
    "missed": "a label, not given",
    "wrong": "given, not a label",
}
EDGE = 2.1
"""Inches of a patch in a picture."""
_HEAT = colormaps["inferno"]


def draw_importance(told: Explanation, title: str = "") -> Figure:
    """Two panels, of F1 and average precision: a bar a band and group, a dot a repeat."""
    rows: list[Importance] = [*told.bands, *told.groups]
    what = title or f"What permuting bands costs · {told.of_what()}"
    figure = new_figure(what, PAGE, 0.2 * len(rows) + 0.55)
    left, right = figure.subplots(1, 2, sharey=True)
    _bars(left, rows, "f1", f"drop of F1 of samples, from {told.base.f1:.4f}", len(told.bands))
    whole = told.base.average_precision
    label = f"drop of mean average precision, from {whole:.4f}"
    _bars(right, rows, "average_precision", label, len(told.bands))
    left.set_yticks(range(len(rows)), [row.name for row in rows], size=6.8)
    left.set_ylim(len(rows) - 0.4, -0.6)
    return figure


def _bars(axes: Axes, rows: Sequence[Importance], figure: str, label: str, bands: int) -> None:
    for place, row in enumerate(rows):
        drop = getattr(row, figure)
        color = BLUE if place < bands else SIZE_COLORS[1]
        axes.barh(place, drop.mean, 0.7, color=color, xerr=drop.deviation, error_kw={"lw": 0.7})
        axes.scatter(drop.values, [place] * len(drop.values), s=3, c="#1b2421", lw=0, zorder=3)
    axes.use_sticky_edges = False  # a dot on 0 is whole
    axes.axvline(0, color="#5b6762", lw=0.6)
    axes.axhline(bands - 0.5, color="#d5dbd8", lw=0.5)
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.grid(True, axis="x")
    axes.tick_params(axis="y", length=0)
    bare(axes, "left")


def draw_classes(told: Explanation, title: str) -> Figure:
    """A row a class that occurs, a column a band or group: what its average precision loses."""
    rows = [*told.bands, *told.groups]
    kept = [i for i, value in enumerate(told.base.per_class) if value is not None]
    values = np.array(
        [[drop.mean if (drop := row.per_class[i]) else 0.0 for row in rows] for i in kept]
    ).reshape(len(kept), len(rows))
    most = max(float(np.abs(values).max(initial=0)), 1e-3)
    figure = new_figure(title, PAGE, 0.17 * len(kept) + 1.1)
    axes = figure.subplots()
    shown = axes.imshow(values, cmap="PuOr_r", vmin=-most, vmax=most, aspect="auto")
    names = [textwrap.shorten(told.classes[i], 48, placeholder=" …") for i in kept]
    axes.set_yticks(range(len(kept)), names, size=6.2)
    axes.set_xticks(range(len(rows)), [row.name for row in rows], size=6.2, rotation=60, ha="right")
    axes.axvline(len(told.bands) - 0.5, color="#1b2421", lw=0.8)
    bar = figure.colorbar(shown, ax=axes, fraction=0.03, pad=0.01)
    bar.set_label("loss of average precision", size=6.5)
    return figure


def draw_map(
    told: MapFacts,
    bands: npt.NDArray[np.uint16],
    heat: npt.NDArray[np.float32],
    ground: Bools | None,
    color: Color,
    *,
    simulated: bool,
) -> Figure:
    """The patch, where the class lies in it, and where the model finds it.

    Args:
        told: what is shown.
        bands: `band row col`, stored numbers that are shown as red, green and blue.
        heat: `row col`, the activation map.
        ground: `row col`, where the class lies; None where the archive has no map.
        color: of the class.
        simulated: whether the picture says so.
    """
    grey = stretch(bands).mean(axis=2, keepdims=True).repeat(3, axis=2).astype(np.uint8)
    panels = {"true colour": stretch(bands)}
    if ground is not None:
        panels[f"the class: {told.share or 0:.0%} of the patch"] = _tinted(grey, ground, color)
    panels["what speaks for it" if heat.any() else "nothing speaks for it"] = _heated(grey, heat)
    of = [f"{SAID[told.kind]}, score {told.score:.2f}", told.taken, told.patch_id]
    title = f"{told.label} · {', '.join([*(['simulated'] if simulated else []), *of])}"
    figure = new_figure(title, EDGE * len(panels), EDGE + 0.2)
    for axes, (name, picture) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        axes.imshow(picture, interpolation="nearest")
        axes.set_title(name, size=7, loc="left")
        axes.set_axis_off()
    return figure


def _tinted(grey: Picture, where: Bools, color: Color) -> Picture:
    tint = 0.6 * np.asarray(color, np.float64) + 0.4 * grey
    picture: Picture = np.where(_as_large(where, grey)[..., None], tint, grey).astype(np.uint8)
    return picture


def _as_large(where: Bools, grey: Picture) -> Bools:
    rows, columns = (np.arange(n) * m // n for n, m in zip(grey.shape, where.shape, strict=False))
    large: Bools = where[rows[:, None], columns]
    return large


def _heated(grey: Picture, heat: npt.NDArray[np.float32]) -> Picture:
    """The map over the patch, its largest value brightest; where nothing counts, the patch."""
    share = (heat / heat.max() if heat.any() else heat)[..., None]
    warm = 255 * _HEAT(share[..., 0])[..., :3]
    picture: Picture = ((0.25 + 0.6 * share) * warm + (0.75 - 0.6 * share) * grey).astype(np.uint8)
    return picture


def true_color(archive: Archive, position: int) -> npt.NDArray[np.uint16]:
    """Red, green and blue of a patch, stored numbers, `band row col`."""
    patch = archive[position]
    return np.stack([patch.band(name) for name in TRUE_COLOR])


def ground_of(
    archive: Archive, position: int, nomenclature: Nomenclature, label: int
) -> Bools | None:
    """Where a class lies in a patch, `row col`; None where the archive has no map of it."""
    codes = archive.land_cover(position)
    if codes is None:
        return None
    wanted = nomenclature.codes[label]
    try:
        way = way_to(nomenclature.name)
    except InputError:
        return np.asarray(codes == wanted)
    members = [code for code in way.source.codes if way(code) == wanted]
    return np.isin(codes, members)


def weigh_ground(
    heat: npt.NDArray[np.float32], ground: Bools | None
) -> tuple[float | None, float | None]:
    """The share of a patch that a class covers, and the share of the map's weight that lies there.

    The second is None where nothing speaks for the class.
    """
    if ground is None:
        return None, None
    total = float(heat.sum(dtype=np.float64))
    inside = float(heat[ground].sum(dtype=np.float64)) if heat.shape == ground.shape else None
    share = float(ground.mean())
    return share, inside / total if total > 0 and inside is not None else None
