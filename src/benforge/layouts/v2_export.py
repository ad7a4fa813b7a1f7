"""From an archive to the published v2 layout: one folder a patch, whole or not there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benforge.archive.archive import Archive
from benforge.archive.executors import run_tasks, workers_for
from benforge.archive.index import read_provenance
from benforge.archive.layout import scene_path
from benforge.archive.locking import writing
from benforge.archive.pixels import PixelReader
from benforge.core.progress import Progress, silent
from benforge.core.sensor import Sensor
from benforge.core.split import Split
from benforge.errors import ArchiveError, ConflictError, InputError
from benforge.layouts.exporting import (
    CHUNK,
    check_contents,
    check_target,
    choose_patches,
    has_land_cover,
)
from benforge.layouts.geotiff import Compression
from benforge.layouts.port import ExportOptions, ExportSummary
from benforge.layouts.v2_layout import FLAGGED, MAPS, METADATA, PIXELS
from benforge.layouts.v2_metadata import (
    metadata_notes,
    simulated_products,
    v2_metadata,
    write_v2_metadata,
)
from benforge.layouts.v2_write import PatchPlace, write_v2_patch


def export_v2(
    archive: Archive,
    out: Path,
    options: ExportOptions | None = None,
    progress: Progress = silent,
) -> ExportSummary:
    """Write the patches of an archive in the published v2 layout.

    Bands lie under BigEarthNet-S2, reference maps under Reference_Maps where the archive has
    them, and both metadata files beside. Files are what v2 publishes: uint16, no-data value 0,
    bands uncompressed, maps deflated. Patches keep their ids, whatever product they are of.
    Patches that are there are left alone, so the same call goes on where one was cut off.

    Args:
        archive: patches of 1,200 m.
        out: the folder for all of it.
        options: how; a split chooses the patches and gives the column `split`, else it is that
            of the archive's split "published", if there is one.
        progress: told how many patches are done.

    Raises:
        InputError: pixels of L1C, which v2 does not publish, or a label that is no class.
        GridError: patches of another size.
        ConflictError: `out` holds other patches, or is an archive or lies in one.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
    """
    start, options = time.monotonic(), options or ExportOptions()
    check_target(archive, out)
    chosen = choose_patches(archive, options.split)
    _check_level(chosen)
    table, simulated = v2_metadata(chosen, options.split), simulated_products(chosen)
    with writing(out):
        check_contents(out, lambda name: name in (PIXELS, MAPS, METADATA, FLAGGED))
        _check_same_archive(out, table)
        jobs = list(_jobs(chosen, out, options.compression))
        workers, written = workers_for(options.workers, len(chosen)), 0
        for done, new in enumerate(run_tasks(_write_patches, jobs, workers), 1):
            written += new
            progress("exporting", min(done * CHUNK, len(chosen)), len(chosen))
        write_v2_metadata(out, table, simulated)
    return ExportSummary(
        new_patches=written,
        held_patches=len(chosen) - written,
        notes=tuple(_notes(chosen, table, options.split, simulated)),
        seconds=round(time.monotonic() - start, 3),
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """Patches that one process writes."""

    out: Path
    pixels: PixelReader
    sensor: Sensor
    places: tuple[PatchPlace, ...]
    compression: Compression


def _write_patches(job: _Job) -> int:
    """How many of the patches were not there yet."""
    return sum(
        write_v2_patch(job.out, place, job.pixels, job.sensor, job.compression)
        for place in job.places
    )


def _jobs(archive: Archive, out: Path, compression: Compression) -> Iterator[_Job]:
    columns = ("patch_id", "product", "scene", "column", "row", "crs", "ulx", "uly")
    for begin in range(0, len(archive), CHUNK):
        rows = archive.index.slice(begin, CHUNK).select(columns).to_pylist()
        places = tuple(PatchPlace(**row) for row in rows)
        yield _Job(out, archive.pixels, archive.meta.sensor, places, compression)


def _check_level(archive: Archive) -> None:
    """Raise where a scene is of L1C.

    Raises:
        InputError: one is.
    """
    for scene in archive.index["scene"].unique().to_pylist():
        if read_provenance(scene_path(archive.root, scene)).get("level") == "L1C":
            raise InputError(
                "the v2 layout publishes L2A, and this is L1C",
                where=scene,
                do="Build the archive from L2A products",
            )


def _check_same_archive(out: Path, table: pa.Table) -> None:
    """Raise where the folder holds patches that this export would lose from the metadata."""
    for path in (out / METADATA, out / FLAGGED):
        if not path.exists():
            continue
        try:
            held = pq.read_table(path, columns=["patch_id"], partitioning=None)["patch_id"]
        except (OSError, ValueError, pa.ArrowException) as error:
            raise ArchiveError(
                "cannot be read", where=path, do="Remove it and export again"
            ) from error
        if not pc.all(pc.is_in(held, table["patch_id"].combine_chunks())).as_py() and len(held):
            raise ConflictError(
                "the folder holds other patches", where=path, do="Export into a new folder"
            )


def _notes(
    archive: Archive, table: pa.Table, split: Split | None, simulated: Sequence[str]
) -> Iterator[str]:
    """What the layout could not take along, a sentence each."""
    yield from metadata_notes(archive, table, split, simulated)
    if not has_land_cover(archive):
        yield "The archive has no land cover: there are no reference maps."
