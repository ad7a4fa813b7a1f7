"""Correct products: several at once, each whole or not at all, what is there left alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

import msgspec

from benforge.core.identity import ProductId
from benforge.core.progress import Progress, silent
from benforge.correction.port import CorrectOptions, Processor
from benforge.correction.registry import make_processor
from benforge.errors import BenError, InputError, ProductError, StorageError
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_metadata import read_metadata

_SPARE = 2**28
"""Bytes that stay free on the disk."""


class CorrectSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction made.

    Args:
        processor: name of what made them.
        version: of the program.
        products: the L2A products, in the order that their L1C were given.
        corrected: how many were made now.
        left_alone: how many were there already.
        note: what to know of the choice of processor, or "".
    """

    processor: str
    version: str
    products: tuple[str, ...]
    corrected: int
    left_alone: int
    note: str = ""

    def facts(self) -> dict[str, object]:
        """For people: everything but the empty."""
        facts = {
            "processor": self.version if self.processor != "none" else "none",
            "corrected": self.corrected,
            "left_alone": self.left_alone,
            "products": self.products,
        }
        return facts | ({"note": self.note} if self.note else {})


@dataclass(frozen=True, slots=True)
class _Job:
    """One product to correct, and the L2A product of it that is there already."""

    path: Path
    metadata: SceneMetadata
    made: Path | None


def correct_products(
    paths: Sequence[Path],
    out: Path,
    processor: str | Processor | None = None,
    *,
    options: CorrectOptions | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> CorrectSummary:
    """Write `out/<L2A id>.SAFE` for each product.

    A product is made in a hidden folder beside its place and renamed once it opens as an L2A
    product. One that is there and opens is left alone, so the same call goes on where another was
    interrupted. Where products fail the others are made nevertheless.

    Args:
        paths: products as `open_scene` takes them.
        out: folder to write into; made if missing.
        processor: its name, or one of your own; None takes sen2cor where found, else 6S.
        options: how to correct.
        workers: products at once; None takes as many as cores and free memory allow.
        progress: told what is done.

    Raises:
        InputError: no product, one twice, less than one worker, no such processor.
        MissingError: a product or the processor's program is not there.
        ProductError: a product is not one to work on, or could not be corrected.
        StorageError: too little room on the disk.
    """
    if not paths:
        raise InputError("no product is given", do="Name the products to correct")
    options = options or CorrectOptions()
    chosen = make_processor(processor, options) if isinstance(processor, str | None) else processor
    version = chosen.version
    jobs = [_plan(path, out, chosen) for path in paths]
    _check_twice(jobs)
    waiting = [job for job in jobs if job.made is None]
    _check_room(waiting, out, chosen)
    made = _correct_all(waiting, out, chosen, workers, progress)
    return CorrectSummary(
        processor=chosen.name,
        version=version,
        products=tuple(str(job.made or made[job.path]) for job in jobs),
        corrected=len(made),
        left_alone=len(jobs) - len(waiting),
        note=_note(processor, chosen),
    )


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


def free_memory() -> float | None:
    """GiB that may be taken without swapping, None where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            name, _, rest = line.partition(":")
            if name == "MemAvailable":
                return int(rest.split()[0]) / 2**20
    except (OSError, ValueError, IndexError):
        pass
    return None


def _plan(path: Path, out: Path, processor: Processor) -> _Job:
    """The product looked at, and what is there of it.

    Raises:
        MissingError: there is nothing at `path`.
        ProductError: not a product, or not one to work on.
    """
    metadata = read_metadata(path)
    processor.check(path, metadata)
    return _Job(path, metadata, _find_made(metadata, out, processor))


def _find_made(metadata: SceneMetadata, out: Path, processor: Processor) -> Path | None:
    """The L2A product of a product that is in `out` and opens."""
    for folder in sorted(out.glob("*.SAFE")):
        found = _id_of(folder)
        if found is None or not _is_of(found, metadata) or not processor.made(found):
            continue
        try:
            open_scene(folder)
        except BenError:
            continue
        return folder
    return None


def _id_of(folder: Path) -> ProductId | None:
    try:
        return ProductId.parse(folder.name)
    except InputError:
        return None


def _is_of(found: ProductId, metadata: SceneMetadata) -> bool:
    """Whether an L2A product's id is of the same acquisition."""
    own = metadata.product
    return found.level == "L2A" and (
        (found.spacecraft, found.time, found.orbit, found.tile)
        == (own.spacecraft, own.time, own.orbit, own.tile)
    )


def _check_twice(jobs: Iterable[_Job]) -> None:
    """Two products of one acquisition would become one L2A product."""
    seen: dict[tuple[str, str, int, str], Path] = {}
    for job in jobs:
        own = job.metadata.product
        key = own.spacecraft, own.time, own.orbit, own.tile
        if key in seen:
            raise InputError(
                f"the same acquisition as {seen[key]}",
                where=job.path,
                do="Give one of the two, or write them into two folders",
            )
        seen[key] = job.path


def _check_room(jobs: Sequence[_Job], out: Path, processor: Processor) -> None:
    """Raise where the disk has not the room that the work takes at most."""
    if not jobs:
        return
    needed = sum(processor.room(job.path, job.metadata) for job in jobs) + _SPARE
    place = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise StorageError(
            f"{len(jobs)} products take up to {needed / 2**30:.1f} GiB, "
            f"{free / 2**30:.1f} GiB are free",
            where=out,
            do="Make room, name another folder, or give fewer products",
        )


def _correct_all(
    jobs: Sequence[_Job], out: Path, processor: Processor, wanted: int | None, progress: Progress
) -> Mapping[Path, Path]:
    """Each product's path to its L2A product.

    Raises:
        BenError: one or more failed; the others are made.
    """
    workers = workers_for(len(jobs), processor.memory, wanted)
    if not jobs:
        return {}
    _make_folder(out)
    stop, shown = Event(), _Shown(progress, len(jobs))
    made: dict[Path, Path] = {}
    failed: dict[Path, BenError] = {}

    def work(job: _Job) -> None:
        try:
            made[job.path] = _correct_one(job, out, processor, stop, shown)
        except BenError as error:
            failed[job.path] = error
        shown.ended(job)

    with ThreadPoolExecutor(workers) as pool:
        try:
            list(pool.map(work, jobs))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        raise _failure(failed, len(jobs), out)
    return made


def _correct_one(job: _Job, out: Path, processor: Processor, stop: Event, shown: _Shown) -> Path:
    """Made beside its place, opened, then renamed."""
    partial = out / f".{job.metadata.source}.{processor.name}.part"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        made = processor.correct(job.path, partial, stop=stop, progress=shown.of(job))
        _check_made(made, job)
        target = out / made.name
        if target.exists():  # it is of this acquisition and does not open
            shutil.rmtree(target)
        made.rename(target)
    except OSError as error:
        if isinstance(error, BenError):
            raise
        raise StorageError(
            f"cannot be written ({error})", where=partial, do="Make room and run again"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _check_made(made: Path, job: _Job) -> None:
    """Raise where what a processor made is not an L2A product of the same acquisition."""
    found = open_scene(made).metadata
    if not _is_of(found.product, job.metadata) or found.grid != job.metadata.grid:
        raise ProductError(
            f"the processor made {found.product}, which is of another acquisition or ground",
            where=job.path,
            do="Report this, with the product's name",
        )
    if job.metadata.simulated and not found.simulated:
        raise ProductError(
            "the product is simulated, and the L2A product made from it does not say so",
            where=job.path,
            do="Use --processor sixs for simulated products",
        )


def _failure(failed: Mapping[Path, BenError], count: int, out: Path) -> BenError:
    """The one error, or a line that counts them and tells the first."""
    first = next(iter(failed.values()))
    if count == 1:
        return first
    others = ", ".join(path.name for path in list(failed)[1:6])
    also = f"; also {others}" if others else ""
    return ProductError(
        f"{len(failed)} of {count} products failed, the others are in {out}. First: {first}{also}",
        do="Mend or leave those out and run the same command again: it goes on where it was",
    )


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot be made ({error.strerror})", where=out, do="Name another folder"
        ) from error


def _note(asked: str | Processor | None, chosen: Processor) -> str:
    if asked is None and chosen.name == "sixs":
        return "sen2cor is not found, so 6S corrected; see docs/correct.md for what that means"
    return ""


class _Shown:
    """Progress of several products as one: hundredths of products done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total = progress, total
        self.done: dict[Path, float] = {}
        self.lock = Lock()

    def of(self, job: _Job) -> Progress:
        """Progress of one product."""

        def show(message: str, done: float = 0, total: float = 0) -> None:
            self._show(job, f"{job.path.name}: {message}", done / total if total else 0.0)

        return show

    def ended(self, job: _Job) -> None:
        """One product is done, or has failed."""
        self._show(job, job.path.name, 1.0)

    def _show(self, job: _Job, message: str, share: float) -> None:
        with self.lock:
            self.done[job.path] = max(share, self.done.get(job.path, 0.0))
            self.progress(message, round(100 * sum(self.done.values())), 100 * self.total)
