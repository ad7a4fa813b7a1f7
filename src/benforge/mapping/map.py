"""Maps of whole products: every window of a scene, asked about by a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from benforge.archive.executors import Workers, run_tasks
from benforge.archive.layout import check_outside_archives
from benforge.core.files import storage_errors
from benforge.core.progress import Progress, silent
from benforge.correction.correct import correct_products
from benforge.correction.jobs import check_outside, plan_job
from benforge.correction.port import CorrectOptions
from benforge.correction.registry import make_processor
from benforge.errors import BenError, InputError
from benforge.inference.windows import WindowModel, open_model
from benforge.mapping.plan import plan_map
from benforge.mapping.scene import MapWork, ProductMap, map_scene, name_map
from benforge.scenes.open import open_scene
from benforge.scenes.port import SceneReader
from benforge.scenes.several import failure_of

CORRECTED = "corrected"
"""Folder, in that of the maps, of L2A products that were made on the way."""


DECODED_ELSEWHERE = 2
"""Bands that other processes decode at a time: there are several, on cores that are not known."""


class MapSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was mapped.

    Args:
        model: its title.
        weights: SHA-256 of the checkpoint.
        nomenclature: of the classes.
        maps: one a product, in the order they were given.
    """

    model: str
    weights: str
    nomenclature: str
    maps: tuple[ProductMap, ...]

    def facts(self) -> dict[str, object]:
        """For people."""
        told = {f"map {i}": one.line() for i, one in enumerate(self.maps, start=1)}
        return {"model": self.model, "classes": self.nomenclature, **told}


def map_products(
    run: Path,
    products: Sequence[Path],
    out: Path,
    work: MapWork | None = None,
    *,
    device: str = "",
    workers: Workers = 1,
    progress: Progress = silent,
) -> MapSummary:
    """Write `out/<product>/` for each product: scores, patches, a picture and a note.

    A worker has one product in memory at a time. A map that is there and whole is left alone;
    where products fail, the others are mapped nevertheless. L1C products are corrected into
    `out/corrected`.

    Args:
        run: folder of a training, or its checkpoint.
        products: as `open_scene` takes them.
        out: folder to write into; made if missing.
        work: how; the defaults if None.
        device: cpu or cuda; the GPU where there is one if empty.
        workers: processes, each with a product at a time; or the address of a dask scheduler.
        progress: told what is done.

    Raises:
        InputError: no product, one twice, other bands than the model's, an impossible choice, or
            `out` inside a product.
        MissingError: no such checkpoint or product, or not what is to correct it.
        ProductError: a product is damaged, or not one.
        ConflictError: another map is at a product's place, or `out` is in an archive.
        StorageError: the disk is full.
    """
    check_outside_archives(out)
    work = work or MapWork()
    model = open_model(run, device)
    _look(products, model, out, work)
    mapper = _Mapper(run, out, work, device, model.digest, model, progress)
    told = _map_all(mapper, products, workers)
    maps = tuple(one for one in told if isinstance(one, ProductMap))
    pairs = zip(products, told, strict=True)
    if failed := {path: one for path, one in pairs if isinstance(one, BenError)}:
        raise failure_of(failed, len(products), "the others are mapped")
    contract = model.contract
    return MapSummary(
        model=contract.title,
        weights=model.digest,
        nomenclature=contract.nomenclature,
        maps=maps,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Mapper:
    """Maps one product of several; what a process here has at hand stays behind when it is sent.

    Args:
        run: folder of a training, or its checkpoint.
        out: folder to write into.
        work: how.
        device: cpu or cuda, or "".
        digest: SHA-256 of the checkpoint.
        model: opened; None to open it where the work is done.
        progress: told what is done.
    """

    run: Path
    out: Path
    work: MapWork
    device: str
    digest: str
    model: WindowModel | None = None
    progress: Progress = silent

    def __reduce__(self) -> tuple[object, ...]:
        run, out = self.run.absolute(), self.out.absolute()
        work = replace(self.work, threads=DECODED_ELSEWHERE)
        return type(self), (run, out, work, self.device, self.digest)

    def __call__(self, task: _Task) -> tuple[int, ProductMap | BenError]:
        """The number of the product, and its map or why there is none."""
        shown = _shown(self.progress, task.number, task.count)
        try:
            model = self.model or self._open()
            scene, by = _corrected(task.product, self.out, self.work, shown)
            found = map_scene(scene, model, self.out, self.work, corrected_by=by, progress=shown)
        except BenError as error:
            return task.number, error
        return task.number, found

    def _open(self) -> WindowModel:
        model = open_model(self.run, self.device)
        if model.digest != self.digest:
            raise InputError("another model than where the work began", where=self.run)
        return model


@dataclass(frozen=True, slots=True)
class _Task:
    """One product, its number, and how many there are."""

    product: Path
    number: int
    count: int


def _map_all(
    mapper: _Mapper, products: Sequence[Path], workers: Workers
) -> list[ProductMap | BenError]:
    """The map of each product, or why there is none, in their order."""
    count = len(products)
    if workers != 1:
        with storage_errors(mapper.out):
            mapper.out.mkdir(parents=True, exist_ok=True)
        products = [path.absolute() for path in products]
    reads = [mapper.run, *dict.fromkeys(path.parent for path in products)]
    tasks = [_Task(path, number, count) for number, path in enumerate(products)]
    told: dict[int, ProductMap | BenError] = {}
    for number, one in run_tasks(mapper, tasks, workers, reads=reads, writes=mapper.out):
        told[number] = one
        if workers != 1:
            mapper.progress("mapping products", len(told), count)
    return [told[number] for number in range(count)]


def _look(products: Sequence[Path], model: WindowModel, out: Path, work: MapWork) -> None:
    """Open all products, so that what is wrong with one is told before hours of work."""
    if not products:
        raise InputError("no product is given", do="Name the products to map")
    sources: dict[str, Path] = {}
    for path in products:
        check_outside(path, out)
        about = open_scene(path, verify=work.verify).metadata
        model.check_fits(about.sensor, str(path))
        plan_map(about.grid, model.contract.patch_pixels, work.choices.stride)
        if twice := sources.get(name_map(about)):
            raise InputError(f"the same product as {twice}", where=path, do="Give it once")
        if about.level != "L2A":
            _check_correctable(path, out, work)
        sources[name_map(about)] = path


def _check_correctable(path: Path, out: Path, work: MapWork) -> None:
    """Raise where what corrects an L1C product is not there, or cannot take it."""
    named = work.processor
    chosen = make_processor(named, CorrectOptions()) if isinstance(named, str | None) else named
    _ = chosen.version  # raises where its program is not there
    plan_job(path, out / CORRECTED, chosen)


def _corrected(path: Path, out: Path, work: MapWork, progress: Progress) -> tuple[SceneReader, str]:
    """The scene as L2A, and what corrected it or ""."""
    scene = open_scene(path, verify=work.verify)
    if scene.metadata.level == "L2A":
        return scene, ""
    made = correct_products([path], out / CORRECTED, work.processor, workers=1, progress=progress)
    again = open_scene(Path(made.products[0]), verify=work.verify)
    if again.metadata.level != "L2A":
        raise InputError("still L1C after correction", where=path, do="Choose another processor")
    return again, made.version


def _shown(progress: Progress, index: int, count: int) -> Progress:
    """Progress of one of several products."""
    head = f"product {index + 1} of {count}: " if count > 1 else ""

    def show(message: str, done: float = 0, total: float = 0) -> None:
        progress(f"{head}{message}", done, total)

    return show
