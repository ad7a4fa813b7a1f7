"""Where the tiles of v2 patches begin: facts of BigEarthNet's 56, and files of all others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import rasterio
from rasterio.errors import RasterioIOError

from benforge.core.bigearthnet import EDGE, load_bigearthnet
from benforge.core.identity import PatchId
from benforge.errors import ArchiveError, MissingError
from benforge.layouts.v1_names import parse_projection

Corner = tuple[str, float, float]
"""CRS, easting and northing of an upper-left corner, m."""


@cache
def _tiles() -> Mapping[str, Corner]:
    return {
        tile: (f"EPSG:{c.epsg}", c.ulx, c.uly) for tile, c in load_bigearthnet().corners.items()
    }


def known_corner(patch: PatchId) -> Corner | None:
    """The corner of a patch on one of BigEarthNet's tiles (fidelity 2); None on another tile."""
    tile = _tiles().get(patch.tile)
    if tile is None:
        return None
    crs, ulx, uly = tile
    return crs, ulx + EDGE * patch.column, uly - EDGE * patch.row


def read_corner(path: Path) -> Corner:
    """The corner that a GeoTIFF tells.

    Raises:
        MissingError: there is no such file.
        ArchiveError: it is corrupt, or tells none.
    """
    if not path.is_file():
        raise MissingError(
            "the file is missing", where=path, do="Copy the whole patch folder again"
        )
    try:
        with (
            rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
            rasterio.open(path, driver="GTiff") as source,
        ):
            text = source.crs.to_wkt() if source.crs else ""
            return parse_projection(text), float(source.transform.c), float(source.transform.f)
    except (RasterioIOError, ValueError) as error:
        raise ArchiveError(
            "the GeoTIFF is corrupt or lies nowhere", where=path, do="Copy the patch folder again"
        ) from error
