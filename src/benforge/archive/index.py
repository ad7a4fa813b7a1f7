"""`patches.parquet`: the rows of every scene as one GeoParquet file, made from the scenes alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from benforge.archive.files import write_atomic
from benforge.archive.layout import INDEX, MANIFEST, scene_names, scene_path
from benforge.archive.manifest import hash_file
from benforge.archive.meta import ArchiveMeta, SceneEntry, write_meta
from benforge.core.record import SCHEMA
from benforge.errors import ArchiveError

ORDER = [("scene", "ascending"), ("row", "ascending"), ("column", "ascending")]
ROW_GROUP = 65_536

_PLAIN = pa.schema(
    [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in SCHEMA]
)
"""Without dictionaries, whose order would depend on the order of the rows that come in."""


def write_index(root: Path, meta: ArchiveMeta) -> ArchiveMeta:
    """Make the index and the list of scenes from the scenes that are there.

    `patches.parquet` is replaced first, `archive.json` last: an archive that is cut off between
    the two is put right by the next call. The same scenes give the same bytes.

    Returns:
        The meta as written: `meta` with the scenes found.

    Raises:
        ArchiveError: a scene is damaged.
        StorageError: the disk is full.
    """
    names = scene_names(root)
    tables = [read_rows(scene_path(root, name) / INDEX) for name in names]
    write_atomic(root / INDEX, encode_rows(merge_rows(tables)))
    entries = [_entry(root, name, len(rows)) for name, rows in zip(names, tables, strict=True)]
    written = meta.with_scenes(tuple(entries))
    write_meta(root, written)
    return written


def _entry(root: Path, name: str, patches: int) -> SceneEntry:
    folder = scene_path(root, name)
    attributes = read_attributes(folder)
    try:
        provenance = attributes["provenance"]
        product, source = str(provenance["product"]), str(provenance["source"])
    except (KeyError, TypeError) as error:
        raise ArchiveError("the scene does not say its product", where=folder) from error
    digest = hash_file(folder / MANIFEST)
    return SceneEntry(name=name, product=product, source=source, patches=patches, manifest=digest)


def read_attributes(folder: Path) -> dict[str, Any]:
    """The attributes of a scene's Zarr group.

    Raises:
        ArchiveError: `zarr.json` is missing or damaged.
    """
    path = folder / "zarr.json"
    try:
        attributes: dict[str, Any] = json.loads(path.read_bytes())["attributes"]
    except (OSError, ValueError, KeyError) as error:
        raise ArchiveError("the scene's metadata cannot be read", where=path) from error
    return attributes


def merge_rows(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of these tables in one, sorted by scene, row and column."""
    plain = pa.concat_tables([_PLAIN.empty_table(), *(table.cast(_PLAIN) for table in tables)])
    return plain.sort_by(ORDER).combine_chunks().cast(SCHEMA)


def same_rows(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables hold equal rows in the same order."""
    return bool(one.cast(_PLAIN).equals(other.cast(_PLAIN)))


def encode_rows(table: pa.Table) -> bytes:
    """The bytes of a GeoParquet 1.1 file of these rows, in the order of the index.

    The CRS is left out, which GeoParquet defines as longitude and latitude (OGC:CRS84).
    """
    ordered = merge_rows([table])
    metadata = {"geo": json.dumps(_geo(ordered["geometry"]))}
    sink = pa.BufferOutputStream()
    pq.write_table(
        ordered.replace_schema_metadata(metadata),
        sink,
        compression="zstd",
        row_group_size=ROW_GROUP,
        store_decimal_as_integer=False,
    )
    return bytes(sink.getvalue())


def _geo(geometry: pa.ChunkedArray) -> dict[str, Any]:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Polygon"]}
    if len(geometry):
        shapes = _shapes(geometry)
        column["bbox"] = [float(value) for value in shapely.total_bounds(shapes)]
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _shapes(geometry: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """The footprints of a column.

    Raises:
        ArchiveError: one is not WKB.
    """
    try:
        found = shapely.from_wkb(geometry.to_numpy(zero_copy_only=False))
    except shapely.errors.GEOSException as error:
        raise ArchiveError("a footprint in the index is not WKB", do="Run: ben check") from error
    return np.asarray(found, object)


def read_rows(path: Path) -> pa.Table:
    """The rows of `patches.parquet`, of a scene or of the archive, as a table of `SCHEMA`.

    Raises:
        ArchiveError: the file is missing, damaged, or has other columns.
    """
    try:
        table = pq.read_table(path, partitioning=None)
        return table.select(SCHEMA.names).cast(SCHEMA)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise ArchiveError(
            f"the index cannot be read, {error}", where=path, do="See more with: ben check"
        ) from error
