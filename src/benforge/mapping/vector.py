"""The patches of a map with their labels, as any GIS opens them."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from benforge.core.files import ANEW, write_atomic
from benforge.core.identity import PatchId
from benforge.mapping.clouds import Cover
from benforge.mapping.facts import MapFacts
from benforge.mapping.plan import MapPlan
from benforge.scenes.geopackage import dated

LAYER = "patches"
_DATE = "1970-01-01T00:00:00Z"
"""Of every GeoPackage, in place of when it was written."""
Scores = npt.NDArray[np.float32]


def tell_patches(
    plan: MapPlan,
    seen: npt.NDArray[np.int64],
    scores: Scores,
    cover: Cover,
    facts: MapFacts,
    product: str,
) -> gpd.GeoDataFrame:
    """A row a window that the model was asked about.

    Labels are all classes at or above the threshold, the surest first; there may be none. At a
    stride of one patch a row is a patch and has its id; at others its ground is the middle of the
    window, one stride wide.

    Args:
        plan: all windows.
        seen: those that were asked about.
        scores: `window label` of these.
        cover: of all.
        facts: of the map.
        product: its id, as in the ids of patches.
    """
    rows, columns = np.divmod(seen, plan.columns)
    labels, told = _labels(scores, facts)
    whole = plan.stride == plan.edge
    ids = [
        str(PatchId(product, c, r)) for c, r in zip(columns.tolist(), rows.tolist(), strict=True)
    ]
    return gpd.GeoDataFrame(
        {
            **({"patch_id": ids} if whole else {}),
            "column": columns,
            "row": rows,
            "count": np.array([len(names) for names in labels], np.int64),
            "labels": labels,
            "scores": told,
            "cloud": cover.cloud[seen],
            "snow": cover.snow[seen],
        },
        geometry=_squares(plan, rows, columns),
        crs=plan.tile.crs,
    )


def _labels(scores: Scores, facts: MapFacts) -> tuple[list[list[str]], list[list[float]]]:
    """Names and scores of each window's labels, the surest first."""
    names, told = [], []
    for row in scores:
        order = np.argsort(-row, kind="stable")
        order = order[row[order] >= np.float32(facts.threshold)]
        names.append([facts.classes[i] for i in order])
        told.append([float(str(score)) for score in row[order]])
    return names, told


def _squares(
    plan: MapPlan, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    grid = plan.grid
    left, top = grid.ulx + columns * grid.pixel_size, grid.uly - rows * grid.pixel_size
    squares: npt.NDArray[Any] = shapely.box(
        left, top - grid.pixel_size, left + grid.pixel_size, top
    )
    return squares


def write_patches(path: Path, patches: gpd.GeoDataFrame, facts: MapFacts) -> None:
    """Write a GeoPackage, lists as JSON texts, or a GeoParquet file, lists as lists.

    The same map gives the same bytes.

    Raises:
        StorageError: the disk is full.
    """
    about = {**facts.tags(), "classes": json.dumps(facts.classes, ensure_ascii=False)}
    made = BytesIO()
    if facts.vector == "parquet":
        patches.attrs = about
        patches.to_parquet(made, schema_version="1.1.0", write_covering_bbox=True)
    else:
        texts = {
            name: [json.dumps(one, ensure_ascii=False) for one in patches[name]]
            for name in ("labels", "scores")
        }
        with dated(_DATE):
            patches.assign(**texts).to_file(
                made, layer=LAYER, driver="GPKG", engine="pyogrio", dataset_metadata=about
            )
    write_atomic(path, made.getvalue(), ANEW)
