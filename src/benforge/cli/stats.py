"""The verb that describes an archive in tables and figures."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from benforge.archive.layout import check_outside_archives
from benforge.cli.main import app
from benforge.cli.options import (
    ClusterOption,
    JsonOption,
    MaybeArchiveArgument,
    MetadataOption,
    OutOption,
    WorkersOption,
    choose_workers,
)
from benforge.cli.terminal import print_facts, print_json, showing_progress
from benforge.cli.usage import check_stats


@app.command()
def stats(
    out: OutOption,
    archive: MaybeArchiveArgument = None,
    metadata: MetadataOption = None,
    html: Annotated[bool, typer.Option("--html", help="Write one page of it all too.")] = False,
    pixels: Annotated[
        bool | None,
        typer.Option(
            help="Count pixel values, which reads the whole archive; counted if left out.",
            show_default=False,
        ),
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    json: JsonOption = False,
) -> None:
    """Describe an archive, or the published lists alone, in tables and figures for a paper.

    Tables as CSV, Markdown and LaTeX; figures as PNG and SVG.

    `ben stats archive --out statistics --html`
    """
    from benforge.statistics.describe import write_statistics
    from benforge.statistics.described import open_described

    crew = choose_workers(workers, cluster)
    check_stats(archive, metadata, pixels, {"--workers": workers, "--cluster": cluster})
    check_outside_archives(out)
    with showing_progress("Describing") as progress:
        summary = write_statistics(
            open_described(archive, metadata),
            out,
            pixels=pixels is not False,
            page=html,
            workers=crew,
            progress=progress,
        )
    if json:
        print_json(msgspec.to_builtins(summary))
    else:
        print_facts(f"Described {summary.name} in {out}", summary.facts())
