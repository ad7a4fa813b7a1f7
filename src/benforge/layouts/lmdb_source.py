"""From the community's LMDB of safetensors: its patches as the import sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.index import read_rows
from benforge.archive.layout import INDEX
from benforge.core.bigearthnet import EDGE
from benforge.core.identity import PatchId
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor, load_sensor
from benforge.errors import ArchiveError, BenError, InputError, MissingError
from benforge.layouts.importing import check_apart, import_patches
from benforge.layouts.lmdb_read import (
    MAP_SUFFIX,
    MAP_TENSOR,
    check_tensor,
    close_lmdb,
    parse_tensors,
    read_keys,
    read_tensor,
    value_of,
)
from benforge.layouts.port import ImportOptions, ImportSummary
from benforge.layouts.source import PatchPixels, SourcePatch
from benforge.layouts.v1_import import listed_product
from benforge.layouts.v1_names import V1Name
from benforge.layouts.v1_read import product_text
from benforge.layouts.v2_corner import Corner, known_corner
from benforge.layouts.v2_layout import METADATA, parse_v2_name
from benforge.layouts.v2_rows import (
    SortedNames,
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
from benforge.layouts.v2_source import MAP_PIXEL_SIZE, describe_row
from benforge.published.lists import PublishedLists

_PAGE = 4096
"""Bytes of a value that tell it from others: its header, and the pixels of B01."""


def import_lmdb(
    source: Path,
    out: Path,
    options: ImportOptions | None = None,
    progress: Progress = silent,
) -> ImportSummary:
    """Import the patches of an LMDB of safetensors into an archive of profile ben-v2.

    `importing.import_patches` says how, and what it raises. An LMDB holds neither labels nor
    geometry: labels come from v2's metadata, or from the reference maps where there is none;
    corners from the names, as the tiles' corners are known. Sentinel-1 is passed over.

    Args:
        source: the folder that holds `data.mdb`, or an LMDB that is one file.
        out: the archive's folder.
        options: how.
        progress: told how many patches are done.

    Raises:
        InputError: it holds something else than BigEarthNet, or pickles.
        MissingError: there are neither metadata nor reference maps.
    """
    options = options or ImportOptions()
    if source.is_dir():
        check_apart(source, out)
    beside = [source, source.absolute().parent] if source.is_dir() else [source.absolute().parent]
    lists = find_v2_lists(options.metadata, *beside)
    try:
        index = source / INDEX if (source / INDEX).is_file() else None
        found = LmdbSource(source, lists, _has_maps(source), index, read_simulated(lists))
        if not found.maps and not lists.has("v2"):
            raise missing_metadata(source)
        v1 = any(V1Name.matches(key) for key in found.list())
        return import_patches(found, out, options, lists if v1 else only_v2(lists), progress)
    finally:
        close_lmdb(source)


def _has_maps(path: Path) -> bool:
    return any(key.endswith(MAP_SUFFIX) for key in read_keys(path))


@dataclass(frozen=True, slots=True)
class LmdbSource:
    """The patches of an LMDB, as the import sees them; it is opened in each process that reads.

    Args:
        path: the folder or file.
        lists: the published lists; of them the metadata, products and geometry are used.
        maps: whether it holds reference maps.
        index: rows of an archive that lie beside it, with corners; None where there are none.
        simulated: products that an export of benforge marked as simulated.
    """

    path: Path
    lists: PublishedLists
    maps: bool
    index: Path | None = None
    simulated: frozenset[str] = frozenset()
    layout: str = "lmdb"
    profile: str = "ben-v2"
    nomenclature: str = "ben-19"

    @property
    def paths(self) -> Sequence[Path]:
        """What a process must see that reads it."""
        return (self.path, *self.lists.files.values())

    def list(self) -> list[str]:
        """The keys of its Sentinel-2 patches, sorted.

        Raises:
            InputError: there is none, or a stranger among them.
        """
        names = []
        for key in read_keys(self.path):
            if key.startswith("S1") or key.endswith(MAP_SUFFIX):
                continue
            if not V1Name.matches(key) and not _is_v2_name(key):
                raise InputError(
                    f"the key {key[:80]!r} is not the name of a BigEarthNet patch",
                    where=self.path,
                    do="Import an LMDB that rico-hdl encoded from BigEarthNet",
                )
            names.append(key)
        if not names:
            raise InputError("the LMDB holds no Sentinel-2 patch", where=self.path)
        return names

    def describe(self, name: str) -> SourcePatch:
        """What the name, the metadata and the header of the value say.

        Raises:
            InputError: a name that is none or that the metadata does not hold, or a pickle.
            ArchiveError: the value is damaged, or lacks a band.
        """
        contents = self._contents(name)
        patch, row = self._identify(name)
        return describe_row(
            row,
            patch,
            where=self.path,
            corner=self._corner(patch, row, name),
            contents=contents,
            name=name,
            simulated=patch.product in self.simulated,
        )

    def read(self, patch: SourcePatch, sensor: Sensor) -> PatchPixels:
        """The bands of one value, copied, and its reference map.

        Raises:
            ArchiveError: the value is damaged, or lacks a band.
        """
        where = self._where(patch.name)
        with value_of(self.path, patch.name) as value:
            if value is None:
                raise ArchiveError("the LMDB lost this key since it was listed", where=where)
            plan, start = parse_tensors(value, where)
            bands = {
                size: np.stack(
                    [
                        read_tensor(value, plan, start, band.name, EDGE // size, where)
                        for band in sensor.bands_at(size)
                    ]
                )
                for size in sensor.pixel_sizes
            }
        return PatchPixels(bands, self._map(patch.name) if self.maps else None)

    def _contents(self, name: str) -> bytes:
        """Length and first page of a value whose bands are all there."""
        where = self._where(name)
        with value_of(self.path, name) as value:
            if value is None:
                raise InputError("the LMDB has no such key", where=where)
            plan, _ = parse_tensors(value, where)
            for band in load_sensor().patch_bands:
                check_tensor(plan, band.name, EDGE // band.pixel_size, where)
            return f"{len(value)}\n".encode() + bytes(value[:_PAGE])

    def _identify(self, name: str) -> tuple[PatchId, V2Row]:
        """The product and place of a patch, and what is known of it."""
        if not V1Name.matches(name):
            patch = parse_v2_name(name)
            return patch, self._row(name, v1=False)
        row = self._row(name, v1=True)
        v1 = V1Name.parse(name)
        source = listed_product(self.lists, name)
        product = product_text(source) if source else PatchId.parse(row.patch_id).product
        return parse_v2_name(f"{product}_{v1.column:02d}_{v1.row:02d}"), row

    def _row(self, name: str, *, v1: bool) -> V2Row:
        if not self.lists.has("v2"):
            if v1:
                raise MissingError(
                    f"only {METADATA} tells which product {name} is of",
                    where=self.path,
                    do=f"Give the folder that holds {METADATA} with --metadata",
                )
            return V2Row(name, labels_of_map(self._map(name)))
        rows = read_v2_rows(self.lists)
        row = rows.by_v1(name) if v1 else rows.by_id(name)
        if row is None:
            raise unnamed(name, self.path)
        return row

    def _corner(self, patch: PatchId, row: V2Row, name: str) -> Corner:
        """From the index beside, the tile, or the published geometry, whichever knows first."""
        corner = _index(self.index).find(str(patch)) if self.index else None
        corner = corner or known_corner(patch)
        if corner is None and self.lists.has("geometry"):
            corner = _published(self.lists.files["geometry"]).find(row.v1_name or name)
        if corner is None:
            raise InputError(
                f"where the tile {patch.tile} begins is not known, and an LMDB does not tell",
                where=self._where(name),
                do="Give the folder that holds patch_geometry.parquet with --metadata",
            )
        return corner

    def _map(self, name: str) -> npt.NDArray[np.uint16]:
        key = f"{name}{MAP_SUFFIX}"
        where = self._where(key)
        with value_of(self.path, key) as value:
            if value is None:
                raise MissingError(
                    "the reference map is missing", where=where, do="Encode the archive again"
                )
            plan, start = parse_tensors(value, where)
            edge = EDGE // MAP_PIXEL_SIZE
            return check_map(read_tensor(value, plan, start, MAP_TENSOR, edge, where).copy(), where)

    def _where(self, key: str) -> str:
        return f"{self.path}: {key}"


def _is_v2_name(key: str) -> bool:
    try:
        parse_v2_name(key)
    except BenError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Corners of patches in a table, by name."""

    names: SortedNames
    table: pa.Table

    def find(self, name: str) -> Corner | None:
        place = self.names.find(name)
        if place is None:
            return None
        crs, ulx, uly = (self.table[column][place].as_py() for column in ("crs", "ulx", "uly"))
        return crs, float(ulx), float(uly)


@lru_cache(maxsize=1)
def _index(path: Path) -> _Geometry:
    """The rows of the index that an export of benforge leaves beside its LMDB, by patch id."""
    table = read_rows(path)
    return _Geometry(SortedNames.of(table["patch_id"]), table.select(["crs", "ulx", "uly"]))


@lru_cache(maxsize=1)
def _published(path: Path) -> _Geometry:
    """The published corners, by v1 name."""
    table = PublishedLists({"geometry": path}).geometry()
    crs = pc.binary_join_element_wise("EPSG", table["epsg"].cast(pa.string()), ":")
    return _Geometry(SortedNames.of(table["v1_name"]), table.append_column("crs", crs))
