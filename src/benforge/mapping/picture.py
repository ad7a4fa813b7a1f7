"""A map at a glance: the most frequent classes side by side, each with all of its scores."""

from __future__ import annotations

import textwrap

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.patches import Patch as Swatch

from benforge.core.sensor import Sensor
from benforge.mapping.facts import MapFacts, find_classes
from benforge.mapping.plan import MapPlan
from benforge.patches.cut import Mosaics
from benforge.statistics.style import INK, LINE, PAGE, as_png, new_figure, rgb, styled

CLASSES = 11
"""Classes that are shown at most; with the scene in true colour that fills three rows."""
COLUMNS = 4

_CLOUDED, _EMPTY = "#9aa5a0", "#ffffff"
_PIXELS = 400
"""Of the scene in true colour, along its longer side, about."""
_TALL = 0.42
"""Inches for the names above a panel."""

Scores = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def draw_map(
    plan: MapPlan,
    scores: Scores,
    clouded: Mask,
    facts: MapFacts,
    color: npt.NDArray[np.float32] | None,
) -> bytes:
    """The picture as PNG.

    Args:
        plan: the windows.
        scores: `label row col`, NaN where a window was left out.
        clouded: `row col`, whether cloud was why.
        facts: of the map.
        color: `row col 3` of the whole tile, 0 to 1, or None.
    """
    with np.errstate(invalid="ignore"):
        counts = np.count_nonzero(scores >= np.float32(facts.threshold), axis=(1, 2))
    seen = int(np.isfinite(scores[0]).sum())
    order = most_frequent(scores, counts) if seen else []
    panels = len(order) + (color is not None)
    rows = max(1, -(-panels // COLUMNS))
    with styled():
        tall = PAGE / COLUMNS * plan.rows / plan.columns
        figure = new_figure(_title(facts, len(order)), PAGE, rows * (tall + _TALL) + 0.6)
        axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for spare in axes[panels:]:
            spare.set_axis_off()
        if color is not None:
            _show_color(axes[0], color, plan)
        for ax, label in zip(axes[panels - len(order) :], order, strict=False):
            _show_class(ax, plan, scores[label], clouded, facts, label, counts[label] / seen)
        if order:
            _explain(figure, facts)
        return as_png(figure)


def true_color(mosaics: Mosaics, sensor: Sensor) -> npt.NDArray[np.float32] | None:
    """Red, green and blue of the scene, `row col 3`, thinned; None where one was not decoded."""
    names = [band.name for band in sensor.bands_at(10)]
    if not {"B02", "B03", "B04"} <= set(names):
        return None
    mosaic = mosaics[10]
    step = max(1, max(mosaic.shape[1:]) // _PIXELS)
    bands = [mosaic[names.index(name), ::step, ::step] for name in ("B04", "B03", "B02")]
    values = np.stack(bands, axis=-1).astype(np.float32) / sensor.quantification
    return np.asarray(np.clip(values / 0.3, 0, 1) ** (1 / 1.8), np.float32)


def most_frequent(scores: Scores, counts: npt.NDArray[np.int64]) -> list[int]:
    """Classes by how many windows have them, then by their highest score."""
    highest = np.nan_to_num(scores, nan=0).max(axis=(1, 2))
    return [int(i) for i in np.lexsort((-highest, -counts))[:CLASSES]]


def _title(facts: MapFacts, shown: int) -> str:
    simulated = f"simulated {facts.simulated} · " if facts.simulated else ""
    which = f"the {shown} most frequent of {len(facts.classes)} classes ({facts.nomenclature})"
    what = "Scores of every class" if shown == len(facts.classes) else "Scores of classes"
    if not shown:
        what, which = "No window was asked about", f"{len(facts.classes)} classes"
    return f"{what} · {simulated}{facts.product} · {facts.model} · {which}"


def _show_color(ax: Axes, color: npt.NDArray[np.float32], plan: MapPlan) -> None:
    left, bottom, right, top = plan.tile.bounds
    ax.imshow(color, extent=(left, right, bottom, top), interpolation="nearest")
    _frame(ax, plan)
    ax.set_title("True colour", size=6.5, loc="left")


def _show_class(
    ax: Axes,
    plan: MapPlan,
    scores: Scores,
    clouded: Mask,
    facts: MapFacts,
    label: int,
    share: float,
) -> None:
    left, bottom, right, top = plan.grid.bounds
    place = (left, right, bottom, top)
    ax.imshow(scores, cmap="YlGnBu", vmin=0, vmax=1, extent=place, interpolation="nearest")
    hidden = np.where(clouded, 1.0, np.nan)
    grey = mpl.colors.ListedColormap([_CLOUDED])
    ax.imshow(hidden, cmap=grey, vmin=0, vmax=1, extent=place, interpolation="nearest")
    _frame(ax, plan)
    name = "\n".join(textwrap.wrap(facts.classes[label], 30, max_lines=2, placeholder=" …"))
    ax.set_title(f"{name}\n{share:.1%} of windows", size=6.5, loc="left")
    one = find_classes(facts)[label]
    for spine in ax.spines.values():
        spine.set_color(rgb(one.color))
        spine.set_linewidth(1.6)


def _frame(ax: Axes, plan: MapPlan) -> None:
    """The whole tile, in the frame that every panel shares."""
    left, bottom, right, top = plan.tile.bounds
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(LINE)


def _explain(figure: Figure, facts: MapFacts) -> None:
    """The legend: what colours mean, and where the threshold lies."""
    ramp = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), "YlGnBu")
    ends = sorted({0.0, facts.threshold, 1.0})
    bar: Colorbar = figure.colorbar(
        ramp, ax=figure.axes, location="bottom", fraction=0.03, aspect=50, pad=0.01, ticks=ends
    )
    bar.ax.axvline(facts.threshold, color=INK, linewidth=1.2)
    words = f"score; a label from {facts.threshold:g} on (line); frame: colour of the class"
    bar.set_label(words, loc="left", size=6.5)
    masks = [
        Swatch(facecolor=_CLOUDED, label="cloud or shadow, not asked"),
        Swatch(facecolor=_EMPTY, edgecolor=LINE, label="no data, or no whole window"),
    ]
    if facts.keep_clouds:
        del masks[0]
    figure.legend(handles=masks, loc="lower right", ncols=len(masks), fontsize=6)
