"""The verb that looks for snow, clouds and their shadows."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import (
    ArchiveArgument,
    ClusterOption,
    JsonOption,
    RecipeOption,
    SetOption,
    WorkersOption,
    choose_workers,
)
from benforge.cli.terminal import print_facts, print_json, showing_progress


@app.command()
def screen(
    archive: ArchiveArgument,
    name: Annotated[str, typer.Option(help="Name of the screening.")] = "screen",
    recipe: RecipeOption = None,
    words: SetOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Do away with a screening of other rules.")
    ] = False,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    json: JsonOption = False,
) -> None:
    """Look at every patch for snow, clouds and shadows, and propose flags.

    From the scene classification where a scene has one, else from the bands. Proposals are for a
    person to decide on: `ben inspect`. An archive that has grown is looked at where it is new.

    `ben screen archive --set screen.minimum_snow=0.9`
    """
    from benforge.archive.archive import Archive
    from benforge.quality.screen import screen_archive
    from benforge.recipe.screen import screening_from_words

    crew = choose_workers(workers, cluster)
    rules = screening_from_words(recipe, words or ())
    with showing_progress("Screening") as progress:
        summary = screen_archive(
            Archive.open(archive),
            name=name,
            recipe=rules,
            replace=replace,
            workers=crew,
            progress=progress,
        )
    if json:
        print_json(msgspec.to_builtins(summary))
    else:
        print_facts(f"Screened {archive} as {summary.name}", summary.facts())
