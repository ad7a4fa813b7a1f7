"""From an archive to Parquet files that the `datasets` library opens with classes and arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np

from benforge.archive.archive import Archive
from benforge.core.files import write_atomic
from benforge.core.progress import Progress, silent
from benforge.layouts.export_batches import ExportNote, choose_rows, read_batches
from benforge.layouts.export_shards import Shard, ShardedLayout, export_shards, writing_whole
from benforge.layouts.exporting import has_land_cover
from benforge.layouts.parquet_card import dataset_card
from benforge.layouts.parquet_table import open_writer, patch_table
from benforge.layouts.port import ExportOptions, ExportSummary

SHARD = 2_000
"""Patches in a file: 180 MB of those of BigEarthNet."""

ROW_GROUP = 100
"""Patches in a row group, the least that a reader that streams takes: 9 MB."""

DATA, CARD = "data", "README.md"


def export_parquet(
    archive: Archive,
    out: Path,
    options: ExportOptions | None = None,
    progress: Progress = silent,
    *,
    shard_patches: int = SHARD,
) -> ExportSummary:
    """Write `data/<part>-00000-of-00002.parquet`, a row a patch, and a dataset card.

    Columns: patch_id, tile, date (text, UTC), season, country, crs, ulx, uly, labels (positions
    in the class names, which the file knows), one array of `band row col` a pixel size (r10m,
    r20m, r60m), and land_cover (`row col`) where the archive has reference maps. Arrays are
    nested lists, so any reader of Parquet takes them. Rows are in the order of the index. A file
    is whole or not there, so the same call goes on where one was cut off.

    Args:
        archive: patches of any size.
        out: the folder of the data set.
        options: `split` names the parts; without one all patches are of the part "patches".
        progress: told how many patches are done.
        shard_patches: rows of a file; the last of a part has fewer.

    Raises:
        InputError: there is no patch to export.
        ConflictError: `out` holds another export or other things.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
        WorkerError: a process died.
    """
    layout = ShardedLayout(
        "parquet",
        plan=partial(_plan_shards, size=shard_patches),
        write=partial(_write_shard, land_cover=has_land_cover(archive)),
        finish=_write_card,
    )
    return export_shards(layout, archive, out, options or ExportOptions(), progress)


def _write_card(out: Path, shards: Sequence[Shard], note: ExportNote) -> None:
    write_atomic(out / CARD, dataset_card(note, DATA).encode())


def _plan_shards(out: Path, part: str, archive: Archive, size: int) -> Iterator[Shard]:
    total = -(-len(archive) // size)
    for number, start in enumerate(range(0, len(archive), size)):
        rows = np.arange(start, min(start + size, len(archive)))
        name = f"{part}-{number:05d}-of-{total:05d}.parquet"
        yield Shard(out / DATA / name, part, choose_rows(archive, rows))


def _write_shard(shard: Shard, *, land_cover: bool) -> int:
    """Write one file; the number of its patches."""
    with writing_whole(shard.path) as file:
        _write_batches(file, shard.archive, land_cover)
    return len(shard.archive)


def _write_batches(file: BinaryIO, archive: Archive, land_cover: bool) -> None:
    """Write a row group a batch."""
    nomenclature = archive.meta.nomenclature
    batches = read_batches(archive, ROW_GROUP)
    tables = (patch_table(b, nomenclature, land_cover=land_cover) for b in batches)
    first = next(tables)
    with open_writer(file, first.schema) as writer:
        for table in chain([first], tables):
            writer.write_table(table)
