"""Where an MGRS tile lies, from its name alone: its square in UTM, and in degrees."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from benforge.core.bigearthnet import TileCorner
from benforge.errors import InputError

TILE = 109_800
"""Metres along a tile (fidelity rule 1)."""

_NAME = re.compile(r"(\d{2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
"""Letters of the columns of 100 km, in zones 3, 1, 2 and so on in turn."""
_ROWS = ("FGHJKLMNPQRSTUVABCDE", "ABCDEFGHJKLMNPQRSTUV")
"""Letters of the rows of 100 km from the equator, in even and in odd zones."""
_SQUARE, _CYCLE, _PIXEL = 100_000, 2_000_000, 60
_BESIDE, _BEYOND, _HIGH = 2, 2.0, 12
"""Zones to each side, and degrees of latitude, that a tile may reach into from its own; degrees of
the highest band of latitude."""
_DENSE = 8
"""Points along an edge of a square in degrees, where straight edges bend."""


def parse_tile(text: str) -> str:
    """A tile's name without the T that products write before it, "33UUP".

    Raises:
        InputError: no tile is called so.
    """
    name = text.strip().upper().removeprefix("T")
    corner_of(name)
    return name


@cache
def corner_of(tile: str) -> TileCorner:
    """The upper-left corner of a tile of the Sentinel-2 grid.

    The tile begins at the corner of its 100 km square, moved outward to a multiple of 60 m, the
    coarsest pixel, from the equator and from easting 0.

    Raises:
        InputError: no tile is called so.
    """
    match = _NAME.fullmatch(tile)
    zone = int(match[1]) if match else 0
    column = _COLUMNS[zone % 3].find(match[3]) + 1 if match else 0
    if match is None or not 1 <= zone <= 60 or not column:
        raise InputError("no tile is called so", where=tile, do="Names look like 33UUP")
    row = _ROWS[zone % 2].index(match[4])
    top = _northing(zone, row, _BANDS.index(match[2])) + _SQUARE
    south = match[2] < "N"
    equator = 5 * _CYCLE if south else 0
    return TileCorner(
        epsg=(32700 if south else 32600) + zone,
        ulx=column * _SQUARE // _PIXEL * _PIXEL,
        uly=equator - (equator - top) // _PIXEL * _PIXEL,
    )


def _northing(zone: int, row: int, band: int) -> int:
    """Northing of a square's lower edge: rows repeat every 2,000 km, the band tells which.

    South of the equator 10,000 km are added, as UTM does.
    """
    south = band < 10
    lat = 8 * band - 80 + 4
    to_degrees = _to_degrees((32700 if south else 32600) + zone)
    _, middle = to_degrees.transform(6 * zone - 183, lat, direction="INVERSE")
    first = row * _SQUARE
    turns = round((middle - _SQUARE / 2 - first) / _CYCLE)
    return int(first + turns * _CYCLE)


@cache
def _to_degrees(epsg: int) -> Transformer:
    """Slow to make, and needed for every tile of a zone."""
    return Transformer.from_crs(epsg, 4326, always_xy=True)


@cache
def square_of(tile: str) -> shapely.Polygon:
    """The ground of a tile in longitude and latitude, degrees.

    A tile that crosses the date line goes on beyond 180 degrees.

    Raises:
        InputError: no tile is called so.
    """
    corner = corner_of(tile)
    box = shapely.box(corner.ulx, corner.uly - TILE, corner.ulx + TILE, corner.uly)
    dense = shapely.segmentize(box, TILE / _DENSE)
    degrees = _to_degrees(corner.epsg)

    def turn(points: Any) -> Any:
        lon, lat = degrees.transform(points[:, 0], points[:, 1])
        near = 6 * int(tile[:2]) - 183
        return np.stack([(lon - near + 180) % 360 - 180 + near, lat], axis=-1)

    found: shapely.Polygon = shapely.transform(dense, turn)
    return found


@cache
def all_tiles() -> tuple[str, ...]:
    """The names of all tiles of the Sentinel-2 grid, sorted."""
    source = files("benforge.core") / "facts" / "sentinel-2-tiles.toml"
    facts: dict[str, str] = tomllib.loads(source.read_text(encoding="utf-8"))
    return tuple(
        f"{place}{column[0]}{row}"
        for place, columns in facts.items()
        for column in columns.split()
        for row in column[1:]
    )


def tiles_over(area: BaseGeometry) -> tuple[str, ...]:
    """The tiles of the Sentinel-2 grid whose ground meets an area, sorted.

    Args:
        area: in longitude and latitude.
    """
    shapely.prepare(area)
    west, south, east, north = area.bounds
    first, last = (int((degrees + 180) // 6) + 1 for degrees in (west, east))
    near = (
        tile
        for tile in all_tiles()
        if first - _BESIDE <= int(tile[:2]) <= last + _BESIDE
        and south - _BEYOND - _HIGH < 8 * _BANDS.index(tile[2]) - 80 < north + _BEYOND
    )
    return tuple(tile for tile in near if shapely.intersects(area, square_of(tile)))
