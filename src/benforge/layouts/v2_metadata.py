"""The table that BigEarthNet v2 publishes as `metadata.parquet`, of the patches of any archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benforge.archive.archive import Archive
from benforge.archive.index import read_provenance
from benforge.archive.layout import scene_path
from benforge.archive.sidecars import published_flags, published_split
from benforge.core.files import write_atomic
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.core.nomenclature import Nomenclature, load_crosswalk, load_nomenclature
from benforge.core.split import Split
from benforge.errors import ArchiveError, InputError
from benforge.layouts.v2_layout import FLAGGED, METADATA, SIMULATED_KEY
from benforge.published.lists import V2_SCHEMA

S1_NAME = "s1_name"
"""Key of the published Sentinel-1 name among the values that an import keeps."""


class _Kept(msgspec.Struct):
    """A published value that an import keeps in a scene's provenance, with the patches of it."""

    key: str
    value: object
    patches: list[str]


def v2_metadata(archive: Archive, split: Split | None) -> pa.Table:
    """What `metadata.parquet` of BigEarthNet v2 says of the patches of an archive.

    Labels are those of `ben-19`, alphabetical as published: labels of CLC classes go over the
    crosswalk, where one class may stand for several and some classes for none; labels of another
    nomenclature stay as they are. Snow and cloud are those of the flags "published"; without such
    flags no patch has either, as the readers of this table want a truth value.

    Args:
        archive: its patches, one row each, in their order.
        split: gives the parts; where None, the split "published" of the archive, if it has one.

    Returns:
        A table of `published.lists.V2_SCHEMA`; `split` is null for patches that no part holds,
        `country` and the names are null where the archive does not know them.

    Raises:
        ArchiveError: flags, split or a scene's provenance are damaged.
        InputError: a label that the archive's nomenclature does not have.
    """
    index = archive.index
    told = split or published_split(archive.root)
    parts = told.assign(index["patch_id"]) if told else pa.nulls(len(index), pa.string())
    snow, cloud = _marks(archive)
    columns = [
        index["patch_id"],
        _ben_19_labels(index["labels"], archive.meta.nomenclature),
        parts,
        index["country"],
        _s1_names(archive),
        index["v1_name"],
        pa.array(snow),
        pa.array(cloud),
    ]
    typed = [pc.cast(c, f.type) for c, f in zip(columns, V2_SCHEMA, strict=True)]
    return pa.Table.from_arrays(typed, schema=V2_SCHEMA).combine_chunks()


def write_v2_metadata(out: Path, table: pa.Table, simulated: Sequence[str]) -> None:
    """Write the rows sorted by patch, as published: flagged patches into a file of their own.

    `metadata.parquet` is last: where it is, the export is whole. Both are written though one be
    empty, as readers open both.

    Args:
        out: the folder.
        table: of `v2_metadata`.
        simulated: the products that are simulated; told beside the columns, where it is no harm.

    Raises:
        StorageError: the disk is full.
    """
    ordered = table.sort_by("patch_id")
    if simulated:
        ordered = ordered.replace_schema_metadata({SIMULATED_KEY: msgspec.json.encode(simulated)})
    flagged = pc.or_(ordered["contains_seasonal_snow"], ordered["contains_cloud_or_shadow"])
    for name, mask in ((FLAGGED, flagged), (METADATA, pc.invert(flagged))):
        sink = pa.BufferOutputStream()
        pq.write_table(ordered.filter(mask), sink, compression="zstd")
        write_atomic(out / name, bytes(sink.getvalue()))


def simulated_products(archive: Archive) -> list[str]:
    """The products of the archive's patches that are simulated, sorted.

    Raises:
        ArchiveError: a scene's provenance is damaged.
    """
    scenes = sorted(archive.index["scene"].unique().to_pylist())
    told = (read_provenance(scene_path(archive.root, scene)) for scene in scenes)
    return [one["product"] for one in told if one.get("simulated", False)]


def metadata_notes(
    archive: Archive, table: pa.Table, split: Split | None, simulated: Sequence[str]
) -> Iterator[str]:
    """What the metadata could not take along, a sentence each; arguments as above."""
    if simulated:
        yield f"Patches are simulated; of readers of {METADATA}, only benforge sees that."
    empty = int(pc.sum(pc.equal(pc.list_value_length(table["labels"]), 0)).as_py() or 0)
    if empty:
        yield f"{empty:,} patches have no label of ben-19."
    labels = archive.meta.nomenclature
    if labels.names != load_nomenclature("ben-19").names and speaks_ben_19(labels):
        yield f"Labels of {labels.name} were brought to ben-19."
    if not speaks_ben_19(labels):
        yield f"Labels are of {archive.meta.nomenclature.name}, where v2 has those of ben-19."
    if published_flags(archive.root) is None:
        yield "The archive has no flags called published: no patch is marked as snow or cloud."
    if split is None and published_split(archive.root) is None:
        yield "The archive has no split called published: the column split is empty."


def speaks_ben_19(nomenclature: Nomenclature) -> bool:
    """Whether labels of this nomenclature are of `ben-19`, or have a way there."""
    return set(nomenclature.names) <= set(_classes_of_ben_19())


def _marks(archive: Archive) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether each patch is marked as snow, and as cloud or shadow."""
    flags, ids = published_flags(archive.root), archive.index["patch_id"]
    if flags is None:
        none = np.zeros(len(archive), np.bool_)
        return none, none
    return flags.marked(ids, [SEASONAL_SNOW]), flags.marked(ids, [CLOUD_OR_SHADOW])


def _classes_of_ben_19() -> dict[str, str | None]:
    """Name of a class of `ben-19` or CLC, in any spelling, to the name in `ben-19`, None: dropped.

    No name of CLC is a class of `ben-19` that means something else.
    """
    target, crosswalk = load_nomenclature("ben-19"), load_crosswalk("ben-19")
    names: dict[str, str | None] = {}
    for nomenclature in (load_nomenclature("clc-44"), load_nomenclature("clc-43")):
        for one in nomenclature.classes:
            code = crosswalk(one.code)
            goal = target.by_code(code).name if code is not None else None
            names |= dict.fromkeys((one.name, *one.aliases), goal)
    for one in target.classes:
        names |= dict.fromkeys((one.name, *one.aliases), one.name)
    return names


def _ben_19_labels(labels: pa.ChunkedArray, nomenclature: Nomenclature) -> pa.Array:
    """The label lists in `ben-19`, each name once, alphabetical; as they are in other systems.

    Raises:
        InputError: a label that the nomenclature does not have.
    """
    lists = labels.combine_chunks()
    named = pc.list_flatten(lists).dictionary_encode()
    if not speaks_ben_19(nomenclature):
        return lists
    ways = _classes_of_ben_19()
    if unknown := sorted(set(named.dictionary.to_pylist()) - set(ways)):
        raise InputError(f"no class is called {unknown[0]!r}", where=nomenclature.name)
    names = sorted(load_nomenclature("ben-19").names)
    goals = (ways[name] for name in named.dictionary.to_pylist())
    rank = np.array([-1 if goal is None else names.index(goal) for goal in goals], np.int64)
    codes = rank[named.indices.to_numpy()] if len(named) else np.empty(0, np.int64)
    patches = pc.list_parent_indices(lists).to_numpy()[codes >= 0]
    pairs = np.unique(patches * len(names) + codes[codes >= 0])
    offsets = np.searchsorted(pairs, np.arange(len(lists) + 1) * len(names)).astype(np.int32)
    values = pa.DictionaryArray.from_arrays(pa.array(pairs % len(names)), pa.array(names))
    return pa.ListArray.from_arrays(pa.array(offsets), values.cast(pa.string()))


def _s1_names(archive: Archive) -> pa.Array:
    """The name of the Sentinel-1 patch of each patch, as an import kept it, else null."""
    scenes = archive.index["scene"].unique().to_pylist()
    pairs = [pair for scene in scenes for pair in _kept_s1_names(scene_path(archive.root, scene))]
    known = pa.array([name for name, _ in pairs], pa.string())
    values = pa.array([value for _, value in pairs], pa.string())
    by_id = pc.index_in(archive.index["patch_id"], known)
    by_v1 = pc.index_in(archive.index["v1_name"], known, skip_nulls=True)
    return pc.take(values, pc.coalesce(by_id, by_v1))


def _kept_s1_names(scene: Path) -> Iterator[tuple[str, str]]:
    """Name of a patch in the layout it came from, and of its Sentinel-1 patch.

    Raises:
        ArchiveError: the provenance is damaged.
    """
    told = read_provenance(scene).get("kept", [])
    try:
        kept = msgspec.convert(told, list[_Kept])
    except msgspec.ValidationError as error:
        raise ArchiveError(f"the provenance cannot be read, {error}", where=scene) from error
    for value in kept:
        if value.key == S1_NAME and isinstance(value.value, str):
            yield from ((patch, value.value) for patch in value.patches)
