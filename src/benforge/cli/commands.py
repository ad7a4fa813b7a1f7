"""The verbs of `ben`: each parses, calls one function of the library and prints one summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import (
    ApiOption,
    ArchiveArgument,
    ClusterOption,
    CompressionOption,
    ElevationOption,
    FromOption,
    JsonOption,
    LandCoverOption,
    MaybeProductsArgument,
    OutOption,
    ProcessorOption,
    ProfileOption,
    RecipeOption,
    Sen2corOption,
    SetOption,
    TilesAtOnceOption,
    VerifyOption,
    ViaOption,
    choose_workers,
)
from benforge.cli.terminal import (
    print_counts,
    print_facts,
    print_findings,
    print_json,
    showing_progress,
)
from benforge.cli.usage import check_build

if TYPE_CHECKING:
    from benforge.core.progress import Progress
    from benforge.pipeline.prepare import Prepared


@app.command()
def build(
    land_cover: LandCoverOption,
    out: OutOption,
    products: MaybeProductsArgument = None,
    source: FromOption = "",
    api: ApiOption = "",
    via: ViaOption = None,
    processor: ProcessorOption = None,
    sen2cor: Sen2corOption = None,
    elevation: ElevationOption = None,
    profile: ProfileOption = None,
    recipe: RecipeOption = None,
    changes: SetOption = None,
    workers: TilesAtOnceOption = None,
    cluster: ClusterOption = None,
    compression: CompressionOption = None,
    verify: VerifyOption = True,
    json: JsonOption = False,
) -> None:
    """Build an archive from products and a land-cover map, or add products to one.

    Interrupt it when you like: the same command goes on where it stopped, and what is built
    already is left alone.

    `ben build S2A_MSIL2A_*.SAFE --land-cover U2018_CLC2018_V2020_20u1.gpkg --out archive`
    """
    from benforge.archive.build import build_archive
    from benforge.recipe.load import load_recipe

    asked = {
        "--api": api,
        "--via": via,
        "--processor": processor,
        "--sen2cor": sen2cor,
        "--elevation": elevation,
    }
    check_build(products, source, land_cover, asked)
    crew = choose_workers(workers, cluster)
    words = [*(changes or []), *([f"storage.compression={compression}"] if compression else [])]
    rules = load_recipe(profile, recipe, words)
    level, stages = rules.products.level, {}
    with showing_progress("Building") as progress:
        if source:
            made = _prepare(source, out, level, asked, progress)
            products, stages = list(made.products), made.facts()
        summary = build_archive(
            products or (),
            land_cover,
            out,
            rules,
            workers=crew,
            verify=verify,
            progress=progress,
        )
    if json:
        print_json({**msgspec.to_builtins(summary), **({"stages": stages} if source else {})})
    else:
        print_facts(f"Built {out}", {**stages, **summary.facts()})


def _prepare(
    source: str, out: Path, level: str, asked: Mapping[str, Any], progress: Progress
) -> Prepared:
    """The products of a selection, as the options of build ask."""
    from benforge.correction.port import CorrectOptions
    from benforge.pipeline.prepare import prepare_products

    options = CorrectOptions(sen2cor=asked["--sen2cor"])
    if asked["--elevation"] is not None:
        options = replace(options, elevation=asked["--elevation"])
    return prepare_products(
        source,
        out,
        level,
        api=asked["--api"],
        via=asked["--via"] or "http",
        processor=asked["--processor"],
        options=options,
        progress=progress,
    )


@app.command()
def info(archive: ArchiveArgument, json: JsonOption = False) -> None:
    """Tell what an archive holds: patches, scenes, classes, countries, seasons, bytes."""
    from benforge.archive.archive import Archive
    from benforge.archive.info import describe_archive

    found = describe_archive(Archive.open(archive))
    if json:
        print_json(msgspec.to_builtins(found))
    else:
        print_facts(str(archive), found.facts())
        print_counts("Patches of each class", found.labels)


@app.command()
def check(archive: ArchiveArgument, json: JsonOption = False) -> None:
    """Check an archive: structure, counts, every checksum, shares, footprints.

    Names whatever is damaged; exits 1 if anything is.
    """
    from benforge.archive.check import check_archive

    with showing_progress("Checking") as progress:
        findings = check_archive(archive, progress=progress)
    ok = not any(finding.severity == "error" for finding in findings)
    if json:
        print_json({"ok": ok, "findings": msgspec.to_builtins(findings)})
    else:
        print_findings(archive, findings, ok=ok)
    raise typer.Exit(0 if ok else 1)


@app.command()
def simulate(
    out: OutOption,
    size: Annotated[
        int, typer.Option(help="Pixels of 10 m along the tile: 360 to 10980, a multiple of 6.")
    ] = 1200,
    seed: Annotated[int, typer.Option(help="Another seed gives another ground.")] = 1,
    dates: Annotated[
        list[str] | None,
        typer.Option(
            "--date",
            help="A product of this day; again for more. Weather after a colon: "
            "2018-02-25:snow=0.5,cloud=0.2",
        ),
    ] = None,
    level: Annotated[Literal["L1C", "L2A"], typer.Option(help="Processing level.")] = "L2A",
    baseline: Annotated[str, typer.Option(help="Processing baseline.")] = "02.05",
    polygons: Annotated[
        int | None, typer.Option(help="Polygons of the map, about; as real maps if left out.")
    ] = None,
) -> None:
    """Make up a land-cover map and Sentinel-2 products over it, to build from.

    The products are valid SAFE folders that say that they are simulated.

    `ben simulate --out world --date 2017-06-13 --date 2018-02-25:snow=0.5,cloud=0.2`
    """
    from benforge.cli.words import parse_date
    from benforge.scenes.simulate import SimulateRecipe
    from benforge.scenes.simulate import simulate as simulate_products

    rules = SimulateRecipe(
        size=size,
        seed=seed,
        dates=tuple(parse_date(word) for word in dates or ["2017-06-13"]),
        level=level,
        baseline=baseline,
        polygons=polygons,
    )
    with showing_progress("Simulating") as progress:
        found = simulate_products(out, rules, progress)
    products = {f"product {i}": path for i, path in enumerate(found.products, start=1)}
    print_facts(f"Simulated into {out}", {"land cover": found.land_cover, **products})


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")] = Path("demo"),
) -> None:
    """Show the main job on data that ships: import, simulate, build, check, learn, and its pages.

    Takes about two minutes. Open the pages that it names in a browser.
    """
    from benforge.demo.demo import run_demo

    with showing_progress("Demo") as progress:
        pages = run_demo(out, progress)
    real, simulated = pages.learned
    facts = {"open": pages.report, "learned": real, "learned, simulated": simulated}
    print_facts("The demo is done", facts)
