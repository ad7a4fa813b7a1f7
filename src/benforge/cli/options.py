"""Arguments and options of the verbs: what each means, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from benforge.archive.executors import Workers
from benforge.core.object_path import parse_place

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_ARCHIVE = typer.Argument(
    parser=parse_place, help="Folder of the archive, or s3://bucket/prefix.", metavar="ARCHIVE"
)
ArchiveArgument = Annotated[Path, _ARCHIVE]
MaybeArchiveArgument = Annotated[Path | None, _ARCHIVE]
CompressionOption = Annotated[
    Literal["none", "zstd", "blosc", "lz4"] | None,
    typer.Option(
        help="How pixels are stored: *none* reads fastest, *blosc* takes three fifths of the room, "
        "*lz4* a little more and decodes twice as fast, *zstd* is the form that most tools decode."
    ),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")]
ProductsArgument = Annotated[
    list[Path],
    typer.Argument(
        help="Sentinel-2 products: SAFE folders or zips; *X.SAFE#32TNM* for one tile of "
        "a product from before December 2016."
    ),
]
MaybeProductsArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Sentinel-2 products: SAFE folders or zips; *X.SAFE#32TNM* for one tile of "
        "a product from before December 2016. None with --from.",
        show_default=False,
    ),
]
FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        help="Fetch and correct the products of a selection first: a file of ben tiles, or "
        "bigearthnet-2019. What each stage makes is kept beside the archive.",
    ),
]
ApiOption = Annotated[
    str, typer.Option(help="With --from: the catalogue, as ben tiles and ben fetch take it.")
]
ProcessorOption = Annotated[
    Literal["sen2cor", "sixs", "none"] | None,
    typer.Option(help="With --from: what corrects; sen2cor where it is found, else sixs."),
]
ViaOption = Annotated[
    Literal["http", "s3"] | None,
    typer.Option(help="With --from: how files come, where a catalogue offers both; http."),
]
Sen2corOption = Annotated[
    Path | None, typer.Option(help="With --from: sen2cor's L2A_Process or its folder.")
]
ElevationOption = Annotated[
    float | None,
    typer.Option(help="With --from: mean of the ground above the sea, m; for sixs."),
]
LandCoverOption = Annotated[
    Path, typer.Option(help="Land-cover map: CORINE polygons (gpkg, shp, gdb) or raster (tif).")
]
ProfileOption = Annotated[
    Literal["ben-v1", "ben-v2", "custom"] | None,
    typer.Option(help="Rules to follow; ben-v1 if neither this nor a recipe says."),
]
RecipeOption = Annotated[
    Path | None, typer.Option(help="TOML file with rules of your own; see docs/recipes.md.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="One rule, as table.key=value; again for more.")
]
MetadataOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the published lists (names, splits, quality, metadata.parquet), where "
        "they lie apart from the pixels."
    ),
]
TilesAtOnceOption = Annotated[
    int | None,
    typer.Option("--workers", help="Tiles built at a time; 2.5 GB of memory each."),
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes; every core if left out.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        help="Work on the dask cluster with this scheduler address, tcp://host:8786, in place of "
        "processes here; its workers must see the same files."
    ),
]
DeviceOption = Annotated[
    str, typer.Option(help="cpu or cuda; the GPU where there is one if left out.")
]
PixelsOption = Annotated[
    Literal["disk", "ram", "device"],
    typer.Option(
        help="Where pixels live meanwhile: mapped from the *disk*, read once into *ram*, or held "
        "on the *device*, where no loader runs. Results are the same; see docs/loader.md."
    ),
]
VerifyOption = Annotated[
    bool, typer.Option(help="Hold bands to the checksums in their product's manifest.safe.")
]


def choose_workers(workers: int | None, cluster: str | None) -> Workers:
    """Where work runs: so many processes here, or on a cluster.

    Raises:
        BadParameter: both are asked for.
    """
    if cluster is None:
        return workers
    if workers is not None:
        raise typer.BadParameter("--workers are processes here; leave out --workers or --cluster")
    return cluster
