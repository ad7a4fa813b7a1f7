"""The verbs that find patches that are like a patch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import DeviceOption, JsonOption
from benforge.cli.tables import print_table
from benforge.cli.terminal import print_facts, print_json, showing_progress
from benforge.core.object_path import parse_place

if TYPE_CHECKING:
    from benforge.retrieval.index import SearchIndex
    from benforge.retrieval.nearest import Metric
    from benforge.retrieval.search import Found

PlacesArgument = Annotated[
    list[Path],
    typer.Argument(
        parser=parse_place,
        help="Folder of a training, then folder of the archive, or s3://bucket/prefix; only the "
        "archive with --statistics.",
        metavar="[RUN] ARCHIVE",
    ),
]
IndexArgument = Annotated[Path, typer.Argument(help="Folder of the index.", metavar="INDEX")]
MetricOption = Annotated[
    Literal["cosine", "euclidean"] | None,
    typer.Option(help="Distance; euclidean if left out."),
]


@app.command()
def embed(
    places: PlacesArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder for the index.")],
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Means and deviations of bands, without a model.")
    ] = False,
    split: Annotated[str, typer.Option(help="Split of the archive; all patches if left out.")] = "",
    part: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    batch_size: Annotated[int, typer.Option(min=1, help="Patches at once.")] = 128,
    device: DeviceOption = "",
    json: JsonOption = False,
) -> None:
    """Make an index of an archive, in which ben search finds patches that are alike.

    `ben embed run archive --out index`
    """
    from benforge.cli.usage import check_places
    from benforge.retrieval.embed import embed_archive

    run, archive = check_places(places, statistics=statistics)
    with showing_progress("Embedding") as progress:
        facts = embed_archive(
            archive,
            out,
            run=run,
            split=split,
            part=part,
            device=device,
            batch_size=batch_size,
            progress=progress,
        )
    told = {**facts.told(), "index": str(out)}
    print_json(told) if json else print_facts(f"Embedded {archive}", told)


@app.command()
def search(
    index: IndexArgument,
    patch: Annotated[str, typer.Option(help="Id of a patch in the index.")] = "",
    image: Annotated[
        Path | None,
        typer.Option(help="A patch in files: its folder, or one GeoTIFF of 12 bands at 10 m."),
    ] = None,
    labels: Annotated[
        list[str] | None, typer.Option("--label", help="A label to have; again for more.")
    ] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Tell precision at k, beside chance.")
    ] = False,
    k: Annotated[int, typer.Option(min=1, help="Patches to find.")] = 10,
    metric: MetricOption = None,
    other_tiles: Annotated[
        bool, typer.Option("--other-tiles", help="Leave out the tile of the patch that asks.")
    ] = False,
    pictures: Annotated[
        Path | None, typer.Option(help="Draw query and results: a .html or .png file.")
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            parser=parse_place,
            metavar="ARCHIVE",
            help="The index's archive, for --pictures: its folder, or s3://bucket/prefix.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Find the patches of an index that are most like a patch, an image, or typical of labels.

    `ben search index --patch S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57 --k 5`
    """
    from benforge.cli.usage import check_search
    from benforge.retrieval.index import open_index

    check_search(
        patch, image, labels, pictures, archive, evaluate=evaluate, other_tiles=other_tiles
    )
    opened = open_index(index)
    if evaluate:
        _evaluate(opened, k, metric, other_tiles=other_tiles, json=json)
        return
    from benforge.retrieval.search import Query
    from benforge.retrieval.search import search as find

    wanted = tuple(labels or ())
    query = Query(
        patch=patch, image=image, labels=wanted, k=k, metric=metric, other_tiles=other_tiles
    )
    found = find(opened, query)
    if pictures and archive:
        from benforge.retrieval.pictures import draw_found

        draw_found(found, query, archive, pictures)
    print_json(msgspec.to_builtins(found)) if json else _print_found(found)


def _evaluate(
    index: SearchIndex, k: int, metric: Metric | None, *, other_tiles: bool, json: bool
) -> None:
    from benforge.retrieval.evaluate import evaluate_search

    with showing_progress("Searching") as progress:
        figures = evaluate_search(
            index, k=k, metric=metric, other_tiles=other_tiles, progress=progress
        )
    facts = msgspec.to_builtins(figures)
    if json:
        print_json(facts)
        return
    told = {**facts.pop("index"), **facts}
    told["precision_interval"] = "{:.4f} to {:.4f}".format(*figures.precision_interval)
    shown = {name: f"{v:.4f}" if isinstance(v, float) else v for name, v in told.items()}
    print_facts(f"Precision at {k}", shown)


def _print_found(found: Found) -> None:
    simulated = ", simulated" * bool(found.index["simulated"])
    title = f"Nearest to {found.query} ({found.index['model']}, {found.metric}{simulated})"
    rows = [
        (
            str(one.rank),
            f"{one.distance:.4f}",
            one.patch,
            f"{one.latitude:.3f} {one.longitude:.3f}",
            ", ".join(one.labels),
        )
        for one in found.results
    ]
    print_table(title, ("", "distance", "patch", "place", "labels"), rows)
