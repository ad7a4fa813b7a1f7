"""The verbs before a build: choose products from a catalogue, and fetch them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import JsonOption
from benforge.cli.tables import print_table
from benforge.cli.terminal import print_facts, print_json, showing_progress
from benforge.cli.usage import check_tiles
from benforge.cli.words import split_words

if TYPE_CHECKING:
    from benforge.tiles.selection import Selection

CountriesOption = Annotated[
    list[str] | None,
    typer.Option(help="Countries by English names: Austria,Serbia or again."),
]
TilesOption = Annotated[list[str] | None, typer.Option(help="MGRS tiles: 33UUP,33UWP or again.")]
BaselineOption = Annotated[
    list[str] | None, typer.Option(help="Processing baselines to take: 02.05,02.06 or again.")
]

CatalogueOption = Annotated[
    Path | None,
    typer.Option(help="A saved catalogue: STAC items as .json or .ndjson, or ids as .txt."),
]
ApiOption = Annotated[
    str,
    typer.Option(
        help="A STAC API: cdse, earth-search, planetary-computer, an address, or a TOML file."
    ),
]
AreaOption = Annotated[
    Path | None, typer.Option(help="File of polygons: GeoJSON, GeoPackage, Shapefile.")
]


@app.command()
def tiles(
    selection: Annotated[
        str, typer.Option(help="A selection that has a name: bigearthnet-2019.")
    ] = "",
    catalogue: CatalogueOption = None,
    api: ApiOption = "",
    countries: CountriesOption = None,
    tiles: TilesOption = None,
    area: AreaOption = None,
    period: Annotated[str, typer.Option(help="First and last day: 2017-06-01/2018-05-31.")] = "",
    cloud: Annotated[float | None, typer.Option(help="Greatest cloud cover, %.")] = None,
    level: Annotated[Literal["L1C", "L2A"], typer.Option(help="Processing level.")] = "L1C",
    baseline: BaselineOption = None,
    mix_baselines: Annotated[
        bool, typer.Option("--mix-baselines", help="Let several baselines stand side by side.")
    ] = False,
    most: Annotated[
        int | None, typer.Option(help="Products at most, from the seasons in turn.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File for the STAC ItemCollection.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--map", help="File for a map: .png or .svg.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Choose products: at most one a tile and season, the least clouds first.

    Tells what could not be had, and if nothing is left, which condition took the last.

    `ben tiles --api cdse --countries Austria --period 2017-06-01/2018-05-31 --cloud 1 --out F.json`
    """
    from benforge.pipeline.tiles import TilesRequest, select

    request = TilesRequest(
        selection=selection,
        catalogue=catalogue,
        api=api,
        countries=split_words(countries),
        tiles=split_words(tiles),
        area=area,
        period=period,
        cloud=cloud,
        level=level,
        baselines=split_words(baseline),
        most=most,
        mix_baselines=mix_baselines,
    )
    check_tiles(request)
    with showing_progress("Choosing") as progress:
        found = select(request, progress)
    _deliver(found, out, picture)
    if json:
        print_json(found.as_stac())
    else:
        print_facts("Chosen", {**found.facts(), **({"written": out} if out else {})})
        for title, header, rows in found.tables():
            print_table(title, header, rows)


def _deliver(found: Selection, out: Path | None, picture: Path | None) -> None:
    """Write the ItemCollection and the map, where they were asked for."""
    if out:
        found.write(out)
    if picture:
        from benforge.statistics.selection_map import write_selection_map

        write_selection_map(found, picture)


@app.command()
def fetch(
    selection: Annotated[
        Path, typer.Argument(help="ItemCollection that ben tiles wrote.", metavar="SELECTION")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the products.")],
    api: Annotated[
        str, typer.Option(help="Profile of its catalogue, if the selection does not tell.")
    ] = "",
    via: Annotated[
        Literal["http", "s3"], typer.Option(help="How, where a catalogue offers both.")
    ] = "http",
    parallel: Annotated[
        int | None, typer.Option(min=1, help="Downloads at a time; as many as the server allows.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would come and its size; fetch nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Fetch the products of a selection: resumed, verified, each in place when it is whole.

    User and password are read from the environment or from a netrc, and never written anywhere.

    `ben fetch selection.json --out products --dry-run`
    """
    from benforge.tiles.fetch import fetch_selection
    from benforge.tiles.selection import Selection

    chosen = Selection.read(selection)
    with showing_progress("Fetching") as progress:
        summary = fetch_selection(
            chosen,
            out,
            api=api,
            via=via,
            parallel=parallel,
            dry_run=dry_run,
            progress=progress,
        )
    if json:
        print_json(msgspec.to_builtins(summary, enc_hook=str))
    else:
        print_facts("Would fetch" if dry_run else f"Fetched into {out}", summary.facts())
        if dry_run:
            rows = [[f"{size:,}", name] for name, size in summary.sizes]
            print_table("To come", ["bytes", "product"], rows)
        if summary.failed:
            failed = [list(one) for one in summary.failed]
            print_table("Cannot come", ["product", "why"], failed)
