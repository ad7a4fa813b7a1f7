"""Land cover as polygons: GeoPackage, shapefile, file geodatabase and whatever else GDAL reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio
import pyproj

from benforge.core.grid import Bounds, Grid
from benforge.core.nomenclature import Nomenclature
from benforge.errors import LandCoverError
from benforge.labels.checksum import content_sha256
from benforge.labels.codes import code_fields
from benforge.labels.draw import draw_labels
from benforge.labels.edges import polygon_edges
from benforge.labels.polygons import (
    Shapes,
    check_lost,
    check_map,
    check_polygons,
    read_features,
    repair,
    told_as_damage,
)
from benforge.labels.port import TileLabels
from benforge.labels.projection import ToGrid


@dataclass(frozen=True, slots=True)
class VectorLandCover:
    """A layer of polygons with a field of codes; made by `open_vector`.

    Shares are exact: polygons are projected vertex by vertex, their long edges split first, and
    their areas summed in float64. Invalid polygons are repaired and counted.
    """

    path: Path
    layer: str
    code_field: str
    crs: pyproj.CRS
    features: int
    nomenclature: Nomenclature

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What the map is; the checksum is computed when this is first asked for."""
        return {
            "name": self.path.name,
            "kind": "vector",
            "layer": self.layer,
            "code_field": self.code_field,
            "crs": self.crs.to_string(),
            "features": self.features,
            "nomenclature": self.nomenclature.name,
            "sha256": content_sha256(self.path),
        }

    def read_labels(self, grid: Grid, patch_pixels: int) -> TileLabels:
        """Land cover of a tile: see `LandCoverSource`.

        Raises:
            GridError: the grid is not a whole number of patches.
            LandCoverError: the map is damaged, does not cover the tile, holds unknown codes,
                classes without a shape, coordinates outside its CRS, other shapes than
                polygons, or polygons that overlap by more than a thousandth of a patch.
        """
        to_grid = ToGrid(self.crs, grid, self.path.name)
        polygons, classes = self._read(to_grid.bounds)
        polygons, repaired = repair(polygons)
        return draw_labels(
            [polygon_edges(polygons, to_grid)],
            classes,
            tuple(sorted(self.nomenclature.codes)),
            grid,
            patch_pixels,
            where=self.path.name,
            repaired=repaired,
        )

    def _read(self, bounds: Bounds) -> tuple[Shapes, npt.NDArray[np.int64]]:
        """The polygons that touch a box, and their classes; those of no class are left out."""
        features = read_features(self.path, self.layer, self.code_field, bounds)
        where = f"{self.path.name}, field {self.code_field}"
        classes = features.classes(self.nomenclature, where)
        check_lost(features, classes, self.path.name)
        kept = classes >= 0
        check_polygons(features.take(kept), self.path.name)
        return features.shapes[kept], classes[kept]


def open_vector(
    path: Path, *, code_field: str | None, layer: str | None, nomenclature: Nomenclature
) -> VectorLandCover:
    """Find layer, code field and CRS of a map of polygons.

    Raises:
        LandCoverError: the file is damaged; no layer or field fits, or several do; no CRS, or
            not the coordinates'; see also `check_map`.
    """
    layers = _polygon_layers(path)
    if layer is not None and layer not in layers:
        raise LandCoverError(
            f"it has no layer of polygons called {layer!r}",
            where=path.name,
            do=f"Its layers are {', '.join(layers)}",
        )
    candidates = {
        name: _fields_with_codes(fields, code_field)
        for name, fields in layers.items()
        if layer in (None, name)
    }
    chosen = _choose_layer(candidates, layers, path.name)
    field = _choose_field(candidates[chosen], layers[chosen], path.name)
    return _open_layer(path, chosen, field, nomenclature)


def _polygon_layers(path: Path) -> dict[str, Sequence[str]]:
    """The layers that may hold polygons, and their fields."""
    with told_as_damage(path.name):
        layers = [
            str(name)
            for name, kind in pyogrio.list_layers(path)
            if kind is not None and ("Polygon" in kind or kind in ("Unknown", "MultiSurface"))
        ]
        found: dict[str, Sequence[str]] = {
            name: list(pyogrio.read_info(path, layer=name)["fields"]) for name in layers
        }
    if not found:
        raise LandCoverError("it has no layer of polygons", where=path.name)
    return found


def _fields_with_codes(fields: Sequence[str], named: str | None) -> list[str]:
    if named is None:
        return code_fields(fields)
    return [field for field in fields if field.lower() == named.lower()]


def _choose_layer(
    candidates: Mapping[str, list[str]], layers: Mapping[str, Sequence[str]], where: str
) -> str:
    fitting = [name for name, fields in candidates.items() if fields]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise LandCoverError(
            f"several layers hold land-cover codes: {', '.join(fitting)}",
            where=where,
            do=f"Name one with --set labels.layer={fitting[0]}",
        )
    fields = ", ".join(field for name in candidates for field in layers[name]) or "none"
    raise LandCoverError(
        f"no field holds land-cover codes; the fields are {fields}",
        where=where,
        do="Name one with --set labels.code_field=NAME",
    )


def _choose_field(candidates: list[str], fields: Sequence[str], where: str) -> str:
    if len(candidates) == 1:
        return candidates[0]
    raise LandCoverError(
        f"several fields may hold the codes, {', '.join(candidates)}, of {', '.join(fields)}",
        where=where,
        do=f"Name one with --set labels.code_field={candidates[0]}",
    )


def _open_layer(path: Path, layer: str, field: str, nomenclature: Nomenclature) -> VectorLandCover:
    with told_as_damage(path.name):
        info = pyogrio.read_info(
            path, layer=layer, force_feature_count=True, force_total_bounds=True
        )
    if info["crs"] is None:
        raise LandCoverError(
            "the map has no CRS", where=path.name, do="Give it the one its coordinates are in"
        )
    crs = pyproj.CRS(info["crs"])
    check_map(path, info, field, crs, nomenclature)
    return VectorLandCover(path, layer, field, crs, int(info["features"]), nomenclature)
