"""The verb that describes an archive in tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import JsonOption, MetadataOption, OutOption, WorkersOption
from benforge.cli.terminal import print_error, print_facts, print_json, showing_progress


@app.command()
def stats(
    out: OutOption,
    archive: Annotated[
        Path | None, typer.Argument(help="Folder of the archive.", metavar="[ARCHIVE]")
    ] = None,
    metadata: MetadataOption = None,
    html: Annotated[bool, typer.Option("--html", help="Write one page of it all too.")] = False,
    pixels: Annotated[
        bool, typer.Option(help="Count pixel values, which reads the whole archive.")
    ] = True,
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> None:
    """Describe an archive, or the published lists alone, in tables and figures for a paper.

    Tables as CSV, Markdown and LaTeX; figures as PNG and SVG.

    `ben stats archive --out statistics --html`
    """
    from benforge.statistics.describe import write_statistics
    from benforge.statistics.described import open_described

    if (archive is None) == (metadata is None):
        print_error("name an archive, or published lists with --metadata, and only one of them")
        raise typer.Exit(2)
    with showing_progress("Describing") as progress:
        summary = write_statistics(
            open_described(archive, metadata),
            out,
            pixels=pixels,
            page=html,
            workers=workers,
            progress=progress,
        )
    if json:
        print_json(msgspec.to_builtins(summary))
    else:
        print_facts(f"Described {summary.name} in {out}", summary.facts())
