"""The verb that tells of an experiment on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benforge.archive.layout import check_outside_archives
from benforge.cli.main import app
from benforge.cli.options import JsonOption
from benforge.cli.terminal import print_facts, print_json, showing_progress


@app.command()
def report(
    folder: Annotated[
        Path, typer.Argument(help="Folder that ben experiment wrote.", metavar="EXPERIMENT")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
    tables: Annotated[
        Path | None,
        typer.Option(help="Folder for Table 4 and the classes as CSV, Markdown and LaTeX too."),
    ] = None,
    resamples: Annotated[int, typer.Option(min=1, help="Of each interval and test.")] = 10_000,
    json: JsonOption = False,
) -> None:
    """Write one page of an experiment: the paper's tables, figures, and what they rest on.

    The archive is not needed. An experiment under way is told as far as it is.

    `ben report experiment --out report.html`
    """
    from benforge.reports.report import write_report

    check_outside_archives(out)
    if tables:
        check_outside_archives(tables)
    with showing_progress("Reporting") as progress:
        summary = write_report(folder, out, tables=tables, resamples=resamples, progress=progress)
    if json:
        print_json(msgspec.to_builtins(summary))
    else:
        print_facts(f"Reported {folder}", summary.facts())
