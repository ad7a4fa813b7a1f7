"""`patches.parquet`: the rows of every scene as one GeoParquet file, made from the scenes alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from benforge.archive.layout import INDEX, scene_names, scene_path
from benforge.archive.manifest import hash_manifest
from benforge.archive.meta import ArchiveMeta, SceneEntry, write_meta
from benforge.core.files import write_atomic
from benforge.core.object_path import readable
from benforge.core.record import SCHEMA, number_texts
from benforge.errors import ArchiveError

ROW_GROUP = 65_536

_PLAIN = pa.schema(
    [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in SCHEMA]
)
"""Without dictionaries, whose order would depend on the order of the rows that come in."""


class _Kept(msgspec.Struct):
    """Published JSON values that an import keeps beside the rows."""

    key: str
    value: Any
    patches: list[str]


class _Provenance(msgspec.Struct):
    """The types of what is read again of a scene's provenance; it may hold more."""

    product: str
    source: str
    level: str = ""
    baseline: str = ""
    simulated: bool = False
    imported: str = ""
    inputs: dict[str, Any] = {}
    kept: list[_Kept] = []
    left_out: list[str] = []


def missing_scenes(root: Path, meta: ArchiveMeta, planned: Collection[str]) -> frozenset[str]:
    """The scenes that `archive.json` lists, whose folders are missing, and that will be built anew.

    Args:
        root: the archive's folder.
        meta: what `archive.json` says.
        planned: the scenes to be built or imported.

    Raises:
        ArchiveError: a missing scene is not planned; it would be lost without a word.
    """
    missing = {scene.name for scene in meta.scenes} - set(scene_names(root))
    if lost := sorted(missing - set(planned)):
        raise ArchiveError(
            "the scene is missing",
            where=scene_path(root, lost[0]),
            do="Restore its folder, or name its input too to build it again; "
            "to do without it, take it out of archive.json",
        )
    return frozenset(missing)


def write_index(root: Path, meta: ArchiveMeta, anew: Collection[str] = ()) -> ArchiveMeta:
    """Make the index and the list of scenes from the scenes that are there.

    `patches.parquet` is replaced first, `archive.json` last: an archive that is cut off between
    the two is put right by the next call. The same scenes give the same bytes.

    Args:
        root: the archive's folder.
        meta: what `archive.json` says, with the scenes it lists.
        anew: scenes built anew, as `missing_scenes` gave them: their old checksums are void.

    Returns:
        The meta as written: `meta` with the scenes found, simulated if one of them is.

    Raises:
        ArchiveError: a scene is damaged, or one that `meta` lists is missing or is not the one
            listed; nothing is written then.
        StorageError: the disk is full.
    """
    missing_scenes(root, meta, ())
    names = scene_names(root)
    facts = [read_provenance(scene_path(root, name)) for name in names]
    tables = [read_rows(scene_path(root, name) / INDEX) for name in names]
    entries = [
        _entry(root, name, told, len(rows))
        for name, told, rows in zip(names, facts, tables, strict=True)
    ]
    _check_recorded(root, entries, [scene for scene in meta.scenes if scene.name not in anew])
    write_atomic(root / INDEX, encode_rows(merge_rows(tables)))
    simulated = any(told.get("simulated", False) for told in facts)
    written = msgspec.structs.replace(meta, scenes=tuple(entries), simulated=simulated)
    write_meta(root, written)
    return written


def find_scene(root: Path, name: str, inputs: Mapping[str, Any]) -> SceneEntry | None:
    """The scene of this name where it is there, made from these inputs; else None.

    A worker asks that is given a task again, as another was lost that did it.
    """
    folder = scene_path(root, name)
    if not folder.is_dir():
        return None
    told = read_provenance(folder)
    if told.get("inputs") != inputs:
        return None
    return _entry(root, name, told, len(read_rows(folder / INDEX)))


def _entry(root: Path, name: str, provenance: Mapping[str, Any], patches: int) -> SceneEntry:
    return SceneEntry(
        name=name,
        product=provenance["product"],
        source=provenance["source"],
        patches=patches,
        manifest=hash_manifest(scene_path(root, name)),
    )


def _check_recorded(
    root: Path, entries: Iterable[SceneEntry], recorded: Iterable[SceneEntry]
) -> None:
    """Raise where the checksums of a scene were rewritten since `archive.json` recorded them."""
    known = {scene.name: scene.manifest for scene in recorded}
    for entry in entries:
        if known.get(entry.name, entry.manifest) != entry.manifest:
            raise ArchiveError(
                "the scene's checksums are not those recorded in archive.json",
                where=scene_path(root, entry.name),
                do="See what is damaged with: ben check; to build the scene again, "
                "remove its folder first",
            )


def read_attributes(folder: Path) -> dict[str, Any]:
    """The attributes of a scene's Zarr group.

    Raises:
        ArchiveError: `zarr.json` is missing or damaged.
    """
    path = folder / "zarr.json"
    try:
        return msgspec.convert(json.loads(path.read_bytes())["attributes"], dict[str, Any])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveError("the scene's metadata cannot be read", where=path) from error


def read_provenance(folder: Path) -> dict[str, Any]:
    """What a scene was made from, as it was written with the scene.

    Returns:
        At least "product" and "source", texts; "level" and "baseline" are texts, "simulated" is a
        truth value and "inputs" a mapping, where they are there.

    Raises:
        ArchiveError: the scene does not say it, or it is the scene of another folder.
    """
    told = read_attributes(folder).get("provenance", {})
    try:
        product = msgspec.convert(told, _Provenance).product
    except msgspec.ValidationError as error:
        raise ArchiveError(f"the provenance cannot be read, {error}", where=folder) from error
    if product != folder.stem:
        raise ArchiveError(
            f"the folder holds the scene {product}",
            where=folder,
            do=f"Name it {product}.zarr again, or remove it if that one is there too",
        )
    return dict(told)


def merge_rows(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of these tables in one, sorted by scene, row and column.

    Tables that are sorted, and each of scenes of its own, are not copied.
    """
    whole = (table.cast(SCHEMA) for table in tables if len(table))
    each = sorted(map(_sorted, whole), key=_first_scene)
    return _sorted(pa.concat_tables([SCHEMA.empty_table(), *each]))


def _first_scene(table: pa.Table) -> str:
    return str(table["scene"][0].as_py())


def _sorted(table: pa.Table) -> pa.Table:
    names, scene = number_texts(table["scene"])
    rank = np.argsort(np.argsort(np.array(names, object)))[scene] if names else scene
    order = np.lexsort([np.asarray(table["column"]), np.asarray(table["row"]), rank])
    if (order[:-1] < order[1:]).all():
        return table
    return table.combine_chunks().take(pa.array(order))


def _groups(table: pa.Table) -> Iterator[pa.Table]:
    """The rows as they lie in row groups: whatever came in, texts are numbered as they occur."""
    for start in range(0, max(1, len(table)), ROW_GROUP):
        yield table.slice(start, ROW_GROUP).cast(_PLAIN).combine_chunks()


def same_rows(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables hold equal rows in the same order."""
    pairs = zip(_groups(one), _groups(other), strict=False)
    return len(one) == len(other) and all(a.equals(b) for a, b in pairs)


def encode_rows(table: pa.Table) -> bytes:
    """The bytes of a GeoParquet 1.1 file of these rows, in the order of the index.

    The CRS is left out, which GeoParquet defines as longitude and latitude (OGC:CRS84). A group of
    rows is encoded at a time, and equal rows give equal bytes.
    """
    ordered = merge_rows([table])
    schema = SCHEMA.with_metadata({"geo": json.dumps(_geo(ordered["geometry"]))})
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd", store_decimal_as_integer=False) as file:
        for group in _groups(ordered):
            file.write_table(group.cast(schema), row_group_size=ROW_GROUP)
    return bytes(sink.getvalue())


def _geo(geometry: pa.ChunkedArray) -> dict[str, Any]:
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Polygon"]}
    if len(geometry):
        parts = (geometry.slice(i, ROW_GROUP) for i in range(0, len(geometry), ROW_GROUP))
        bounds = np.array([shapely.total_bounds(_shapes(part)) for part in parts])
        ends = [*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)]
        column["bbox"] = [float(value) for value in ends]
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
    if not path.is_file():
        raise _unreadable("is a folder" if path.is_dir() else "is missing", path)
    try:
        table = pq.read_table(readable(path), partitioning=None)
        return table.select(SCHEMA.names).cast(SCHEMA)
    except KeyError as error:
        lacking = sorted(set(SCHEMA.names) - set(table.column_names))
        raise _unreadable(f"has no column {', '.join(lacking)}", path) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        said = str(error).partition("\n")[0].rpartition(f"'{path}': ")[2]
        reason = said.partition(". ")[0].rstrip(".")
        raise _unreadable(f"cannot be read, {reason}", path) from error


def _unreadable(what: str, path: Path) -> ArchiveError:
    return ArchiveError(f"the index {what}", where=path, do="See more with: ben check")
