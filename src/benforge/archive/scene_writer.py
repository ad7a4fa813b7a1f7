"""Write one scene: built in a temporary folder and renamed into the archive when it is whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import zarr

from benforge.archive.georeference import consolidate, create_array, write_georeference
from benforge.archive.index import encode_rows
from benforge.archive.layout import (
    BUILD,
    INDEX,
    SCENES,
    ArrayPlan,
    SceneFrame,
    plan_arrays,
    scene_path,
    shard_path,
)
from benforge.archive.manifest import write_manifest
from benforge.archive.meta import SceneEntry, find_meta
from benforge.archive.shards import encode_shard, split_block, write_shard
from benforge.archive.storage import MAPS, ChunkCodec, StorageRecipe, make_codec
from benforge.core.files import storage_errors
from benforge.core.sensor import Sensor
from benforge.errors import ConflictError, InputError

BEGUN = ".begun"
"""In a draft: one that was removed, and made anew by a late write, lacks it."""


class SceneWriter:
    """One scene on its way into an archive; leave the `with` without `finish` and it is gone.

    The same arrays, records and provenance give the same bytes, whatever the threads. Different
    arrays may be written from different threads.

    Args:
        root: the archive's folder, which holds an `archive.json`.
        name: of the scene, usually its product id.
        frame: its ground, whole patches.
        sensor: names and order of the bands.
        storage: compression of the bands.
        threads: threads that compress and write shards.

    Raises:
        ArchiveError: the folder is no archive, or no longer.
        ConflictError: the archive holds a scene of this name.
        StorageError: the disk is full or the folder cannot be written.
    """

    def __init__(
        self,
        root: Path,
        name: str,
        frame: SceneFrame,
        sensor: Sensor,
        storage: StorageRecipe,
        *,
        threads: int = 1,
    ) -> None:
        self._root, self._name, self._frame, self._sensor = root, name, frame, sensor
        self._storage, self._threads = storage, threads
        self._target = scene_path(root, name)
        self._plans = plan_arrays(sensor)
        self._created: set[str] = set()
        self._lock = Lock()
        self._finished = False
        find_meta(root)
        if self._target.exists():
            raise _conflict(self._target)
        with storage_errors(root):
            (root / BUILD).mkdir(exist_ok=True)
            (root / SCENES).mkdir(exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=root / BUILD))
            self._folder.chmod(0o755)
            self._group = zarr.open_group(self._folder, mode="w", zarr_format=3)
            (self._folder / BEGUN).touch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.abandon()

    def abandon(self) -> None:
        """Remove what was written, unless it is finished."""
        if not self._finished:
            shutil.rmtree(self._folder, ignore_errors=True)

    def write_mosaic(
        self,
        array_name: str,
        array: npt.NDArray[Any],
        *,
        kept: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Write a whole array, shard by shard; no more than one shard a thread is copied.

        Args:
            array_name: "r10m", "r20m", "r60m", "land_cover" or "scene_classification".
            array: `band row col` or `row col`, the whole frame at the array's pixel size; a view
                is as good as a copy.
            kept: `row col` of patches; the others become empty chunks, which read as zeros.

        Raises:
            InputError: an array of another name, shape or type.
            StorageError: the disk is full.
        """
        plan = self._plan(array_name)
        edge = self._frame.patch_edge(plan.pixel_size)
        _check_array(plan, array, self._frame.rows * edge, self._frame.columns * edge)
        kept = self._all_patches() if kept is None else kept

        def write(shard: tuple[int, int]) -> None:
            rows, columns = self._frame.shard_patches(*shard)
            block = array[..., _pixels(rows, edge), _pixels(columns, edge)]
            self.write_block(array_name, *shard, block, kept=kept[rows, columns])

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(write, self._frame.shards()))

    def write_block(
        self,
        array_name: str,
        shard_row: int,
        shard_column: int,
        block: npt.NDArray[Any],
        *,
        kept: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Write one shard; shards that are never written hold no patch.

        Args:
            array_name: as for `write_mosaic`.
            shard_row: row of the shard, from 0 to `frame.shard_counts[0] - 1`.
            shard_column: its column.
            block: `band row col` or `row col`, the pixels of `frame.shard_patches(...)`.
            kept: `row col` of the shard's patches; the others become empty chunks. Patches that
                are zero throughout do so anyway.

        Raises:
            InputError: an array of another name, shape or type.
            GridError: there is no such shard.
            StorageError: the disk is full.
        """
        plan = self._plan(array_name)
        edge = self._frame.patch_edge(plan.pixel_size)
        rows, columns = self._frame.shard_patches(shard_row, shard_column)
        kept = self._all_patches()[rows, columns] if kept is None else kept
        _check_array(plan, block, kept.shape[0] * edge, kept.shape[1] * edge)
        self._create(plan)
        shape = self._frame.shard_shape
        parts = encode_shard(split_block(block, edge), kept, shape, self._codec(plan))
        write_shard(shard_path(self._folder, plan, shard_row, shard_column), parts)

    def finish(self, records: pa.Table, provenance: Mapping[str, Any]) -> SceneEntry:
        """Write rows, metadata and checksums, then rename the folder into the archive.

        Args:
            records: a table of `benforge.core.record.SCHEMA`, one row a patch of this scene.
            provenance: JSON-able, the same on every machine; holds at least `product` and
                `source`, as in `SceneEntry`.

        Returns:
            What `archive.json` says of the scene.

        Raises:
            InputError: rows of another scene, twice, or outside the frame; or a provenance
                without product and source.
            ArchiveError: the archive was given up meanwhile.
            ConflictError: another writer finished a scene of this name meanwhile.
            StorageError: the disk is full.
        """
        self._check_records(records)
        if not {"product", "source"} <= set(provenance):
            raise InputError("the provenance names no product and source", where=self._name)
        with storage_errors(self._target):
            for plan in self._plans.values():
                if plan.bands:
                    self._create(plan)
            written = [self._plans[name] for name in sorted(self._created)]
            write_georeference(self._group, written, self._frame)
            consolidate(self._folder, self._attributes(provenance))
            (self._folder / INDEX).write_bytes(encode_rows(records))
            self._end_draft()
            digest = write_manifest(self._folder, threads=max(2, self._threads))
            self._publish()
        return SceneEntry(
            name=self._name,
            product=str(provenance["product"]),
            source=str(provenance["source"]),
            patches=len(records),
            manifest=digest,
        )

    def _end_draft(self) -> None:
        """From here on nothing makes the folder anew."""
        try:
            (self._folder / BEGUN).unlink()
        except FileNotFoundError as error:
            raise ConflictError("another run removed this draft", where=self._folder) from error

    def _publish(self) -> None:
        find_meta(self._root)  # a worker that a lost cluster left behind may come late
        try:
            self._folder.rename(self._target)
        except OSError as error:
            if self._target.exists():
                raise _conflict(self._target) from error
            raise
        self._finished = True

    def _attributes(self, provenance: Mapping[str, Any]) -> dict[str, Any]:
        frame = self._frame
        return {
            "Conventions": "CF-1.10",
            "sensor": self._sensor.name,
            "frame": {
                "columns": frame.columns,
                "rows": frame.rows,
                "patch_pixels": frame.patch_pixels,
                "grid": asdict(frame.grid),
            },
            "provenance": dict(provenance),
        }

    def _all_patches(self) -> npt.NDArray[np.bool_]:
        return np.ones((self._frame.rows, self._frame.columns), np.bool_)

    def _plan(self, array_name: str) -> ArrayPlan:
        if array_name not in self._plans:
            raise InputError(
                f"a scene holds no array {array_name!r}", do=f"Use {', '.join(self._plans)}"
            )
        return self._plans[array_name]

    def _storage_of(self, plan: ArrayPlan) -> StorageRecipe:
        return self._storage if plan.bands else MAPS

    def _codec(self, plan: ArrayPlan) -> ChunkCodec:
        return make_codec(self._storage_of(plan))

    def _create(self, plan: ArrayPlan) -> None:
        with self._lock, storage_errors(self._folder):
            if plan.name not in self._created:
                create_array(self._group, plan, self._frame, self._storage_of(plan))
                self._created.add(plan.name)

    def _check_records(self, records: pa.Table) -> None:
        if set(records["scene"].unique().to_pylist()) - {self._name}:
            raise InputError("rows of another scene", where=self._name)
        rows, columns = (np.asarray(records[axis], np.int64) for axis in ("row", "column"))
        outside = (rows < 0) | (rows >= self._frame.rows)
        outside |= (columns < 0) | (columns >= self._frame.columns)
        if outside.any():
            raise InputError("a patch lies outside the scene's frame", where=self._name)
        if len(np.unique(rows * self._frame.columns + columns)) < len(rows):
            raise InputError("two rows for one patch", where=self._name)


def _check_array(plan: ArrayPlan, array: npt.NDArray[Any], height: int, width: int) -> None:
    expected = plan.shape(height, width)
    if array.shape != expected or array.dtype != plan.dtype:
        raise InputError(
            f"{plan.dtype} {expected} was expected, not {array.dtype} {array.shape}",
            where=plan.name,
        )


def _pixels(patches: slice, edge: int) -> slice:
    return slice(patches.start * edge, patches.stop * edge)


def _conflict(target: Path) -> ConflictError:
    return ConflictError("the archive holds this scene already", where=target)
