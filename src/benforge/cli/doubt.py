"""The verb that names labels which predictions speak against."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import JsonOption
from benforge.cli.tables import print_table
from benforge.cli.terminal import err, print_facts, print_json

if TYPE_CHECKING:
    from benforge.evaluation.doubt_files import DoubtFacts


@app.command()
def doubt(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files of predictions of patches that were not trained on.",
            metavar="FILE.parquet...",
        ),
    ],
    archive: Annotated[Path, typer.Option(help="Folder of the archive whose labels these are.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file of doubts.")],
    first: Annotated[int, typer.Option(min=0, help="Doubts to print.")] = 10,
    json: JsonOption = False,
) -> None:
    """Name the labels that predictions speak against most: given and doubted, or missing.

    The archive is not changed. `ben inspect archive --doubt FILE` shows them to decide on.

    `ben doubt test.parquet --archive archive --out doubt.parquet`
    """
    from benforge.evaluation.doubt_files import doubt_labels

    facts, table = doubt_labels(files, archive, out)
    rows = table.slice(0, first).to_pylist()
    if json:
        print_json({**msgspec.to_builtins(facts), "file": str(out), "first": rows})
    else:
        _print(facts, rows, out)
    if facts.trained_on:
        err.print(
            f"{facts.trained_on:,} of the patches were trained on: a model agrees with labels that "
            "it was taught, also with wrong ones. Predict patches that it was not taught",
            markup=False,
        )


def _print(facts: DoubtFacts, rows: list[dict[str, object]], out: Path) -> None:
    told = {
        **({"simulated": "yes"} if facts.simulated else {}),
        "patches": f"{facts.patches:,}",
        "labels doubted": f"{facts.doubted:,}",
        "labels missing": f"{facts.missing:,}",
        "share of decisions": f"{(facts.doubted + facts.missing) / facts.decisions:.2%}",
        "trained on": "not known" if facts.trained_on is None else f"{facts.trained_on:,} of them",
        **({"not in the archive": f"{facts.not_in_archive:,}"} if facts.not_in_archive else {}),
        **({"changed since": f"{facts.changed:,} labels"} if facts.changed else {}),
        "file": str(out),
    }
    print_facts(f"Doubts of {facts.archive} by {facts.model or 'several models'}", told)
    if rows:
        header = ("", "patch", "label", "", "score", "threshold")
        print_table("Strongest", header, [_line(row) for row in rows])


def _line(row: dict[str, object]) -> tuple[str, ...]:
    numbers = (f"{row[name]:.3f}" for name in ("score", "threshold"))
    return (*(str(row[name]) for name in ("rank", "patch_id", "label", "direction")), *numbers)
