"""The verb that copies archives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import ArchiveArgument, JsonOption
from benforge.cli.terminal import print_facts, print_json, showing_progress
from benforge.core.object_path import parse_place

TargetArgument = Annotated[
    Path,
    typer.Argument(
        parser=parse_place,
        help="A new folder or s3://bucket/prefix, or an earlier copy.",
        metavar="TARGET",
    ),
]


@app.command()
def copy(
    archive: ArchiveArgument,
    target: TargetArgument,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Put flags, splits, screenings and reviews over others of their name."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Copy an archive, or what it has grown by, between folders and object storage.

    Every file is held to its checksum. Interrupt it when you like: the same command goes on where
    it stopped, and nobody who opens the copy sees half a scene.

    `ben copy archive s3://bucket/archive`
    """
    from benforge.archive.copy import copy_archive

    with showing_progress("Copying") as progress:
        summary = copy_archive(archive, target, replace=replace, progress=progress)
    facts = msgspec.to_builtins(summary)
    print_json(facts) if json else print_facts(f"Copied to {target}", summary.facts())
