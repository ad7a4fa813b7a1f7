"""What is read of a map of polygons, and what makes it unusable: told, never skipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyogrio
import pyogrio.raw
import pyproj
import shapely
from pyogrio.errors import CRSError, DataLayerError, DataSourceError

from benforge.core.grid import Bounds
from benforge.core.nomenclature import Nomenclature
from benforge.errors import LandCoverError
from benforge.labels.codes import number_classes

FEW = 50_000
"""Features of a map that is gone through as a whole when it is opened: a second at most."""

FARTHEST = 1e9
"""No place on Earth has a larger coordinate, in metres, feet or degrees."""

Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of a layer.

    Args:
        ids: `feature`.
        shapes: `feature`, of any kind, None where there is none.
        codes: `feature`, as the map writes them.
    """

    ids: npt.NDArray[np.int64]
    shapes: Shapes
    codes: npt.NDArray[Any]

    def take(self, which: npt.NDArray[np.bool_]) -> Features:
        """Some of the features."""
        return Features(self.ids[which], self.shapes[which], self.codes[which])

    def classes(self, nomenclature: Nomenclature, where: str) -> npt.NDArray[np.int64]:
        """`feature`: position among the nomenclature's ascending codes, -1 for no class.

        Raises:
            LandCoverError: a code that is unknown, or a shape without code.
        """
        codes = pa.array(self.codes, from_pandas=True).dictionary_encode()
        if (np.asarray(codes.is_null()) & ~self.lacks_shape).any():
            raise LandCoverError("a polygon has no code", where=where, do="Give it one, or 999")
        numbers = number_classes(codes.dictionary.to_pylist(), nomenclature, where)
        index: npt.NDArray[np.int64] = np.asarray(codes.indices.fill_null(len(numbers)))
        return np.asarray([*numbers, -1], np.int64)[index]

    @property
    def lacks_shape(self) -> npt.NDArray[np.bool_]:
        """`feature`: whether it has no shape, or an empty one."""
        lacks: npt.NDArray[np.bool_] = shapely.is_missing(self.shapes) | shapely.is_empty(
            self.shapes
        )
        return lacks


@contextmanager
def told_as_damage(where: str) -> Iterator[None]:
    """What GDAL raises of a file that it cannot read, as a `LandCoverError`."""
    try:
        yield
    except (CRSError, DataLayerError, DataSourceError, OSError) as error:
        raise LandCoverError(
            f"the map is damaged, it cannot be read ({error})",
            where=where,
            do="Get the file again",
        ) from error


def read_features(path: Path, layer: str, field: str, bounds: Bounds | None = None) -> Features:
    """The features that touch a box, or all.

    Feature by feature, as fast as in batches: GDAL's batches pass over a damaged page in silence.

    Raises:
        LandCoverError: the file or one of its shapes is damaged.
    """
    box = None if bounds is None else tuple(bounds)
    with told_as_damage(path.name):
        _, ids, wkb, (codes,) = pyogrio.raw.read(
            path, layer=layer, columns=[field], bbox=box, return_fids=True
        )
    try:
        with np.errstate(invalid="ignore"):  # `check_polygons` tells of coordinates that are none
            return Features(ids, shapely.from_wkb(wkb), codes)
    except shapely.errors.GEOSException as error:
        raise LandCoverError("a polygon cannot be read", where=path.name) from error


def check_lost(features: Features, classes: npt.NDArray[np.int64], where: str) -> None:
    """Raise where features have a class but no shape, which would leave a hole.

    Raises:
        LandCoverError: says how many there are and the id of the first.
    """
    lost = features.ids[features.lacks_shape & (classes >= 0)]
    if len(lost):
        raise LandCoverError(
            f"{len(lost)} of its features with a class have no shape, the first has id {lost[0]}",
            where=where,
            do="Remove them, or give them their polygons",
        )


def check_map(
    path: Path, info: Mapping[str, Any], field: str, crs: pyproj.CRS, nomenclature: Nomenclature
) -> None:
    """What can be told of a whole layer in a moment: coordinates, and features without a shape.

    The shapes are looked for where there is a GeoPackage with a spatial index, which lists
    those that there are, or where the layer has at most `FEW` features. In a larger map of
    another kind they may stay unseen: GDAL leaves them out when it reads a tile.

    Args:
        path: the map.
        info: of the layer, from pyogrio, with its number of features and its extent.
        field: of the codes.
        crs: the layer's.
        nomenclature: of the codes.

    Raises:
        LandCoverError: coordinates that no place has, or features with a class and no shape.
    """
    _check_extent(path, info, crs)
    with told_as_damage(path.name):
        indexed = _count_indexed(path, info)
    if indexed == info["features"]:
        return
    if indexed is not None:
        suspects = _not_indexed(path, info, field)
    elif info["features"] <= FEW:
        suspects = read_features(path, info["layer_name"], field)
    else:
        return
    suspects = suspects.take(suspects.lacks_shape)
    check_lost(suspects, suspects.classes(nomenclature, f"{path.name}, field {field}"), path.name)


def _check_extent(path: Path, info: Mapping[str, Any], crs: pyproj.CRS) -> None:
    """Raise where coordinates are absurd, or in metres but said to be degrees."""
    bounds = info["total_bounds"]
    if bounds is None or np.isnan(bounds).all():
        return
    if not (np.abs(bounds) <= FARTHEST).all():
        with told_as_damage(path.name):
            ids, boxes = pyogrio.read_bounds(path, layer=info["layer_name"])
        absurd = ~(np.abs(boxes) <= FARTHEST).all(axis=0) & ~np.isnan(boxes).all(axis=0)
        _raise_absurd(ids[absurd], path.name)
    elif crs.is_geographic and max(map(abs, bounds)) > 360:
        raise LandCoverError(
            f"its coordinates, up to {max(bounds):.0f}, are not degrees as its CRS says",
            where=path.name,
            do="Give the map the CRS that its coordinates are in",
        )


def _raise_absurd(ids: npt.NDArray[np.int64], where: str) -> None:
    if len(ids):
        raise LandCoverError(
            f"{len(ids)} of its polygons have coordinates that no place has, "
            f"the first has id {ids[0]}",
            where=where,
            do="Mend or remove them",
        )


def _count_indexed(path: Path, info: Mapping[str, Any]) -> int | None:
    """How many shapes the spatial index of a GeoPackage lists, None where there is none."""
    if info["driver"] != "GPKG":
        return None
    try:
        _, _, _, (count,) = pyogrio.raw.read(
            path,
            sql=f"SELECT count(*) AS n FROM {_index(info)}",  # noqa: S608 (quoted)
            read_geometry=False,
        )
    except (DataSourceError, DataLayerError):
        return None
    return int(count[0])


def _index(info: Mapping[str, Any]) -> str:
    """The table of a GeoPackage that holds the feature of each entry of the spatial index."""
    return _quoted(f"rtree_{info['layer_name']}_{info['geometry_name']}_rowid")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _not_indexed(path: Path, info: Mapping[str, Any], field: str) -> Features:
    """The features of a GeoPackage that its spatial index does not list."""
    key, code = _quoted(info["fid_column"]), _quoted(field)
    layer, index = _quoted(info["layer_name"]), _index(info)
    # Names are quoted, and the file is open for reading alone.
    sql = f"SELECT {key}, {code} FROM {layer} WHERE {key} NOT IN (SELECT rowid FROM {index})"  # noqa: S608
    with told_as_damage(path.name):
        _, ids, _, (codes,) = pyogrio.raw.read(path, sql=sql, read_geometry=False, return_fids=True)
    return Features(ids, np.full(len(ids), None), codes)


def check_polygons(features: Features, where: str) -> None:
    """Hold the shapes of features that have one to what labels can be made of.

    Raises:
        LandCoverError: one is not a polygon, or has coordinates that no place has.
    """
    kinds = set(np.unique(shapely.get_type_id(features.shapes)).tolist())
    if kinds - {shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON}:
        raise LandCoverError(
            "the map holds other shapes than polygons", where=where, do="Name a polygon layer"
        )
    points, owner = shapely.get_coordinates(features.shapes, return_index=True)
    absurd = ~(np.abs(points) <= FARTHEST).all(axis=1)
    _raise_absurd(features.ids[np.unique(owner[absurd])], where)


def repair(polygons: Shapes) -> tuple[Shapes, int]:
    """The polygons, made valid, and how many were not."""
    invalid = ~shapely.is_valid(polygons)
    if invalid.any():
        polygons = polygons.copy()
        polygons[invalid] = shapely.make_valid(
            polygons[invalid], method="structure", keep_collapsed=False
        )
    return polygons, int(invalid.sum())
