"""From the published v2 layout: its folders as the import sees them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.core.bigearthnet import EDGE
from benforge.core.grid import Grid
from benforge.core.identity import PatchId
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor, load_sensor
from benforge.errors import InputError, MissingError
from benforge.layouts.geotiff import read_geotiff
from benforge.layouts.importing import check_apart, import_patches
from benforge.layouts.port import ImportOptions, ImportSummary
from benforge.layouts.scene_import import SIMULATED
from benforge.layouts.source import PatchPixels, SourcePatch
from benforge.layouts.v2_corner import Corner, known_corner, read_corner
from benforge.layouts.v2_layout import (
    V2Folders,
    list_v2_patches,
    map_path,
    parse_product,
    parse_v2_name,
)
from benforge.layouts.v2_metadata import S1_NAME
from benforge.layouts.v2_rows import (
    V2Row,
    check_map,
    find_v2_lists,
    labels_of_map,
    missing_metadata,
    only_v2,
    read_simulated,
    read_v2_rows,
    unnamed,
)
from benforge.published.lists import PublishedLists

MAP_PIXEL_SIZE = 10
"""Reference maps have pixels of 10 m."""


def import_v2(
    source: Path,
    out: Path,
    options: ImportOptions | None = None,
    progress: Progress = silent,
) -> ImportSummary:
    """Import patches of the published v2 layout into an archive of profile ben-v2.

    `importing.import_patches` says how, and what it raises. Labels, countries and the names of
    the Sentinel-1 patches come from the metadata; without any, labels come from the reference
    maps. Reference maps come along where they lie beside the patches.

    Args:
        source: the folder that holds BigEarthNet-S2, or that folder itself.
        out: the archive's folder.
        options: how.
        progress: told how many patches are done.

    Raises:
        MissingError: there are neither metadata nor reference maps, or a file is missing.
    """
    options = options or ImportOptions()
    folders = V2Folders.find(source)
    check_apart(folders.pixels, out)
    lists = find_v2_lists(options.metadata, folders.root)
    if folders.maps is None and not lists.has("v2"):
        raise missing_metadata(folders.root)
    found = V2Source(folders, lists, read_simulated(lists))
    return import_patches(found, out, options, only_v2(lists), progress)


@dataclass(frozen=True, slots=True)
class V2Source:
    """The folders of a v2 archive, as the import sees them.

    Args:
        folders: where pixels and reference maps lie.
        lists: the published lists; of them the metadata is used.
        simulated: products that an export of benforge marked as simulated.
    """

    folders: V2Folders
    lists: PublishedLists
    simulated: frozenset[str] = frozenset()
    layout: str = "v2"
    profile: str = "ben-v2"
    nomenclature: str = "ben-19"

    @property
    def paths(self) -> Sequence[Path]:
        """What a process must see that reads it."""
        return (self.folders.root, *self.lists.files.values())

    def list(self) -> list[str]:
        """The names of the patch folders, sorted."""
        return list_v2_patches(self.folders.pixels)

    def describe(self, name: str) -> SourcePatch:
        """What names, metadata and sizes of files say.

        Raises:
            InputError: a name that is none, or one that the metadata does not hold.
            MissingError: a band or the reference map is missing.
            ArchiveError: a file that has to be read is corrupt.
        """
        patch = parse_v2_name(name)
        folder = self.folders.patch(patch)
        sizes = self._sizes(patch, folder)
        crs, ulx, uly = known_corner(patch) or read_corner(folder / f"{name}_B02.tif")
        row = self._row(patch, (crs, ulx, uly), folder)
        return describe_row(
            row,
            patch,
            where=folder,
            corner=(crs, ulx, uly),
            contents="".join(f"{file} {size}\n" for file, size in sizes.items()).encode(),
            simulated=patch.product in self.simulated,
        )

    def read(self, patch: SourcePatch, sensor: Sensor) -> PatchPixels:
        """The pixels of its twelve GeoTIFFs, and its reference map.

        Raises:
            MissingError: a file is missing.
            ArchiveError: a GeoTIFF is corrupt, or of another size, type, CRS or corner.
        """
        corner = patch.crs, patch.ulx, patch.uly
        bands = {}
        for size in sensor.pixel_sizes:
            grid, paths = _grid(corner, size), _band_paths(patch.where, sensor, size)
            bands[size] = np.stack([read_geotiff(path, grid) for path in paths])
        key = PatchId(patch.product, patch.column, patch.row)
        return PatchPixels(bands, self._map(key, corner) if self.folders.maps else None)

    def _sizes(self, patch: PatchId, folder: Path) -> Mapping[str, int]:
        """Name and size of every file of a patch."""
        try:
            with os.scandir(folder) as entries:
                found = {entry.name: entry.stat().st_size for entry in entries}
        except OSError as error:
            raise InputError(f"cannot be read, {error.strerror}", where=folder) from error
        bands = [f"{patch}_{band.name}.tif" for band in load_sensor().patch_bands]
        for band in bands:
            if band not in found:
                raise MissingError(
                    "the file is missing",
                    where=folder / band,
                    do="Copy the whole patch folder again",
                )
        sizes = {band: found[band] for band in bands}
        if self.folders.maps:
            path = map_path(self.folders.maps, patch)
            sizes[path.name] = _map_size(path)
        return sizes

    def _row(self, patch: PatchId, corner: Corner, where: Path) -> V2Row:
        if self.lists.has("v2"):
            row = read_v2_rows(self.lists).by_id(str(patch))
            if row is None:
                raise unnamed(str(patch), where)
            return row
        return V2Row(str(patch), labels_of_map(self._map(patch, corner)))

    def _map(self, patch: PatchId, corner: Corner) -> npt.NDArray[np.uint16]:
        if self.folders.maps is None:
            raise missing_metadata(self.folders.root)
        path = map_path(self.folders.maps, patch)
        return check_map(read_geotiff(path, _grid(corner, MAP_PIXEL_SIZE)), path)


def _band_paths(folder: Path, sensor: Sensor, pixel_size: int) -> list[str]:
    """The files of the bands of one pixel size, in the sensor's order; texts, which are quicker."""
    begin = f"{folder}{os.sep}{folder.name}_"
    return [f"{begin}{band.name}.tif" for band in sensor.bands_at(pixel_size)]


def describe_row(
    row: V2Row,
    patch: PatchId,
    *,
    where: Path,
    corner: Corner,
    contents: bytes,
    name: str = "",
    simulated: bool = False,
) -> SourcePatch:
    """A patch as its row in the metadata and its place describe it.

    Args:
        row: what the metadata says.
        patch: product, column and row.
        where: its folder or file.
        corner: of the patch.
        contents: what tells its pixels from others, for the fingerprint.
        name: its name in the layout, where that is not the patch id.
        simulated: whether it is.

    Raises:
        InputError: the product's time is none.
    """
    crs, ulx, uly = corner
    kept: dict[str, Any] = {S1_NAME: row.s1_name} if row.s1_name else {}
    return SourcePatch(
        name=name or str(patch),
        where=where,
        product=patch.product,
        column=patch.column,
        row=patch.row,
        crs=crs,
        ulx=ulx,
        uly=uly,
        source=patch.product,
        sensing_time=parse_product(patch.product).sensing_time,
        v1_name=row.v1_name,
        labels=row.labels,
        country=row.country,
        kept=kept | ({SIMULATED: True} if simulated else {}),
        fingerprint=_fingerprint(row, contents),
    )


def _fingerprint(row: V2Row, contents: bytes) -> bytes:
    return hashlib.sha256(msgspec.json.encode(row) + contents).digest()


def _map_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise MissingError(
            "the reference map is missing",
            where=path,
            do="Unpack all reference maps, or move their folder away to import without them",
        ) from error


def _grid(corner: Corner, pixel_size: int) -> Grid:
    edge = EDGE // pixel_size
    return Grid(*corner, pixel_size, edge, edge)
