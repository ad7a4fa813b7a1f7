"""Correct products: several at once, each whole or not at all, what is there left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

import msgspec

from benforge.core.progress import Progress, silent
from benforge.correction.budget import check_room, workers_for
from benforge.correction.jobs import Job, make_whole, plan_job
from benforge.correction.port import CorrectOptions, Processor
from benforge.correction.registry import make_processor
from benforge.errors import BenError, InputError, StorageError
from benforge.scenes.several import failure_of


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
    jobs = [plan_job(path, out, chosen) for path in paths]
    _check_twice(jobs)
    waiting = [job for job in jobs if job.made is None]
    check_room(waiting, out, chosen)
    made = _correct_all(waiting, out, chosen, workers, progress)
    return CorrectSummary(
        processor=chosen.name,
        version=version,
        products=tuple(str(job.made or made[job.path]) for job in jobs),
        corrected=len(made),
        left_alone=len(jobs) - len(waiting),
        note=_note(processor, chosen),
    )


def _check_twice(jobs: Iterable[Job]) -> None:
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


def _correct_all(
    jobs: Sequence[Job], out: Path, processor: Processor, wanted: int | None, progress: Progress
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

    def work(job: Job) -> None:
        try:
            made[job.path] = make_whole(job, out, processor, stop, shown.of(job))
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
        raise failure_of(failed, len(jobs), f"the others are in {out}")
    return made


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

    def of(self, job: Job) -> Progress:
        """Progress of one product."""

        def show(message: str, done: float = 0, total: float = 0) -> None:
            self._show(job, f"{job.path.name}: {message}", done / total if total else 0.0)

        return show

    def ended(self, job: Job) -> None:
        """One product is done, or has failed."""
        self._show(job, job.path.name, 1.0)

    def _show(self, job: Job, message: str, share: float) -> None:
        with self.lock:
            self.done[job.path] = max(share, self.done.get(job.path, 0.0))
            self.progress(message, round(100 * sum(self.done.values())), 100 * self.total)
