"""The verb that holds an archive against the facts of BigEarthNet."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import JsonOption, MaybeArchiveArgument, MetadataOption
from benforge.cli.terminal import out, showing_progress

if TYPE_CHECKING:
    from benforge.conformance.fact import Fact

MARKS = {True: "✓", False: "✗", None: "–"}
NARROW, WIDE = 80, 100
"""Columns of the terminal between which the table stretches."""
VERDICTS = {True: "holds", False: "differs", None: "not here"}


@app.command()
def conform(
    archive: MaybeArchiveArgument = None,
    metadata: MetadataOption = None,
    json: JsonOption = False,
) -> None:
    """Hold an archive, the published lists, or both against the published facts of BigEarthNet.

    Prints what is published beside what is found; exits 1 if anything differs.

    `ben conform --metadata lists` · `ben conform archive` · `ben conform archive --metadata lists`
    """
    from benforge.conformance.conform import conform as hold

    if archive is None and metadata is None:
        raise typer.BadParameter("name an ARCHIVE, or published lists with --metadata, or both")
    with showing_progress("Conforming") as progress:
        facts = hold(archive, metadata, progress)
    if json:
        text = json_text.dumps(msgspec.to_builtins(facts), indent=2, ensure_ascii=False)
        out.print(text, markup=False)
    else:
        print_conformance(facts)
    raise typer.Exit(1 if any(fact.equal is False for fact in facts) else 0)


def print_conformance(facts: Sequence[Fact]) -> None:
    """A table of the facts on standard output, group by group, and how many hold."""
    from rich.table import Table
    from rich.text import Text

    from benforge.conformance.fact import tally

    table = Table(box=None, width=min(max(out.width, NARROW), WIDE), pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("fact", ratio=1)
    table.add_column("published", justify="right", max_width=13)
    table.add_column("found", justify="right", max_width=22)
    table.add_column("", no_wrap=True)
    for group, members in groupby(facts, key=lambda fact: fact.group):
        table.add_row("", Text(group, style="bold"))
        for fact in members:
            verdict = f"{MARKS[fact.equal]} {VERDICTS[fact.equal]}"
            cells = (str(fact.rule), fact.fact, _show(fact.published), _show(fact.found), verdict)
            table.add_row(*map(Text, cells))
    out.print(table, soft_wrap=False)
    holds, differs, absent = tally(facts)
    out.print(f"{holds} hold, {differs} differ, {absent} not available here", markup=False)


def _show(value: float | str) -> str:
    return value.removeprefix("not available here: ") if isinstance(value, str) else f"{value:,}"
