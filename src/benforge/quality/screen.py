"""Screen an archive: every patch looked at, its shares told, its flags proposed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from benforge.archive.archive import Archive
from benforge.archive.executors import Workers, few_workers, run_tasks
from benforge.archive.index import read_rows
from benforge.archive.layout import INDEX, SCREENINGS
from benforge.archive.pixels import Place
from benforge.archive.sidecars import sidecar_path
from benforge.core.progress import Progress, silent
from benforge.errors import ConflictError
from benforge.quality.recipe import ScreenRecipe
from benforge.quality.screen_scene import SceneTask, screen_scene
from benforge.quality.screening import FLAGS, SCHEMA, Screening
from benforge.quality.screening_files import DEFAULT_NAME, read_screening, write_screening

METHOD = "benforge, indices and shapes of shadows, version 2"
"""What looks at patches; another version may find other shares."""

WORTH_A_PROCESS = 8192
"""Patches below which starting another process takes longer than looking."""

Mask = npt.NDArray[np.bool_]

Part = tuple[npt.NDArray[np.int64], list[Place]]
"""The rows of a scene's patches in the index, and their places."""

SAVE_SECONDS = 15.0
"""Between two savings of what is done."""


class ScreenSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a screening came to; JSON-able.

    Args:
        name: as in `screenings/<name>.parquet`.
        file: that file.
        method: what looked.
        simulated: whether the archive is simulated.
        patches: how many the screening names.
        screened: how many were looked at now; the others were there.
        patches_per_second: how fast those were.
        proposed: flag to patches.
        sources: source of the shares to patches.
    """

    name: str
    file: str
    method: str
    simulated: bool
    patches: int
    screened: int
    patches_per_second: float
    proposed: Mapping[str, int]
    sources: Mapping[str, int]

    def facts(self) -> dict[str, object]:
        """The same as lines to print."""
        speed = f", {self.patches_per_second:,.0f} patches/s" if self.screened else ""
        return {
            "patches": f"{self.patches:,}" + (", simulated" if self.simulated else ""),
            "looked at now": f"{self.screened:,}{speed}",
            **{f"proposed {flag}": f"{count:,}" for flag, count in self.proposed.items()},
            **{f"from {source}": f"{count:,}" for source, count in self.sources.items()},
        }


def screen_archive(
    archive: Archive,
    *,
    name: str = DEFAULT_NAME,
    recipe: ScreenRecipe | None = None,
    replace: bool = False,
    workers: Workers = None,
    progress: Progress = silent,
) -> ScreenSummary:
    """Look at every patch that the screening of this name does not hold yet, and write it.

    Scenes are looked at one by one, in parallel, and what is done is saved now and then: after
    an interruption, or where the archive has grown, the same call goes on.

    Args:
        archive: opened.
        name: of the screening.
        recipe: the thresholds; the defaults if None.
        replace: whether a screening of other rules gives way.
        workers: processes; None for every core, or this process alone if the archive is small;
            or the address of a dask scheduler.
        progress: told how many patches are looked at.

    Raises:
        InputError: a name that cannot be a file's, or less than one worker.
        ConflictError: a screening of other rules or another archive has this name, and not
            `replace`.
        ArchiveError: a scene is missing or damaged, or the screening that is there is.
        StorageError: the disk is full.
    """
    started, recipe = time.perf_counter(), recipe or ScreenRecipe()
    file = sidecar_path(archive.root, SCREENINGS, name)
    draft = _Draft(archive, name, recipe, replace=replace)
    parts = _parts(archive, draft.missing())
    total, done = sum(len(places) for _, places in parts), 0
    workers = few_workers(workers, min(1 + total // WORTH_A_PROCESS, len(parts)))
    tasks = _tasks(archive, parts, recipe)
    try:
        for found in run_tasks(screen_scene, tasks, workers, reads=[archive.root]):
            done += len(found)
            draft.add(found)
            progress("looking at patches", done, total)
    except BaseException:
        draft.save()
        raise
    draft.save(whole=True)
    seconds = time.perf_counter() - started
    return _summary(draft.screening, file, done, seconds)


class _Draft:
    """A screening as it grows, saved now and then."""

    def __init__(self, archive: Archive, name: str, recipe: ScreenRecipe, *, replace: bool) -> None:
        self._archive, self._saved = archive, time.monotonic()
        self._new: list[pa.Table] = []
        rules = msgspec.json.decode(msgspec.json.encode(recipe))
        empty = Screening(name, METHOD, SCHEMA.empty_table(), rules, archive.meta.simulated)
        there = None if replace else _read_same(archive, empty)
        self.screening, self._first, self._replace = there or empty, there is None, replace

    def missing(self) -> Mask:
        """Whether each patch of the archive is still to be looked at."""
        known = self.screening.table["patch_id"].combine_chunks()
        return ~np.asarray(pc.is_in(self._archive.index["patch_id"], known))

    def add(self, rows: pa.Table) -> None:
        """Take the rows of a scene; those that are known already stay as they are."""
        self._new.append(rows)
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def save(self, *, whole: bool = False) -> None:
        """Write what is new; what is to be replaced stays until the screening is `whole`."""
        self._saved = time.monotonic()
        if self._replace and not whole:
            return
        if self._new or (self._first and whole):
            self.screening = self._joined()
            write_screening(self._archive.root, self.screening, replace=True)
        self._new = []

    def _joined(self) -> Screening:
        old, simulated = self.screening, self._archive.meta.simulated
        new = pa.concat_tables(self._new or [SCHEMA.empty_table()])
        known = old.table["patch_id"].combine_chunks()
        new = new.filter(pc.invert(pc.is_in(new["patch_id"], known)))
        table = pa.concat_tables([old.table, new]).sort_by("patch_id")
        table = table.unify_dictionaries().combine_chunks()
        return Screening(old.name, METHOD, table, old.parameters, simulated)


def _read_same(archive: Archive, wanted: Screening) -> Screening | None:
    """The screening that is there, made by the same rules; None where there is none.

    Raises:
        ConflictError: it was made by others, or of another archive.
    """
    path = sidecar_path(archive.root, SCREENINGS, wanted.name)
    if not path.exists():
        return None
    there = read_screening(archive.root, wanted.name)
    _check_own(archive, there.table["patch_id"], path)
    if (there.method, there.parameters) != (wanted.method, wanted.parameters):
        raise ConflictError(
            "a screening made by other rules has this name",
            where=path,
            do="Give another with --name, or do away with it: --replace",
        )
    return there


def _check_own(archive: Archive, named: pa.ChunkedArray, path: Path) -> None:
    """Refuse to go on with a screening that names patches which the archive, whole, has not.

    Raises:
        ConflictError: it does.
    """
    if pc.all(pc.is_in(named, archive.index["patch_id"])).as_py() is not False:
        return
    known = read_rows(archive.root / INDEX)["patch_id"]
    strange = pc.sum(pc.invert(pc.is_in(named, known))).as_py()
    if strange:
        raise ConflictError(
            f"the screening that is there names {strange:,} patches that are not in the archive",
            where=path,
            do="Give another with --name, or do away with it: --replace",
        )


def _parts(archive: Archive, wanted: Mask) -> list[Part]:
    """The scenes that have patches to be looked at, whole: shadows are found scene by scene."""
    return [part for part in archive.places_by_scene() if wanted[part[0]].any()]


def _tasks(archive: Archive, parts: Iterable[Part], recipe: ScreenRecipe) -> Iterator[SceneTask]:
    ids, shapes = (archive.index[name] for name in ("patch_id", "geometry"))
    for rows, places in parts:
        yield SceneTask(
            archive.pixels,
            archive.meta.sensor,
            _take(ids, rows),
            places,
            float(shapely.from_wkb(shapes[int(rows[0])].as_py()).centroid.y),
            recipe,
        )


def _take(column: pa.ChunkedArray, rows: npt.NDArray[np.int64]) -> pa.Array:
    """These rows of a column, ascending; no more of it is touched than lies between them."""
    first = int(rows[0])
    near = column.slice(first, int(rows[-1]) - first + 1).combine_chunks()
    return near.take(pa.array(rows - first))


def _summary(screening: Screening, file: Path, screened: int, seconds: float) -> ScreenSummary:
    rows = screening.table
    sources = pc.value_counts(rows["source"].cast(pa.string())).to_pylist()
    return ScreenSummary(
        name=screening.name,
        file=str(file),
        method=screening.method,
        simulated=screening.simulated,
        patches=len(rows),
        screened=screened,
        patches_per_second=screened / seconds,
        proposed={flag: pc.sum(rows[flag]).as_py() or 0 for flag in FLAGS},
        sources={each["values"]: each["counts"] for each in sources},
    )
