"""The verbs that exchange archives with published layouts: import and export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from benforge.cli.main import app
from benforge.cli.options import (
    ArchiveArgument,
    ClusterOption,
    CompressionOption,
    JsonOption,
    MetadataOption,
    OutOption,
    WorkersOption,
    choose_workers,
)
from benforge.cli.terminal import print_facts, print_json, print_left_out, showing_progress


@app.command(name="import")
def import_(
    path: Annotated[
        Path, typer.Argument(help="Folder (or LMDB) in a published layout.", metavar="PATH")
    ],
    out: OutOption,
    metadata: MetadataOption = None,
    layout: Annotated[
        str | None, typer.Option(help="v1, v2 or lmdb; recognised by itself if left out.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option(help="Leave damaged patches out and list them, rather than stop.")
    ] = False,
    compression: CompressionOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    json: JsonOption = False,
) -> None:
    """Bring a published archive into benforge's: pixels, geometry, labels, names, flags, splits.

    Interrupt it when you like: the same command goes on where it stopped. Published lists that
    lie in the folder or beside it come along; name their folder with --metadata if they lie apart.

    `ben import BigEarthNet-v1.0 --out archive`
    """
    from benforge.archive.storage import StorageRecipe
    from benforge.layouts.port import ImportOptions
    from benforge.layouts.registry import import_layout

    options = ImportOptions(
        storage=StorageRecipe(compression=compression) if compression else StorageRecipe(),
        metadata=metadata,
        skip_bad=skip_bad,
        workers=choose_workers(workers, cluster),
    )
    with showing_progress("Importing") as progress:
        summary = import_layout(path, out, options, layout=layout, progress=progress)
    facts = msgspec.to_builtins(summary)
    if json:
        print_json(facts)
    else:
        print_facts(f"Imported into {out}", facts | {"skipped": len(summary.skipped)})
        print_left_out([f"{one.patch}: {one.reason}" for one in summary.skipped])


@app.command()
def export(
    archive: ArchiveArgument,
    out: OutOption,
    layout: Annotated[
        str, typer.Option(help="Which layout to write: v1, v2, lmdb, webdataset, parquet.")
    ] = "v1",
    split: Annotated[
        str | None, typer.Option(help="Only the patches of this split, with their parts.")
    ] = None,
    geotiff: Annotated[
        Literal["none", "deflate"], typer.Option(help="Compression of GeoTIFFs.")
    ] = "none",
    count_up: Annotated[
        bool,
        typer.Option(help="Where v1 names collide, count their time up, as the published did."),
    ] = False,
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> None:
    """Write an archive in a published layout, for tools that read only that.

    `ben export archive --layout lmdb --out lmdb --split paper`
    """
    from benforge.archive.archive import Archive
    from benforge.archive.sidecars import read_split
    from benforge.layouts.port import ExportOptions
    from benforge.layouts.registry import export_layout

    options = ExportOptions(
        split=read_split(archive, split) if split else None,
        compression=geotiff,
        count_up=count_up,
        workers=workers,
    )
    with showing_progress("Exporting") as progress:
        summary = export_layout(Archive.open(archive), out, layout, options, progress)
    facts = msgspec.to_builtins(summary)
    if json:
        print_json(facts)
    else:
        print_facts(f"Exported to {out}", facts | {"notes": summary.notes})
