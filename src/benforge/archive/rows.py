"""Rows of the index for the patches of one scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.archive.footprints import centres, footprints, to_wkb
from benforge.core.fractions import FractionTable
from benforge.core.identity import PatchId
from benforge.core.record import PatchRecord, to_table
from benforge.core.season import season_of
from benforge.labels.countries import countries_of
from benforge.patches.plan import PatchPlan
from benforge.scenes.port import SceneMetadata


@dataclass(frozen=True, slots=True, eq=False)
class TileRows:
    """What the rows of a tile have in common over all its dates, one entry a patch.

    Args:
        plan: the patches.
        fractions: land-cover shares.
        labels: class names under the recipe.
        kept: whether the label rules keep the patch.
        countries: name of the country, or None.
        geometry: footprints as WKB.
    """

    plan: PatchPlan
    fractions: FractionTable
    labels: Sequence[Sequence[str]]
    kept: npt.NDArray[np.bool_]
    countries: Sequence[str | None]
    geometry: Sequence[bytes]


def tile_rows(
    plan: PatchPlan,
    fractions: FractionTable,
    labels: Sequence[Sequence[str]],
    kept: npt.NDArray[np.bool_],
    countries: Sequence[str],
) -> TileRows:
    """The rows of a tile; the country of a patch is that of its centre.

    Args:
        plan: the patches.
        fractions: land-cover shares, one row a patch.
        labels: class names of each patch.
        kept: whether the label rules keep the patch.
        countries: the countries to choose from; empty for all.
    """
    columns, rows = plan.positions()
    ulx, uly = plan.grid.ulx + columns * plan.edge, plan.grid.uly - rows * plan.edge
    polygons = footprints(plan.grid.crs, ulx.astype(float), uly.astype(float), plan.edge)
    names = countries_of(*centres(polygons), names=tuple(countries))
    return TileRows(plan, fractions, labels, kept, names, to_wkb(polygons))


def scene_table(
    tile: TileRows,
    meta: SceneMetadata,
    nodata: npt.NDArray[np.float32],
    kept: npt.NDArray[np.bool_],
) -> pa.Table:
    """The rows of the kept patches of one scene, row by row from the upper-left."""
    places = list(tile.plan)
    product = str(meta.product)
    codes = np.array(tile.fractions.codes)

    def record(i: int) -> PatchRecord:
        column, row = places[i]
        here = (tile.fractions.shares[i] > 0) | (tile.fractions.pixels[i] > 0)
        return PatchRecord(
            patch_id=str(PatchId(product, column, row)),
            scene=product,
            product=product,
            tile=meta.tile,
            column=column,
            row=row,
            crs=tile.plan.grid.crs,
            ulx=tile.plan.grid.ulx + column * tile.plan.edge,
            uly=tile.plan.grid.uly - row * tile.plan.edge,
            sensing_time=meta.sensing_time,
            season=season_of(meta.sensing_time),
            country=tile.countries[i],
            source=meta.source,
            v1_name=None,
            classes=codes[here].tolist(),
            shares=tile.fractions.shares[i][here].tolist(),
            pixels=tile.fractions.pixels[i][here].tolist(),
            labels=tile.labels[i],
            nodata=float(nodata[i]),
            geometry=tile.geometry[i],
        )

    return to_table(record(int(i)) for i in np.flatnonzero(kept))
