"""One product to correct: looked at before, made whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from benforge.core.identity import ProductId
from benforge.core.progress import Progress
from benforge.correction.port import Processor
from benforge.errors import BenError, ConflictError, InputError, ProductError, StorageError
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_metadata import read_metadata


@dataclass(frozen=True, slots=True)
class Job:
    """One product to correct, and the L2A product of it that is there already."""

    path: Path
    metadata: SceneMetadata
    made: Path | None


def plan_job(path: Path, out: Path, processor: Processor) -> Job:
    """The product looked at, and what is there of it.

    Raises:
        MissingError: there is nothing at `path`.
        ProductError: not a product, or not one to work on.
    """
    metadata = read_metadata(path)
    processor.check(path, metadata)
    return Job(path, metadata, _find_made(metadata, out, processor))


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


def make_whole(job: Job, out: Path, processor: Processor, stop: Event, progress: Progress) -> Path:
    """Made beside its place, opened, then renamed."""
    partial = out / f".{job.metadata.product}.{processor.name}.part"
    try:
        with _own_folder(partial):
            made = processor.correct(job.path, partial, stop=stop, progress=progress)
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
    return target


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """An empty folder while the context lasts; what a killed run left in it is cleared.

    Raises:
        ConflictError: another process works in it.
    """
    folder.mkdir(exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise ConflictError(
            "another ben correct works on this product", where=folder, do="Wait for it to end"
        ) from error
    try:
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _check_made(made: Path, job: Job) -> None:
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
