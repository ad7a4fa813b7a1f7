"""What several corrections at once may take: cores, memory, room on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from benforge.core.memory import free_memory
from benforge.correction.jobs import Job
from benforge.correction.port import Processor
from benforge.errors import InputError, StorageError

_SPARE = 2**28
"""Bytes that stay free on the disk."""


def workers_for(count: int, memory: float, wanted: int | None = None) -> int:
    """How many products to work on at once.

    Args:
        count: products there are.
        memory: GiB that each takes.
        wanted: as the user says; None takes as many as cores and free memory allow.

    Raises:
        InputError: less than one is wanted.
    """
    if wanted is not None:
        if wanted < 1:
            raise InputError(f"{wanted} workers do no work", where="--workers", do="Use 1 or more")
        return min(wanted, max(1, count))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = free_memory()
    fitting = count if free is None else int(free // memory)
    return max(1, min(count, cores or 1, fitting))


def check_room(jobs: Sequence[Job], out: Path, processor: Processor) -> None:
    """Raise where the disk has not the room that the work takes at most."""
    if not jobs:
        return
    needed = sum(processor.room(job.path, job.metadata) for job in jobs) + _SPARE
    place = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise StorageError(
            f"{_counted(len(jobs))} up to {needed / 2**30:.1f} GiB, "
            f"{free / 2**30:.1f} GiB are free",
            where=out,
            do="Make room, name another folder, or give fewer products",
        )


def _counted(products: int) -> str:
    return "1 product takes" if products == 1 else f"{products} products take"
