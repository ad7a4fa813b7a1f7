"""Open a land-cover map of any kind."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pyogrio
import rasterio
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from benforge.core.nomenclature import Nomenclature
from benforge.errors import LandCoverError, MissingError
from benforge.labels.nomenclature import read_nomenclature
from benforge.labels.port import LandCoverSource
from benforge.labels.raster import open_raster
from benforge.labels.vector import open_vector

Opener = Callable[[Path, str | None, str | None, Nomenclature], LandCoverSource]

OPENERS: dict[str, Opener] = {
    "vector": lambda path, field, layer, nomenclature: open_vector(
        path, code_field=field, layer=layer, nomenclature=nomenclature
    ),
    "raster": lambda path, _field, _layer, nomenclature: open_raster(
        path, nomenclature=nomenclature
    ),
}
"""Kind of map to what opens it (path, code field, layer, nomenclature)."""


def open_land_cover(
    path: Path,
    *,
    code_field: str | None = None,
    layer: str | None = None,
    nomenclature: str = "clc-44",
) -> LandCoverSource:
    """Open a land-cover map: polygons or a raster, by what GDAL finds in it.

    Args:
        path: GeoPackage, shapefile, file geodatabase, GeoTIFF …
        code_field: the polygons' field of codes, upper or lower case; found where only one
            field looks like it (Code_18, clc_code, gridcode …).
        layer: the layer of polygons; found where only one has a code field.
        nomenclature: what the codes mean: a shipped nomenclature or a TOML file of yours.

    Raises:
        MissingError: there is no such file, or a shapefile lacks one of its parts.
        LandCoverError: not a map, or no layer, code field or CRS can be told.
    """
    if not path.exists():
        raise MissingError("there is no land-cover map", where=path, do="Check the path")
    _check_shapefile(path)
    return OPENERS[_kind_of(path)](path, code_field, layer, read_nomenclature(nomenclature))


def _check_shapefile(path: Path) -> None:
    """Raise where a shapefile lacks the file of its codes or of its places."""
    if path.suffix.lower() != ".shp":
        return
    beside = {file.name.lower() for file in path.parent.iterdir()}
    for part in (".shx", ".dbf"):
        missing = path.with_suffix(part)
        if missing.name.lower() not in beside:
            raise MissingError(
                f"the shapefile {path.name} lacks {missing.name}",
                where=missing,
                do="Copy all files of the shapefile into one folder",
            )


def _kind_of(path: Path) -> str:
    """Vector where there is a layer of shapes, else raster."""
    try:
        if any(kind is not None for _, kind in pyogrio.list_layers(path)):
            return "vector"
    except (DataSourceError, DataLayerError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told as a missing CRS
            with rasterio.open(path):
                return "raster"
    except RasterioIOError as error:
        raise LandCoverError(
            "not a land-cover map that GDAL can read",
            where=path.name,
            do="Use a GeoPackage, shapefile, file geodatabase or GeoTIFF",
        ) from error
