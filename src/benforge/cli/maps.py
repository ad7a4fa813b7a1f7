"""The verb that maps whole products by a trained model: map."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import typer

from benforge.cli.learn import RunArgument
from benforge.cli.main import app
from benforge.cli.options import (
    ClusterOption,
    DeviceOption,
    JsonOption,
    OutOption,
    ProductsArgument,
    VerifyOption,
)
from benforge.cli.terminal import print_facts, print_json, showing_progress


@app.command("map")
def map_(
    run: RunArgument,
    products: ProductsArgument,
    out: OutOption,
    stride: Annotated[
        int | None,
        typer.Option(
            help="Pixels of 10 m between windows, a multiple of 6; that of patches, without "
            "overlap, if left out."
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Score from which on a class is a label.")
    ] = 0.5,
    keep_clouds: Annotated[
        bool, typer.Option("--keep-clouds", help="Ask about ground under cloud and shadow too.")
    ] = False,
    vector: Annotated[
        Literal["gpkg", "parquet"], typer.Option(help="Patches as GeoPackage or GeoParquet.")
    ] = "gpkg",
    processor: Annotated[
        Literal["sen2cor", "sixs"] | None,
        typer.Option(help="What corrects L1C; sen2cor where it is found, else sixs."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Windows at once.")] = 128,
    device: DeviceOption = "",
    cluster: ClusterOption = None,
    verify: VerifyOption = True,
    json: JsonOption = False,
) -> None:
    """Map whole products: the score of every class for every patch, into `OUT/<product>/`.

    Writes scores.tif (cloud-optimised, a band a class), patches with their labels, map.png and
    map.json. Interrupt it when you like: a map that is there and whole is left alone.

    `ben map run S2A_MSIL2A_*.SAFE --out maps`
    """
    from benforge.mapping.facts import MapChoices
    from benforge.mapping.map import map_products
    from benforge.mapping.scene import MapWork

    choices = MapChoices(stride=stride, threshold=threshold, keep_clouds=keep_clouds, vector=vector)
    work = MapWork(choices, processor, batch_size, verify)
    with showing_progress("Mapping") as progress:
        summary = map_products(
            run, products, out, work, device=device, workers=cluster or 1, progress=progress
        )
    if json:
        print_json(msgspec.to_builtins(summary))
    else:
        print_facts(f"Mapped into {out}", summary.facts())
