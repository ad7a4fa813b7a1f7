"""The figures of `ben stats`: a name and a function each; add one here and it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from benforge.core.nomenclature import load_nomenclature
from benforge.statistics.band_chart import draw_bands
from benforge.statistics.charts import (
    draw_classes,
    draw_countries,
    draw_dates,
    draw_labels,
    draw_seasons,
    draw_together,
)
from benforge.statistics.counts import count_footprints
from benforge.statistics.described import Described
from benforge.statistics.example_chart import draw_examples
from benforge.statistics.footprint_map import draw_map
from benforge.statistics.sheet import Sheet

Draw = Callable[[Sheet, Described], Figure | None]
"""None where there is too little to draw."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure to be drawn.

    Args:
        table: the name of the table it shows; without that table there is no figure.
        draw: draws it.
        caption: what stands under it.
        numbers: the name of the table to read instead, where that is another one.
    """

    table: str
    draw: Draw
    caption: str
    numbers: str = ""


def _examples(sheet: Sheet, described: Described) -> Figure | None:
    return draw_examples(sheet, described.archive) if described.archive else None


def _bands(sheet: Sheet, described: Described) -> Figure | None:
    return draw_bands(sheet, described.histograms.sensor) if described.histograms else None


def _map(_: Sheet, described: Described) -> Figure:
    title = described.title("Where the patches lie")
    return draw_map(title, count_footprints(described.rows), described.edge)


FIGURES: Mapping[str, Drawing] = {
    "fig-1-patches": Drawing(
        "examples",
        _examples,
        "Patches in true colour (B04, B03, B02) and their labels. Of each patch by itself, the "
        "2nd percentile is black and the 98th white.",
    ),
    "fig-2-dates": Drawing(
        "dates", lambda sheet, _: draw_dates(sheet), "Patches by their day of acquisition."
    ),
    "map": Drawing(
        "tiles",
        _map,
        "Left, tiles of 109.8 km with their number of patches over all dates. Right, where there "
        "is enough to show, every footprint of the best covered place. Borders: Natural Earth.",
    ),
    "classes": Drawing(
        "table-2-classes",
        lambda sheet, described: draw_classes(sheet, described.nomenclature),
        "Patches that have each class, in the colours of the CORINE legend. Classes that do not "
        "occur are left out.",
    ),
    "classes-published": Drawing(
        "classes-published",
        lambda sheet, _: draw_classes(sheet, load_nomenclature("clc-43")),
        "The paper's Table 2 as it was published; nothing of it was counted here.",
    ),
    "labels-per-patch": Drawing(
        "labels-per-patch", lambda sheet, _: draw_labels(sheet), "How many labels patches have."
    ),
    "seasons": Drawing(
        "seasons", lambda sheet, _: draw_seasons(sheet), "Patches of each meteorological season."
    ),
    "countries": Drawing(
        "countries", lambda sheet, _: draw_countries(sheet), "Patches of each country and season."
    ),
    "classes-together": Drawing(
        "classes-together",
        lambda sheet, _: draw_together(sheet),
        "Of the patches that have the row's class, the share that has the column's too; numbers "
        "are percent.",
        numbers="classes-most-together",
    ),
    "bands": Drawing(
        "bands",
        _bands,
        "Every pixel with data counts. The grey diamonds are the mean and one standard deviation "
        "that the authors published of BigEarthNet.",
    ),
}
"""File name to the figure, in the order of the report."""
