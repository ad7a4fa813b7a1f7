"""From an archive to LMDB and safetensors, as rico-hdl writes them and ConfigILM reads them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import lmdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.archive.archive import Archive
from benforge.archive.executors import available_cores
from benforge.archive.index import encode_rows
from benforge.archive.layout import INDEX
from benforge.core.files import write_atomic
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor
from benforge.errors import ConflictError, StorageError
from benforge.layouts.export_batches import (
    BATCH,
    PatchBatch,
    exporting,
    make_note,
    plan_parts,
    read_batches,
)
from benforge.layouts.exporting import choose_patches
from benforge.layouts.lmdb_read import DATA_FILE, MAP_SUFFIX, MAP_TENSOR
from benforge.layouts.port import ExportOptions, ExportSummary
from benforge.layouts.safetensors_encode import SafetensorsEncoder
from benforge.layouts.v2_metadata import (
    metadata_notes,
    simulated_products,
    v2_metadata,
    write_v2_metadata,
)

_ROOM = 1 << 30
"""Bytes that the database may take at first; where they do not do, it gets twice as many."""

_LEAST_FREE = 1 << 26
"""Bytes of free disk below which a write that fails is taken to have failed for want of them."""
_DAMAGE = (
    lmdb.CorruptedError,
    lmdb.InvalidError,
    lmdb.PageNotFoundError,
    lmdb.VersionMismatchError,
)
_Pair = tuple[bytes, memoryview]


def export_lmdb(
    archive: Archive,
    out: Path,
    options: ExportOptions | None = None,
    progress: Progress = silent,
) -> ExportSummary:
    """Write `data.mdb`, v2's two metadata files, and the rows of the index with their geometry.

    A key is a patch id; its value is one safetensors file with a uint16 tensor a band, `row col`
    at its own pixel size. A reference map has a key of its own. The patch id is the key for v1
    archives too: v1 names are not unique by construction (fidelity 4), and v2's ids would pass
    v1's pixels off as v2's; `s2v1_name` in `metadata.parquet` tells the v1 name.

    One transaction is written at a time, and patches that are there are left alone, so the same
    call goes on where one was cut off; an archive that has grown adds its new patches.

    Args:
        archive: patches of any size.
        out: the folder of the environment, which holds `data.mdb`.
        options: `split` chooses the patches and gives the column `split`.
        progress: told how many patches are done.

    Raises:
        InputError: there is no patch to export.
        ConflictError: `out` holds patches or things of another origin.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
    """
    start, options = time.monotonic(), options or ExportOptions()
    parts = plan_parts(archive, options.split)
    chosen = choose_patches(archive, options.split)
    note = make_note("lmdb", archive, parts, options.split)
    with exporting(archive, out, note, grows=True):
        with _open(out) as environment:
            missing = _missing(environment, chosen, out)
            threads = options.workers or available_cores()
            done = len(chosen) - len(missing)
            for pairs in _encode(missing, threads):
                _write(environment, pairs, out)
                done += sum(not key.endswith(MAP_SUFFIX.encode()) for key, _ in pairs)
                progress("exporting", done, len(chosen))
        table, simulated = v2_metadata(chosen, options.split), simulated_products(chosen)
        write_atomic(out / INDEX, encode_rows(chosen.index))
        write_v2_metadata(out, table, simulated)
    return ExportSummary(
        new_patches=len(missing),
        held_patches=len(chosen) - len(missing),
        notes=tuple(metadata_notes(archive, table, options.split, simulated)),
        seconds=round(time.monotonic() - start, 3),
    )


@contextmanager
def _open(out: Path) -> Iterator[lmdb.Environment]:
    """The environment of a folder, that grows when it is full.

    It is not written through a memory map: on a full disk that would end the process. After a
    crash of the machine the last batch may be missing, but what is there is whole.
    """
    with _lmdb_errors(out):
        there = out / DATA_FILE
        room = max(_ROOM, 2 * there.stat().st_size) if there.exists() else _ROOM
        environment = lmdb.open(str(out), map_size=room, metasync=False)
    try:
        yield environment
    finally:
        environment.close()


@contextmanager
def _lmdb_errors(where: Path) -> Iterator[None]:
    """Turn what LMDB says into a `StorageError`, a full database excepted.

    Raises:
        StorageError: the disk is full, or the database is damaged or cannot be written.
    """
    try:
        yield
    except lmdb.MapFullError:
        raise
    except _DAMAGE as error:
        raise StorageError(
            f"the LMDB is damaged, {_reason(error)}",
            where=where,
            do="Remove the folder and export again",
        ) from error
    except lmdb.Error as error:
        # A disk that fills up within a write shows as an input/output error.
        full = isinstance(error, lmdb.DiskError) or shutil.disk_usage(where).free < _LEAST_FREE
        raise StorageError(
            "the disk is full" if full else f"the LMDB cannot be written, {_reason(error)}",
            where=where,
            do="Free space and run the same command again: it goes on where it stopped"
            if full
            else "See to the folder and run the same command again",
        ) from error


def _reason(error: lmdb.Error) -> str:
    return str(error).rpartition(": ")[2].lower()


def _missing(environment: lmdb.Environment, chosen: Archive, out: Path) -> Archive:
    """The patches that are not there yet.

    Raises:
        ConflictError: there are Sentinel-2 patches of another origin.
    """
    with _lmdb_errors(out), environment.begin() as transaction:
        there = [bytes(key).decode() for key in transaction.cursor().iternext(values=False)]
    held = pa.array((k for k in there if not k.endswith(MAP_SUFFIX)), pa.string())
    ours = chosen.index["patch_id"].combine_chunks()
    ours_or_s1 = pc.or_(pc.starts_with(held, "S1"), pc.is_in(held, ours))
    strange = held.filter(pc.invert(ours_or_s1))
    if len(strange):
        raise ConflictError(
            f"the LMDB holds another patch, {strange[0].as_py()}",
            where=out,
            do="Export into a new folder",
        )
    return chosen.filter(~np.asarray(pc.is_in(ours, held)))


def _encode(archive: Archive, threads: int) -> Iterator[list[_Pair]]:
    """Keys and values of each batch; values hold until the next."""
    encoder: SafetensorsEncoder | None = None
    maps: SafetensorsEncoder | None = None
    for batch in read_batches(archive, threads=threads):
        tensors = _tensors(batch, archive.meta.sensor)
        if encoder is None:
            encoder = SafetensorsEncoder({n: t.shape[1:] for n, t in tensors.items()})
            room = np.empty((BATCH, encoder.size), np.uint8)
        keys = [key.encode() for key in batch.rows["patch_id"].to_pylist()]
        rows = encoder(tensors, room)
        pairs = [(key, memoryview(row)) for key, row in zip(keys, rows, strict=True)]
        for key, cover in zip(keys, batch.land_cover, strict=True):
            if cover is not None:
                maps = maps or SafetensorsEncoder({MAP_TENSOR: cover.shape})
                value = maps({MAP_TENSOR: cover[None]}, np.empty((1, maps.size), np.uint8))
                pairs.append((key + MAP_SUFFIX.encode(), memoryview(value[0])))
        yield pairs


def _tensors(batch: PatchBatch, sensor: Sensor) -> Mapping[str, npt.NDArray[np.uint16]]:
    """Name of a band to `patch row col`."""
    return {
        band.name: pixels[:, place]
        for size, pixels in batch.pixels.items()
        for place, band in enumerate(sensor.bands_at(size))
    }


def _write(environment: lmdb.Environment, pairs: list[_Pair], out: Path) -> None:
    """Write a batch in one transaction, in twice the room where it does not fit.

    Raises:
        StorageError: the disk is full.
    """
    while True:
        try:
            with _lmdb_errors(out), environment.begin(write=True) as transaction:
                for key, value in pairs:
                    transaction.put(key, value)
            return
        except lmdb.MapFullError:
            environment.set_mapsize(2 * environment.info()["map_size"])
