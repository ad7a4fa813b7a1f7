"""The verbs that look at patches: a screening that proposes, and a review that decides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import ArchiveArgument, JsonOption, OutOption
from benforge.cli.terminal import out, print_facts, print_json

PortOption = Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")]
HostOption = Annotated[
    str, typer.Option(help="Address to bind; any but this machine's own asks for a token.")
]
BrowserOption = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")
]
TokenOption = Annotated[
    bool, typer.Option("--token", help="Ask for a token on this machine's own address too.")
]
ScreeningOption = Annotated[str, typer.Option(help="Name of the screening to show.")]
ReviewOption = Annotated[str, typer.Option(help="Name of the log of decisions.")]
DoubtOption = Annotated[
    Path | None, typer.Option(help="Doubts of ben doubt to show, as a queue of their own.")
]
IndexOption = Annotated[
    Path | None, typer.Option(help="Index of ben embed, to find patches that are alike.")
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Put them in the place of other flags of this name.")
]

flags = typer.Typer(
    no_args_is_help=True,
    help="Quality flags of an archive, from and to the published lists.",
    rich_markup_mode="markdown",
)
app.add_typer(flags, name="flags")


def _tell(address: str) -> None:
    out.print(f"[bold]{address}[/bold]  (Ctrl-C ends)", markup=True)


@app.command()
def inspect(
    archive: ArchiveArgument,
    port: PortOption = 0,
    host: HostOption = "127.0.0.1",
    token: TokenOption = False,
    browser: BrowserOption = True,
    screening: ScreeningOption = "screen",
    review: ReviewOption = "review",
    doubt: DoubtOption = None,
    index: IndexOption = None,
) -> None:
    """Look through patches in a browser and decide which have snow, cloud or shadow.

    With `--doubt`, which labels are wrong too; with `--index`, patches that are alike are shown.

    Each decision is kept in `reviews/<name>.jsonl` before it is answered.

    `ben inspect archive --port 8000`
    """
    from benforge.viewer.serve import serve

    serve(
        archive,
        host=host,
        port=port,
        ask_token=token,
        open_browser=browser,
        screening=screening,
        review=review,
        doubt=doubt,
        index=index,
        tell=_tell,
    )


@app.command()
def view(
    archive: ArchiveArgument,
    port: PortOption = 0,
    host: HostOption = "127.0.0.1",
    token: TokenOption = False,
    browser: BrowserOption = True,
    screening: ScreeningOption = "screen",
    review: ReviewOption = "review",
    doubt: DoubtOption = None,
    index: IndexOption = None,
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
        ask_token=token,
        open_browser=browser,
        screening=screening,
        review=review,
        doubt=doubt,
        index=index,
        tell=_tell,
    )


@flags.command("export")
def export_flags(
    archive: ArchiveArgument,
    out: OutOption,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="Name of a review, a screening or flags of the archive; *review:*, *screening:* "
            "or *flags:* before it where several have it.",
        ),
    ] = "review",
    agree: Annotated[
        Literal["last", "all"],
        typer.Option(
            help="Where reviewers disagree: the *last* decision holds, or *all* must agree and "
            "the patch is left out."
        ),
    ] = "last",
    name: Annotated[
        str, typer.Option(help="Keep them in the archive too, as flags of this name.")
    ] = "",
    replace: ReplaceOption = False,
    json: JsonOption = False,
) -> None:
    """Write flags as the published lists: one for snow, one for cloud and shadow.

    A line is the v1 name of a patch, or its id where it has none. Of lists that are there, lines
    of patches that were not looked at stay.

    `ben flags export archive --out lists --name reviewed`
    """
    from benforge.quality import flag_files

    done = flag_files.export_flags(archive, out, source, agree=agree, name=name, replace=replace)
    if json:
        print_json(msgspec.to_builtins(done))
    else:
        print_facts(f"Exported {done.source} to {out}", done.facts())


@flags.command("labels")
def export_labels(
    archive: ArchiveArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV file to write.")],
    review: ReviewOption = "review",
    agree: Annotated[
        Literal["last", "all"],
        typer.Option(help="Where reviewers disagree: the *last* decision holds, or *all* must."),
    ] = "last",
    name: Annotated[
        str, typer.Option(help="Mark patches with a wrong label in the archive, as these flags.")
    ] = "",
    replace: ReplaceOption = False,
    json: JsonOption = False,
) -> None:
    """Write which labels reviewers found wrong or right; the archive keeps its own.

    `ben flags labels archive --out labels.csv --name wrong-labels`
    """
    from benforge.quality.label_lists import export_labels as export

    done = export(archive, out, review, agree=agree, name=name, replace=replace)
    if json:
        print_json(msgspec.to_builtins(done))
    else:
        print_facts(f"Labels decided in {done.review}", done.facts())


@flags.command("import")
def import_flags(
    archive: ArchiveArgument,
    lists: Annotated[Path, typer.Option(help="Folder of the published lists or metadata.")],
    name: Annotated[str, typer.Option(help="Name of the flags.")] = "published",
    replace: ReplaceOption = False,
    json: JsonOption = False,
) -> None:
    """Bring published lists of snow, cloud and shadow into an archive as its flags.

    `ben flags import archive --lists metadata`
    """
    from benforge.quality import flag_files

    done = flag_files.import_flags(archive, lists, name, replace=replace)
    if json:
        print_json(msgspec.to_builtins(done))
    else:
        print_facts(f"Imported the flags {done.name}", done.facts())
