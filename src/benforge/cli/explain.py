"""The verb that tells what a model looks at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from benforge.archive.layout import check_outside_archives
from benforge.cli.learn import RunArgument
from benforge.cli.main import app
from benforge.cli.options import ArchiveArgument, DeviceOption, JsonOption
from benforge.cli.tables import print_table
from benforge.cli.terminal import print_facts, print_json, showing_progress

if TYPE_CHECKING:
    from benforge.inference.explained import Explanation

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="A new folder; *explanation* in the run if left out, where ben report finds it.",
    ),
]
GroupOption = Annotated[
    list[str] | None,
    typer.Option("--group", help="Bands to permute together, *name=B05,B06*; again for more."),
]


@app.command()
def explain(
    run: RunArgument,
    archive: ArchiveArgument,
    split: Annotated[str, typer.Option(help="Split of the archive.")],
    out: OutOption = None,
    part: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    repeats: Annotated[int, typer.Option(min=1, help="Permutations of each band.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of patches and permutations.")] = 1,
    most: Annotated[
        int, typer.Option(min=0, help="Patches to look at, drawn where there are more; 0 for all.")
    ] = 2000,
    maps: Annotated[
        int, typer.Option(min=0, help="Maps of each class and kind: right, missed, wrong.")
    ] = 1,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Predict from this score on.")
    ] = 0.5,
    groups: GroupOption = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Patches at once.")] = 128,
    device: DeviceOption = "",
    json: JsonOption = False,
) -> None:
    """Tell what a model looks at: what it loses without each band, and where it finds a class.

    `ben explain run archive --split paper-random --part test`
    """
    from benforge.inference.explain import explain as look
    from benforge.inference.explain_patches import ExplainRequest
    from benforge.loading.devices import find_device

    if out:
        check_outside_archives(out)
    request = ExplainRequest(
        split=split,
        part=part,
        repeats=repeats,
        seed=seed,
        most=most,
        maps=maps,
        threshold=threshold,
        groups=tuple(groups or ()),
    )
    with showing_progress("Explaining") as progress:
        found = look(
            run,
            archive,
            request,
            out,
            device=find_device(device),
            batch_size=batch_size,
            progress=progress,
        )
    print_json(msgspec.to_builtins(found)) if json else _print(found)


def _print(found: Explanation) -> None:
    base = found.base
    facts = {
        "patches": f"{found.patches:,} of {found.patches_of_part:,}",
        "F1 of samples": f"{base.f1:.4f}",
        "mean average precision": f"{base.average_precision:.4f}",
        "maps": f"{len(found.maps):,}",
        **({"simulated": "yes"} if found.simulated else {}),
    }
    print_facts(f"What {found.of_what()} shows", facts)
    rows = [
        (one.name, *(f"{d.mean:+.4f} ± {d.deviation:.4f}" for d in (one.f1, one.average_precision)))
        for one in (*found.bands, *found.groups)
    ]
    print_table("Lost when permuted", ("", "F1", "average precision"), rows)
