"""The verb that divides an archive and tells what leaks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from benforge.archive.layout import check_outside_archives
from benforge.cli.main import app
from benforge.cli.options import JsonOption, MaybeArchiveArgument
from benforge.cli.terminal import print_facts, print_json, showing_progress
from benforge.cli.usage import check_split

RuleOption = Annotated[
    str | None, typer.Option(help="Make one: paper-random, ben-v1, ben-v2, by-tile or published.")
]


@app.command()
def split(
    archive: MaybeArchiveArgument = None,
    rule: RuleOption = None,
    name: Annotated[
        str, typer.Option(help="Name of the split; the rule's if left out. Published: v1 or v2.")
    ] = "",
    seed: Annotated[
        int | None, typer.Option(help="Another seed gives another split; 1 if left out.")
    ] = None,
    flags: Annotated[
        list[str] | None,
        typer.Option(help="Flags whose snow and clouds to leave out; all if left out, or *none*."),
    ] = None,
    labelled: Annotated[
        str | None,
        typer.Option(help="Leave out patches without a label in, say, ben-19; *none* leaves all."),
    ] = None,
    lists: Annotated[
        Path | None, typer.Option(help="Folder of the published lists, for the rule published.")
    ] = None,
    leakage: Annotated[
        bool, typer.Option("--leakage", help="Tell what of training leaks into the other parts.")
    ] = False,
    metadata: Annotated[
        Path | None,
        typer.Option(help="With --leakage: look at the published lists here, no archive needed."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for leakage.json and leakage.png.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Divide an archive into train, validation and test, and tell what leaks between them.

    Without a rule it lists the splits that the archive has.

    `ben split archive --rule paper-random --seed 1 --leakage --out report`
    """
    from benforge.splits.request import SplitRequest, answer

    request = SplitRequest(
        rule=rule,
        name=name,
        seed=seed,
        flags=flags or (),
        labelled=labelled,
        lists=lists,
        leakage=leakage,
        out=out,
    )
    check_split(archive, metadata, request)
    if out:
        check_outside_archives(out)
    with showing_progress("Dividing") as progress:
        found = answer(archive, metadata, request, progress)
    if json:
        print_json(msgspec.to_builtins(found))
    else:
        for title, facts in found.pages():
            print_facts(title, facts)
