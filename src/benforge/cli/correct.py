"""The verb that takes the atmosphere off products: correct."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import JsonOption, OutOption, ProductsArgument
from benforge.cli.terminal import print_facts, print_json, showing_progress
from benforge.cli.usage import check_processor


@app.command()
def correct(
    products: ProductsArgument,
    out: OutOption,
    processor: Annotated[
        Literal["sen2cor", "sixs", "none"] | None,
        typer.Option(
            help="sen2cor where it is found, else sixs, if left out; none takes L2A over."
        ),
    ] = None,
    sen2cor: Annotated[
        Path | None,
        typer.Option(help="sen2cor's L2A_Process or its folder, where PATH does not lead to it."),
    ] = None,
    elevation: Annotated[
        float | None, typer.Option(help="Mean of the ground above the sea, m; for sixs; 0.")
    ] = None,
    patience: Annotated[
        float | None, typer.Option(help="Minutes that sen2cor may print nothing; 45.", min=0.01)
    ] = None,
    longest: Annotated[
        float | None,
        typer.Option(help="Minutes that sen2cor may take for a product; 360.", min=0.01),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Products at once; as cores and free memory allow if left out."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Correct the atmosphere: L2A products from L1C ones, `OUT/<L2A id>.SAFE`.

    Interrupt it when you like: the same command goes on where it stopped, and an L2A product that
    is there and opens is left alone.

    `ben correct S2A_MSIL1C_*.SAFE --out l2a`
    """
    from benforge.correction.correct import correct_products
    from benforge.correction.port import CorrectOptions

    asked: dict[str, Any] = {
        "sen2cor": sen2cor,
        "elevation": elevation,
        "patience": patience,
        "longest": longest,
    }
    check_processor(processor, {f"--{option}": told for option, told in asked.items()})
    options = CorrectOptions(**{o: told for o, told in asked.items() if told is not None})
    with showing_progress("Correcting") as progress:
        summary = correct_products(
            products, out, processor, options=options, workers=workers, progress=progress
        )
    if json:
        print_json(msgspec.to_builtins(summary))
    else:
        print_facts(f"Corrected into {out}", summary.facts())
