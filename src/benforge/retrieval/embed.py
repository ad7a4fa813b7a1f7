"""From an archive to an index: every patch a vector.

It holds the statistics of its bands, and where there is a model as much of what the model sees:
docs/decisions/0021 tells why.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from shutil import copyfile

import msgspec
import numpy as np
import pyarrow as pa
import shapely

from benforge.archive.archive import Archive
from benforge.archive.footprints import centres
from benforge.archive.layout import check_outside_archives
from benforge.archive.parts import choose_part
from benforge.core.files import ANEW, new_folder, storage_errors
from benforge.core.progress import Progress, silent
from benforge.errors import InputError
from benforge.retrieval.band_statistics import Vectors, describe_archive, names_of
from benforge.retrieval.index import MODEL, IndexFacts, write_index

STATISTICS = "band statistics"
"""What stands in tables where no model was asked."""


def embed_archive(
    archive: Path,
    out: Path,
    *,
    run: Path | None = None,
    split: str = "",
    part: str = "test",
    device: str = "",
    batch_size: int = 128,
    progress: Progress = silent,
) -> IndexFacts:
    """Make an index of an archive.

    Args:
        archive: its folder.
        out: a new folder.
        run: folder of a training, or its checkpoint; None takes the statistics of bands.
        split: name of a split of the archive; all patches if empty.
        part: of the split.
        device: where the model is asked; the GPU where there is one if empty.
        batch_size: patches at once.
        progress: told how many are done.

    Raises:
        MissingError: no such archive, checkpoint or split.
        InputError: other bands, numbers or patch sizes than the model's; no patches, or no such
            part.
        ConflictError: the folder holds other things, or lies in an archive.
        StorageError: the disk is full; nothing stays of the folder.
    """
    check_outside_archives(out)
    opened = _some(Archive.open(archive), split, part)
    facts = _facts(opened, split, part)
    with new_folder(out) as draft:
        if run is None:
            return _embed_by_statistics(draft, opened, facts, progress)
        return _embed_by_model(draft, opened, facts, run, device, batch_size, progress)


def _some(archive: Archive, split: str, part: str) -> Archive:
    """The patches of a part of a split; all of them without one."""
    found = choose_part(archive, split, part) if split else archive
    if not len(found):
        raise InputError("there are no patches to embed", where=archive.root)
    return found


def _embed_by_statistics(
    draft: Path, archive: Archive, facts: IndexFacts, progress: Progress
) -> IndexFacts:
    kinds = [len(names_of(archive.meta.sensor))]
    return write_index(
        draft, facts, list_patches(archive), describe_archive(archive, progress), kinds
    )


def _embed_by_model(
    draft: Path,
    archive: Archive,
    facts: IndexFacts,
    run: Path,
    device: str,
    batch_size: int,
    progress: Progress,
) -> IndexFacts:
    from benforge.inference.embed import embed_patches
    from benforge.loading.devices import find_device
    from benforge.models.checkpoint import WEIGHTS, hash_weights, read_contract

    contract = read_contract(run)
    facts = msgspec.structs.replace(
        facts,
        kind="model",
        model=f"{contract.title} and {STATISTICS}",
        run=run.resolve().name,
        weights=hash_weights(run),
        simulated=bool(archive.meta.simulated) or contract.simulated,
    )
    learned: Iterator[Vectors] = embed_patches(
        run, archive, device=find_device(device), batch_size=batch_size, progress=progress
    )
    first = next(learned)  # what is wrong with the model is told before anything is written
    kinds = [len(names_of(archive.meta.sensor)), first.shape[1]]
    pairs = zip(describe_archive(archive, size=batch_size), chain([first], learned), strict=True)
    with storage_errors(draft, ANEW):
        copyfile(run / WEIGHTS if run.is_dir() else run, draft / MODEL)
    return write_index(draft, facts, list_patches(archive), map(join_kinds, pairs), kinds)


def join_kinds(parts: tuple[Vectors, Vectors]) -> Vectors:
    """The statistics of bands, then what a model sees: `patch feature`."""
    return np.concatenate(parts, axis=1)


def _facts(archive: Archive, split: str, part: str) -> IndexFacts:
    return IndexFacts(
        kind="statistics",
        model=STATISTICS,
        archive=archive.root.resolve().name,
        split=split,
        part=part if split else "",
        simulated=bool(archive.meta.simulated),
        nomenclature=archive.meta.nomenclature.name,
        metric="euclidean",
    )


def list_patches(archive: Archive) -> pa.Table:
    """What an index tells of each patch, in the order of the archive's index."""
    rows = archive.index
    lon, lat = centres(np.asarray(shapely.from_wkb(rows["geometry"].to_numpy()), object))
    columns = {
        "patch_id": rows["patch_id"],
        "v1_name": rows["v1_name"],
        "tile": rows["tile"].cast(pa.string()),
        "date": rows["sensing_time"].cast(pa.timestamp("us")).cast(pa.date32(), safe=False),
        "country": rows["country"].cast(pa.string()),
        "longitude": pa.array(np.round(lon, 6)),
        "latitude": pa.array(np.round(lat, 6)),
        "labels": rows["labels"],
    }
    return pa.table(columns)
