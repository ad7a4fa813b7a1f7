"""What a trained model is used for: maps of products, and patches that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benforge.core.identity import PatchId
from benforge.core.progress import Progress, silent
from benforge.face.places import (
    AnyArchive,
    AnyPath,
    AnyPaths,
    AnyRun,
    folder_of,
    paths_of,
    run_of,
)
from benforge.face.words import checked
from benforge.mapping.facts import MapChoices, VectorFormat
from benforge.mapping.map import MapSummary, map_products
from benforge.mapping.scene import MapWork
from benforge.retrieval.embed import embed_archive
from benforge.retrieval.index import SearchIndex, open_index
from benforge.retrieval.nearest import Metric
from benforge.retrieval.search import Found, Query
from benforge.retrieval.search import search as find


@checked
def map(  # noqa: A001  the verb of the command line
    run: AnyRun,
    products: AnyPaths,
    out: AnyPath,
    *,
    stride: int | None = None,
    threshold: float = 0.5,
    keep_clouds: bool = False,
    vector: VectorFormat = "gpkg",
    device: str = "",
    progress: Progress = silent,
) -> MapSummary:
    """Map whole products: the score of every class for every patch.

    Args:
        run: what `train` returned, its folder, or a `model.safetensors`.
        products: SAFE folders or zips; L1C is corrected on the way.
        out: folder; each product gets one of its own in it.
        stride: pixels of 10 m between windows; that of patches if None.
        threshold: score from which on a class is a label.
        keep_clouds: ask about ground under cloud and shadow too.
        vector: patches as "gpkg" or "parquet".
        device: "cpu" or "cuda"; the GPU where there is one if empty.
        progress: told what is being done.

    Returns:
        Of each product its folder, files, and what became of its windows.

    Raises:
        BenError: no such run or product, or one without the model's bands.

    Example:
        >>> made = ben.map("run", world.products[0], "maps")
        >>> made.maps[0].files
        ('map.png', 'patches.gpkg', 'scores.tif')
    """
    choices = MapChoices(stride=stride, threshold=threshold, keep_clouds=keep_clouds, vector=vector)
    return map_products(
        run_of(run),
        paths_of(products),
        Path(out),
        MapWork(choices),
        device=device,
        progress=progress,
    )


@checked
def embed(
    archive: AnyArchive,
    out: AnyPath,
    *,
    run: AnyRun | None = None,
    split: str | None = None,
    part: str = "test",
    device: str = "",
    progress: Progress = silent,
) -> SearchIndex:
    """Make an index of an archive, in which `search` finds patches that are alike.

    Args:
        archive: open, or its folder.
        out: a new folder.
        run: whose model makes the vectors; None takes means and deviations of bands.
        split: of the archive; None takes all patches.
        part: of the split.
        device: "cpu" or "cuda"; the GPU where there is one if empty.
        progress: told how many patches are done.

    Raises:
        BenError: no such run or split, or a folder that is not new.

    Example:
        >>> index = ben.embed("archive", "index")
        >>> index.facts.patches, index.facts.features
        (66, 24)
    """
    embed_archive(
        folder_of(archive),
        Path(out),
        run=None if run is None else run_of(run),
        split=split or "",
        part=part,
        device=device,
        progress=progress,
    )
    return open_index(Path(out))


@checked
def search(
    index: SearchIndex | AnyPath,
    *,
    patch: str | PatchId = "",
    image: AnyPath | None = None,
    labels: Sequence[str] = (),
    k: int = 10,
    metric: Metric | None = None,
    other_tiles: bool = False,
) -> Found:
    """The patches of an index that are most like a patch or an image, or typical of labels.

    Args:
        index: what `embed` returned, or its folder.
        patch: id, or v1 name, of a patch of the index.
        image: files of a patch: its folder, or one GeoTIFF.
        labels: that patches must have, all of them.
        k: how many.
        metric: "cosine" or "euclidean"; the index's own if None.
        other_tiles: leave out the tile of the patch that asks.

    Raises:
        BenError: none or several of patch, image and labels; no such patch, image or label.

    Example:
        >>> found = ben.search("index", labels=["Pastures"], k=3)
        >>> [match.rank for match in found.results if "Pastures" in match.labels]
        [1, 2, 3]
    """
    query = Query(
        patch=str(patch),
        image=None if image is None else Path(image),
        labels=tuple(labels),
        k=k,
        metric=metric,
        other_tiles=other_tiles,
    )
    return find(index if isinstance(index, SearchIndex) else open_index(Path(index)), query)
