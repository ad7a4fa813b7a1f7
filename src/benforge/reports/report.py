"""From the folder of an experiment to its page, and to tables for a paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from benforge.core.files import storage_errors, write_atomic
from benforge.core.progress import Progress, silent
from benforge.errors import ConflictError, InputError
from benforge.evaluation.compare import RESAMPLES
from benforge.reports.answers import table_3_section
from benforge.reports.calibration import calibration_section
from benforge.reports.choices import choices_section
from benforge.reports.confusion import confusion_section
from benforge.reports.curves import curves_section
from benforge.reports.explanation import explanation_sections
from benforge.reports.folder import Folder, read_folder
from benforge.reports.leaks import leakage_section
from benforge.reports.measure import measure
from benforge.reports.measured import Results
from benforge.reports.page import render_page
from benforge.reports.part import Section
from benforge.reports.per_class import per_class_section, per_class_sheet
from benforge.reports.provenance import provenance_section
from benforge.reports.significance import significance_section
from benforge.reports.table_4 import table_4_section, table_4_sheet
from benforge.reports.words import Words
from benforge.statistics.formats import FORMATS
from benforge.statistics.sheet import Sheet


class ReportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was reported; JSON-able.

    Args:
        page: file of it.
        simulated: whether the experiment's archive is.
        missing: what the experiment has not done yet, a line each.
        tables: files of tables.
    """

    page: str
    simulated: bool
    missing: tuple[str, ...]
    tables: tuple[str, ...]

    def facts(self) -> dict[str, object]:
        """The summary as lines to print."""
        return {
            "page": self.page,
            **({"simulated": "yes"} if self.simulated else {}),
            "missing": f"{len(self.missing)}, named on the page" if self.missing else "nothing",
            **({"tables": f"{len(self.tables)} files"} if self.tables else {}),
        }


def write_report(
    folder: Path,
    out: Path,
    *,
    tables: Path | None = None,
    resamples: int = RESAMPLES,
    progress: Progress = silent,
) -> ReportSummary:
    """Write the page of an experiment, done or under way; the archive is not needed.

    Args:
        folder: that `ben experiment` wrote.
        out: the page, an HTML file; replaced if it is there.
        tables: folder for Table 4 and the classes as CSV, Markdown and LaTeX; None for none.
        resamples: of each interval and test.
        progress: told what is measured.

    Raises:
        MissingError: the folder holds no experiment.
        InputError: a file of it is damaged, which is named; or `out` is a folder.
        ConflictError: `out` is another file than a page.
        StorageError: the page cannot be written.
    """
    if out.is_dir():
        raise InputError("is a folder", where=out, do="Name the page: --out report.html")
    if out.is_file() and not out.read_bytes()[:64].lstrip().lower().startswith(b"<!doctype html"):
        raise ConflictError(
            "there is something else than a page", where=out, do="Name the page: --out report.html"
        )
    read = read_folder(folder)
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    results = measure(read, resamples, progress)
    progress("drawing")
    write_atomic(out, render_page(read, make_sections(read, results)).encode())
    written = _write_tables(make_sheets(read, results), tables, read) if tables else ()
    return ReportSummary(
        page=str(out),
        simulated=read.experiment.simulated,
        missing=tuple(read.missing()),
        tables=written,
    )


def make_sections(folder: Folder, results: Results) -> list[Section]:
    """The page's sections, in their order; what models look at only where it was asked."""
    return [
        table_4_section(folder, results),
        significance_section(folder, results),
        table_3_section(folder, results),
        per_class_section(folder, results),
        curves_section(folder),
        confusion_section(folder, results),
        calibration_section(folder, results),
        *explanation_sections(folder),
        leakage_section(folder),
        choices_section(folder, results),
        provenance_section(folder, results),
    ]


def make_sheets(folder: Folder, results: Results) -> dict[str, Sheet]:
    """Table 4 and the classes, of each set of labels with predictions: file name to table."""
    told = [found for found in results.labels if found.all]
    return {
        **{f"table-4-{f.labels}": table_4_sheet(Words(folder.experiment), f) for f in told},
        **{f"per-class-{f.labels}": per_class_sheet(folder, f) for f in told},
    }


def _write_tables(sheets: Mapping[str, Sheet], folder: Path, told: Folder) -> tuple[str, ...]:
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, made in sheets.items():
        sheet = replace(made, simulated=told.experiment.simulated)
        for ending, encode in FORMATS.items():
            path = folder / f"{name}.{ending}"
            write_atomic(path, encode(sheet, name))
            written.append(str(path))
    return tuple(written)
