"""The verbs that look at patches: a screening that proposes, and a review that decides."""

from __future__ import annotations

from typing import Annotated

import typer

from benforge.cli.main import app
from benforge.cli.options import ArchiveArgument
from benforge.cli.terminal import out

PortOption = Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")]
HostOption = Annotated[
    str, typer.Option(help="Address to bind; any but this machine's own asks for a token.")
]
BrowserOption = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
]
ScreeningOption = Annotated[str, typer.Option(help="Name of the screening to show.")]
ReviewOption = Annotated[str, typer.Option(help="Name of the log of decisions.")]


def _tell(address: str) -> None:
    out.print(f"[bold]{address}[/bold]  (Ctrl-C ends)", markup=True)


@app.command()
def inspect(
    archive: ArchiveArgument,
    port: PortOption = 0,
    host: HostOption = "127.0.0.1",
    browser: BrowserOption = True,
    screening: ScreeningOption = "screen",
    review: ReviewOption = "review",
) -> None:
    """Look through patches in a browser and decide which have snow, cloud or shadow.

    Each decision is kept in `reviews/<name>.jsonl` before it is answered.

    `ben inspect archive --port 8000`
    """
    from benforge.viewer.serve import serve

    serve(
        archive,
        host=host,
        port=port,
        open_browser=browser,
        screening=screening,
        review=review,
        tell=_tell,
    )


@app.command()
def view(
    archive: ArchiveArgument,
    port: PortOption = 0,
    host: HostOption = "127.0.0.1",
    browser: BrowserOption = True,
    screening: ScreeningOption = "screen",
    review: ReviewOption = "review",
) -> None:
    """Look through an archive in a browser: patches, labels, map; nothing is changed.

    `ben view archive`
    """
    from benforge.viewer.serve import serve

    serve(
        archive,
        mode="view",
        host=host,
        port=port,
        open_browser=browser,
        screening=screening,
        review=review,
        tell=_tell,
    )
