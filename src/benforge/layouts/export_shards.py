"""Exports into shards: files of some patches each, written in processes, whole or not there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from benforge.archive.archive import Archive
from benforge.archive.executors import run_tasks, workers_for
from benforge.core.files import storage_errors
from benforge.core.progress import Progress
from benforge.layouts.export_batches import ExportNote, exporting, make_note, plan_parts
from benforge.layouts.port import ExportOptions, ExportSummary


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """One file of an export.

    Args:
        path: where.
        part: of its patches.
        archive: its patches, in order.
    """

    path: Path
    part: str
    archive: Archive


@dataclass(frozen=True, slots=True)
class ShardedLayout:
    """What a layout of shards has of its own.

    Args:
        name: of the layout.
        plan: the shards of a part, from the folder, the part's name and its patches.
        write: writes one shard, whole or not at all, and returns how many patches it holds;
            picklable.
        finish: writes what names the shards, from the folder, all shards and the note.
    """

    name: str
    plan: Callable[[Path, str, Archive], Iterable[Shard]]
    write: Callable[[Shard], int]
    finish: Callable[[Path, Sequence[Shard], ExportNote], None]


def export_shards(
    layout: ShardedLayout, archive: Archive, out: Path, options: ExportOptions, progress: Progress
) -> ExportSummary:
    """Export into shards; those that are there are left alone.

    Raises:
        InputError: there is no patch to export.
        ConflictError: `out` holds another export or other things.
        ArchiveError: the archive is damaged.
        StorageError: the disk is full.
        WorkerError: a process died.
    """
    start = time.monotonic()
    parts = plan_parts(archive, options.split)
    shards = [shard for part, chosen in parts.items() for shard in layout.plan(out, part, chosen)]
    note = make_note(layout.name, archive, parts, options.split)
    with exporting(archive, out, note, grows=False):
        new, held = write_shards(layout.write, shards, options.workers, progress)
        layout.finish(out, shards, note)
    seconds = round(time.monotonic() - start, 3)
    return ExportSummary(new_patches=new, held_patches=held, seconds=seconds)


def write_shards(
    write: Callable[[Shard], int],
    shards: Sequence[Shard],
    workers: int | None,
    progress: Progress,
) -> tuple[int, int]:
    """Write the shards that are not there.

    Args:
        write: writes one, whole or not at all, and returns how many patches it holds; picklable.
        shards: all of the export.
        workers: processes, every core if None; few patches are written by this process.
        progress: told how many patches are done.

    Returns:
        How many patches were written, and how many were there.

    Raises:
        BenError: what `write` raised first.
        WorkerError: a process died.
    """
    missing = [shard for shard in shards if not shard.path.exists()]
    new, total = sum(len(shard.archive) for shard in missing), sum(len(s.archive) for s in shards)
    done = total - new
    processes = 1 if len(missing) == 1 else workers_for(workers, new)
    for patches in run_tasks(write, missing, processes):
        done += patches
        progress("exporting", done, total)
    return new, total - new


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, that is seen whole or not at all, also after a crash.

    Only one process may write it; `exporting` sees to that.

    Raises:
        StorageError: the disk is full or the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
