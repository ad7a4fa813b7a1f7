"""Everything that can be told of patches, written into a folder: tables, figures, one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from benforge.archive.executors import Workers
from benforge.core.files import storage_errors, write_atomic
from benforge.core.progress import Progress, silent
from benforge.errors import errors_at
from benforge.statistics.described import Described
from benforge.statistics.figures import FIGURES
from benforge.statistics.formats import FORMATS
from benforge.statistics.histograms import count_pixels
from benforge.statistics.page import Shown, render_page
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import as_png, as_svg, lay_out, on_white, styled
from benforge.statistics.tables import PUBLISHED_CLASSES, TABLES

TABLES_FOLDER, FIGURES_FOLDER, PAGE_NAME = "tables", "figures", "statistics.html"


class StatsSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was told, and where it was written; JSON-able.

    Args:
        name: what was described.
        simulated: whether any of it was simulated.
        numbers: fact to number, as text.
        tables: names of the tables written.
        figures: names of the figures written.
        page: file of the report; None if none was asked for.
        patches_per_second: how fast pixels were read and counted; None if they were not.
    """

    name: str
    simulated: bool
    numbers: Mapping[str, str]
    tables: tuple[str, ...]
    figures: tuple[str, ...]
    page: str | None
    patches_per_second: float | None

    def facts(self) -> dict[str, object]:
        """The summary as lines to print."""
        speed = self.patches_per_second
        return {
            **({"simulated": "yes"} if self.simulated else {}),
            **self.numbers,
            **({"pixels counted": f"{speed:,.0f} patches a second"} if speed else {}),
            "tables": f"{len(self.tables)} as {', '.join(FORMATS)}, in {TABLES_FOLDER}/",
            "figures": f"{len(self.figures)} as png, svg, in {FIGURES_FOLDER}/",
            **({"page": self.page} if self.page else {}),
        }


def write_statistics(
    described: Described,
    out: Path,
    *,
    pixels: bool = True,
    page: bool = False,
    workers: Workers = None,
    progress: Progress = silent,
) -> StatsSummary:
    """Write every table and figure, and a page of them.

    Files of the same names are replaced, each whole or not at all; others are left alone.

    Args:
        described: what to describe.
        out: folder for `tables/`, `figures/` and `statistics.html`.
        pixels: whether pixel values are counted, which reads the whole archive.
        page: whether to write the page too.
        workers: processes that count pixels, every core if None; or the address of a dask
            scheduler.
        progress: told what is being done.

    Raises:
        StorageError: `out` cannot be written.
        ArchiveError: pixels or labels are damaged.
    """
    with storage_errors(out):
        for folder in (TABLES_FOLDER, FIGURES_FOLDER):
            (out / folder).mkdir(parents=True, exist_ok=True)
    if pixels and described.archive is not None:
        counted = count_pixels(described.archive, workers, progress)
        described = replace(described, histograms=counted)
    sheets = make_sheets(described)
    _write_sheets(sheets, out / TABLES_FOLDER, simulated=described.simulated)
    shown = _write_figures(described, sheets, out / FIGURES_FOLDER, progress)
    if page:
        write_atomic(out / PAGE_NAME, render_page(described, sheets, shown).encode())
    numbers = sheets["facts"].table
    histograms = described.histograms
    return StatsSummary(
        name=described.name,
        simulated=described.simulated,
        numbers=dict(zip(*(numbers[n].to_pylist() for n in ("fact", "here")), strict=True)),
        tables=tuple(sheets),
        figures=tuple(figure.name for figure in shown),
        page=str(out / PAGE_NAME) if page else None,
        patches_per_second=histograms.patches_per_second if histograms else None,
    )


def make_sheets(described: Described) -> dict[str, Sheet]:
    """Name to table, of every table that can be told of what is described."""
    with errors_at(described.archive.root if described.archive else described.name):
        made = {name: make(described) for name, make in TABLES.items()}
    return {name: sheet for name, sheet in made.items() if sheet is not None}


def _write_sheets(sheets: Mapping[str, Sheet], folder: Path, *, simulated: bool) -> None:
    for name, told in sheets.items():
        sheet = replace(told, simulated=simulated and name != PUBLISHED_CLASSES)
        for ending, encode in FORMATS.items():
            write_atomic(folder / f"{name}.{ending}", encode(sheet, name))


def _write_figures(
    described: Described, sheets: Mapping[str, Sheet], folder: Path, progress: Progress
) -> list[Shown]:
    shown = []
    for done, (name, drawing) in enumerate(FIGURES.items()):
        progress(f"drawing {name}", done, len(FIGURES))
        if drawing.table not in sheets:
            continue
        with styled():
            figure = drawing.draw(sheets[drawing.table], described)
            if figure is None:
                continue
            lay_out(figure)
            write_atomic(folder / f"{name}.png", as_png(figure))
            svg = as_svg(figure)
            write_atomic(folder / f"{name}.svg", on_white(svg))
        shown.append(
            Shown(
                name,
                drawing.numbers or drawing.table,
                drawing.caption,
                svg,
                sheets[drawing.table].title,
            )
        )
    return shown
