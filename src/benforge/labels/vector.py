"""Land cover as polygons: GeoPackage, shapefile, file geodatabase and whatever else GDAL reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyogrio
import pyogrio.raw
import pyproj
import shapely
from pyogrio.errors import CRSError, DataLayerError, DataSourceError

from benforge.core.grid import Bounds, Grid
from benforge.core.nomenclature import Nomenclature
from benforge.errors import LandCoverError
from benforge.labels.checksum import content_sha256
from benforge.labels.codes import code_fields, number_classes
from benforge.labels.draw import draw_labels
from benforge.labels.edges import polygon_edges
from benforge.labels.port import TileLabels
from benforge.labels.projection import ToGrid

Polygons = npt.NDArray[np.object_]


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
            LandCoverError: the map does not cover the tile, holds unknown codes, coordinates
                outside its CRS, other shapes than polygons, or polygons that overlap by more
                than a thousandth of a patch.
        """
        to_grid = ToGrid(self.crs, grid, self.path.name)
        polygons, classes = self._read(to_grid.bounds)
        polygons, repaired = _repair(polygons)
        return draw_labels(
            [polygon_edges(polygons, to_grid)],
            classes,
            tuple(sorted(self.nomenclature.codes)),
            grid,
            patch_pixels,
            where=self.path.name,
            repaired=repaired,
        )

    def _read(self, bounds: Bounds) -> tuple[Polygons, npt.NDArray[np.int64]]:
        """The polygons that touch a box, and their classes; those of no class are left out."""
        try:
            found, table = pyogrio.raw.read_arrow(
                self.path, layer=self.layer, columns=[self.code_field], bbox=tuple(bounds)
            )
        except (DataSourceError, DataLayerError) as error:
            raise LandCoverError("the map cannot be read", where=self.path.name) from error
        shapes = table.column(found["geometry_name"] or "wkb_geometry")
        codes = table.column(self.code_field).combine_chunks().dictionary_encode()
        where = f"{self.path.name}, field {self.code_field}"
        has_shape = np.asarray(shapes.is_valid())
        if codes.filter(has_shape).null_count:
            raise LandCoverError("a polygon has no code", where=where, do="Give it one, or 999")
        numbers = number_classes(codes.dictionary.to_pylist(), self.nomenclature, where)
        classes = np.array([*numbers, -1])[codes.indices.fill_null(len(numbers))]
        kept = has_shape & (classes >= 0)
        return _polygons(np.asarray(shapes)[kept], self.path.name), classes[kept]


def _polygons(wkb: npt.NDArray[np.object_], where: str) -> Polygons:
    """Shapes from their bytes.

    Raises:
        LandCoverError: one is not a polygon.
    """
    try:
        shapes: Polygons = shapely.from_wkb(wkb)
    except shapely.errors.GEOSException as error:
        raise LandCoverError("a polygon cannot be read", where=where) from error
    kinds = set(np.unique(shapely.get_type_id(shapes)).tolist())
    if kinds - {shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON}:
        raise LandCoverError(
            "the map holds other shapes than polygons", where=where, do="Name a polygon layer"
        )
    return shapes


def _repair(polygons: Polygons) -> tuple[Polygons, int]:
    """The polygons, made valid, and how many were not."""
    invalid = ~shapely.is_valid(polygons)
    if invalid.any():
        polygons = polygons.copy()
        polygons[invalid] = shapely.make_valid(
            polygons[invalid], method="structure", keep_collapsed=False
        )
    return polygons, int(invalid.sum())


def open_vector(
    path: Path, *, code_field: str | None, layer: str | None, nomenclature: Nomenclature
) -> VectorLandCover:
    """Find layer, code field and CRS of a map of polygons.

    Raises:
        LandCoverError: no layer or field fits, or several do; no CRS, or not the coordinates'.
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
    layers = [
        str(name)
        for name, kind in pyogrio.list_layers(path)
        if kind is not None and ("Polygon" in kind or kind in ("Unknown", "MultiSurface"))
    ]
    if not layers:
        raise LandCoverError("it has no layer of polygons", where=path.name)
    return {name: list(pyogrio.read_info(path, layer=name)["fields"]) for name in layers}


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
    try:
        info = pyogrio.read_info(
            path, layer=layer, force_feature_count=True, force_total_bounds=True
        )
    except (CRSError, DataSourceError) as error:
        raise LandCoverError("the map cannot be read", where=path.name) from error
    if info["crs"] is None:
        raise LandCoverError(
            "the map has no CRS", where=path.name, do="Give it the one its coordinates are in"
        )
    crs = pyproj.CRS(info["crs"])
    _check_bounds(crs, info["total_bounds"], path.name)
    return VectorLandCover(path, layer, field, crs, int(info["features"]), nomenclature)


def _check_bounds(crs: pyproj.CRS, bounds: Sequence[float] | None, where: str) -> None:
    """Raise where coordinates in metres are said to be degrees."""
    if crs.is_geographic and bounds is not None and max(map(abs, bounds)) > 360:
        raise LandCoverError(
            f"its coordinates, up to {max(bounds):.0f}, are not degrees as its CRS says",
            where=where,
            do="Give the map the CRS that its coordinates are in",
        )
