"""The verbs that measure: `ben bench loader`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import ArchiveArgument, DeviceOption, JsonOption, PixelsOption
from benforge.cli.terminal import print_facts, print_json

bench = typer.Typer(no_args_is_help=True, help="Measure this machine on your own data.")
app.add_typer(bench, name="bench")


@bench.callback()
def benches() -> None:
    """Measure this machine on your own data."""


@bench.command()
def loader(
    archive: ArchiveArgument,
    bands: Annotated[
        Literal["rgb", "all"], typer.Option(help="What a model sees: *rgb*, or *all* bands.")
    ] = "all",
    pixels: PixelsOption = "disk",
    shuffle: Annotated[
        Literal["full", "blocks"], typer.Option(help="Order of patches, as train.shuffle has it.")
    ] = "full",
    batch_size: Annotated[int, typer.Option(min=1, help="Patches a batch.")] = 128,
    workers: Annotated[int, typer.Option(min=0, help="Threads that read ahead.")] = 1,
    seconds: Annotated[
        float,
        typer.Option(min=0.1, max=3600, help="That batches are fetched for; the stages take more."),
    ] = 5.0,
    device: DeviceOption = "",
    json: JsonOption = False,
) -> None:
    """Tell how fast patches come, how long training would wait for them, and what binds.

    `ben bench loader archive --workers 2`
    """
    from benforge.archive.archive import Archive
    from benforge.loading.devices import find_device
    from benforge.loading.doctor import diagnose

    found = diagnose(
        Archive.open(archive),
        bands=bands,
        pixels=pixels,
        shuffled=shuffle,
        batch_size=batch_size,
        workers=workers,
        seconds=seconds,
        device=find_device(device),
    )
    facts = msgspec.to_builtins(found)
    if json:
        print_json(facts)
        return
    stages = facts.pop("stages")
    print_facts(f"Loading {archive}", facts)
    print_facts("Microseconds a patch, warm", stages)
