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
from benforge.correction.report import read_report
from benforge.errors import BenError, ConflictError, InputError, ProductError, StorageError
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneMetadata
from benforge.scenes.safe_files import split_tile
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
        InputError: `out` lies inside it.
        ConflictError: what is there was made another way, or is somebody's.
    """
    check_outside(path, out)
    metadata = read_metadata(path)
    processor.check(path, metadata)
    return Job(path, metadata, _find_made(metadata, out, processor))


def check_outside(path: Path, out: Path) -> None:
    """Raise where what is made of a product would lie inside it.

    Raises:
        InputError: it would.
    """
    place = split_tile(path)[0]
    folder = (place if place.is_dir() else place.parent).resolve()
    if folder.name.endswith(".SAFE") and out.resolve().is_relative_to(folder):
        raise InputError("lies inside a product", where=out, do="Name a folder outside of it")


def _find_made(metadata: SceneMetadata, out: Path, processor: Processor) -> Path | None:
    """The L2A product of a product that is in `out` and opens.

    Raises:
        ConflictError: there is one that was made another way, or that is not ours.
    """
    for folder in sorted(out.glob("*.SAFE")):
        found = _id_of(folder)
        if found is None or not _is_of(found, metadata) or not processor.made(found):
            continue
        try:
            fingerprint = open_scene(folder).metadata.fingerprint
        except BenError as error:
            _check_ours(folder, error)
            continue
        _check_same_way(folder, metadata, processor, fingerprint)
        return folder
    return None


def _check_ours(folder: Path, error: BenError | None = None) -> None:
    """Raise where a folder in the result's place was not made by a correction."""
    if read_report(folder):
        return
    why = f", and does not open ({error.what})" if error else ""
    raise ConflictError(
        f"stands where the result goes, was not made by this command{why}",
        where=folder,
        do="Move it away, or name another --out",
    )


def _check_same_way(
    folder: Path, metadata: SceneMetadata, processor: Processor, fingerprint: str
) -> None:
    """Raise where what is there was made from another product or with other settings."""
    there: dict[str, object]
    wanted: dict[str, object]
    if not processor.settings:
        there, wanted = {"product": fingerprint[:12]}, {"product": metadata.fingerprint[:12]}
    else:
        wanted = {"source": metadata.source, **processor.settings}
        there = {key: read_report(folder).get(key, "unknown") for key in wanted}
    if differing := [key for key in wanted if there[key] != wanted[key]]:
        was, now = (", ".join(f"{k} {d[k]}" for k in differing) for d in (there, wanted))
        raise ConflictError(
            f"is there already, made with {was}; now {now} is asked for",
            where=folder,
            do="Name another --out, or remove it first",
        )


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
            if target.exists():  # of this acquisition, and it does not open
                _check_ours(target)
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
