"""Patches in true colour above their labels, as in Fig. 1 of the paper."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benforge.archive.archive import Archive
from benforge.core.nomenclature import LandCoverClass
from benforge.statistics.examples import NO_LABELS
from benforge.statistics.pictures import TRUE_COLOR, picture_of
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import PAGE, SOFT, new_figure, rgb

COLUMNS, GAP = 4, 0.12
EDGE = (PAGE - 0.08 - GAP * (COLUMNS - 1)) / COLUMNS
"""Inches of a picture."""
LINE_HEIGHT, LETTERS = 0.108, 31
"""Inches of a line of a caption, and how many letters it holds."""
PERCENTILES = (2.0, 98.0)
"""What becomes black and white, of each patch by itself."""


def draw_examples(sheet: Sheet, archive: Archive) -> Figure:
    """The patches of a sheet, four in a row, each above its day, country and labels."""
    rows = sheet.table.to_pylist()
    lines = [_caption(row, archive) for row in rows]
    bands = [max(map(len, lines[i : i + COLUMNS])) for i in range(0, len(lines), COLUMNS)]
    heights = [EDGE + 0.06 + LINE_HEIGHT * (1 + band) + 0.1 for band in bands]
    figure = new_figure(sheet.title, PAGE, sum(heights), layout=False)
    total = float(figure.get_size_inches()[1])
    head_room = total - sum(heights)
    for place, row in enumerate(rows):
        top = head_room + sum(heights[: place // COLUMNS])
        left = 0.04 + place % COLUMNS * (EDGE + GAP)
        _draw_patch(figure, archive, row["patch_id"], (left, total - top))
        head = f"{row['date'].day} {row['date']:%B %Y}"
        country = f", {row['country']}" if row["country"] else ""
        _write(figure, left, total - top - EDGE - 0.06, head + country, weight="bold")
        for i, (text, of) in enumerate(lines[place], start=1):
            y = total - top - EDGE - 0.06 - i * LINE_HEIGHT
            _write(figure, left + 0.1, y, text)
            if of is not None:
                _swatch(figure, left, y, of)
    return figure


def _caption(row: dict[str, Any], archive: Archive) -> list[tuple[str, LandCoverClass | None]]:
    """Lines of labels; the class stands with the first of its lines."""
    record = archive.record(archive.find(row["patch_id"]))
    if not record.labels:
        return [(NO_LABELS, None)]
    found: list[tuple[str, LandCoverClass | None]] = []
    for label in record.labels:
        first, *rest = textwrap.wrap(label, LETTERS)
        found += [(first, archive.meta.nomenclature.by_name(label)), *((r, None) for r in rest)]
    return found


def _draw_patch(figure: Figure, archive: Archive, patch_id: str, at: tuple[float, float]) -> None:
    width, height = figure.get_size_inches()
    left, top = at
    axes = figure.add_axes(
        (left / width, (top - EDGE) / height, EDGE / width, EDGE / height), xticks=[], yticks=[]
    )
    picture = picture_of(archive[archive.find(patch_id)], TRUE_COLOR, PERCENTILES)
    axes.imshow(picture, interpolation="bicubic", interpolation_stage="rgba")
    for spine in axes.spines.values():
        spine.set(visible=True, color=SOFT, linewidth=0.4)


def _write(figure: Figure, left: float, top: float, text: str, **options: Any) -> None:
    width, height = figure.get_size_inches()
    figure.text(left / width, top / height, text, va="top", size=6, **options)


def _swatch(figure: Figure, left: float, top: float, of: LandCoverClass) -> None:
    width, height = figure.get_size_inches()
    edge = 0.065
    figure.add_artist(
        Rectangle(
            (left / width, (top - 0.018 - edge) / height),
            edge / width,
            edge / height,
            facecolor=rgb(of.color),
            edgecolor=SOFT,
            linewidth=0.3,
        )
    )
