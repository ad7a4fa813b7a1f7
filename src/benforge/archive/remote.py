"""The pixels of an archive in object storage, read by ranges, many requests at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from benforge.archive.layout import array_name, scene_path
from benforge.archive.manifest import read_manifest
from benforge.archive.pixels import PixelReader, Place
from benforge.archive.remote_array import RemoteArray, ShardIndex, open_remote_arrays
from benforge.archive.requests import Request, plan_requests
from benforge.archive.shards import EMPTY, damaged
from benforge.core.object_path import ObjectPath
from benforge.core.sensor import Sensor
from benforge.errors import ArchiveError, InputError

CONNECTIONS = 32
"""Requests at a time."""

MAX_INDEXES = 20_000
"""Shard indexes kept, 2.7 kB each: all those of BigEarthNet's bands, 18,375."""

MAX_MAP_SHARDS = 16
"""Shards of class maps kept whole, some 100 kB each: two rows of a full tile."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class RemotePixelReader(PixelReader):
    """Reads patches of one archive as `PixelReader` does, from objects.

    The index of a shard is fetched once and kept; patches of a call that lie near each other come
    with one request, and requests run side by side. A reader may be pickled, and used from
    threads, but not after a fork.

    Args:
        root: the archive's address.
        sensor: the archive's sensor.
        connections: requests at a time, 4 MiB of memory each.
    """

    def __init__(self, root: ObjectPath, sensor: Sensor, connections: int = CONNECTIONS) -> None:
        super().__init__(root, sensor)
        self._place, self._connections = root, connections
        self._opened: dict[str, _Scene] = {}
        self._indexes = _Kept[ShardIndex](MAX_INDEXES)
        self._whole = _Kept[tuple[memoryview, ShardIndex]](MAX_MAP_SHARDS)
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()

    def __reduce__(self) -> tuple[object, ...]:
        """What was fetched stays behind."""
        return type(self), (self._place, self._sensor, self._connections)

    def read(self, scene: str, column: int, row: int) -> dict[int, npt.NDArray[np.uint16]]:
        """See `PixelReader`."""
        found = self.read_many([(scene, column, row)])
        return {size: patches[0] for size, patches in found.items()}

    def read_array(
        self, scene: str, pixel_size: int, column: int, row: int
    ) -> npt.NDArray[np.uint16]:
        """See `PixelReader`."""
        opened = self._scene(scene)
        if pixel_size not in opened.bands:
            raise ArchiveError(f"no band has pixels of {pixel_size} m", where=opened.folder)
        shape = opened.bands[pixel_size].facts.patch_shape
        room = {pixel_size: np.empty((1, *shape), np.uint16)}
        self.read_many([(scene, column, row)], room)
        found: npt.NDArray[np.uint16] = room[pixel_size][0]
        return found

    def read_map(self, scene: str, name: str, column: int, row: int) -> npt.NDArray[Any] | None:
        """See `PixelReader`; a shard of a map is small and is fetched whole."""
        opened = self._scene(scene)
        patch = opened.patch(column, row)
        array = opened.arrays.get(name)
        if array is None:
            return None
        shard, chunk = array.locate(patch)

        def fetch() -> tuple[memoryview, ShardIndex]:
            try:
                return array.read_whole(shard)
            except FileNotFoundError:
                return memoryview(b""), opened.index_without(array, shard)

        data, index = self._whole.get((scene, name, shard), fetch)
        offset, length = index[chunk].tolist()
        found: npt.NDArray[Any] = np.zeros(array.facts.patch_shape, array.facts.dtype)
        if offset != EMPTY:
            array.decode(shard, data[offset : offset + length], found)
        return found

    def _fill(self, places: Sequence[Place], out: Mapping[int, npt.NDArray[np.uint16]]) -> None:
        wanted: dict[tuple[str, int, int], list[_Wanted]] = {}
        for position, (scene, column, row) in enumerate(places):
            opened = self._scene(scene)
            patch = opened.patch(column, row)
            for size, array in opened.bands.items():
                if size in out:
                    shard, chunk = array.locate(patch)
                    room = _checked(out[size][position], array)
                    wanted.setdefault((scene, size, shard), []).append(_Wanted(chunk, room))
        self._fetch(wanted)

    def _fetch(self, wanted: Mapping[tuple[str, int, int], Sequence[_Wanted]]) -> None:
        """Fill every room: first the indexes that are not known, then the patches."""
        indexes = self._spread(self._index, wanted)
        jobs: list[_Job] = []
        for (scene, size, shard), index in zip(wanted, indexes, strict=True):
            array, stored = self._scene(scene).bands[size], []
            for one in wanted[scene, size, shard]:
                if index[one.chunk, 0] == EMPTY:
                    one.room[...] = 0
                else:
                    stored.append(one)
            ranges = [(int(a), int(b)) for a, b in index[[one.chunk for one in stored]]]
            requests = plan_requests(ranges)
            jobs += [_Job(array, shard, request, ranges, stored) for request in requests]
        self._spread(_Job.run, jobs)

    def _index(self, key: tuple[str, int, int]) -> ShardIndex:
        scene, size, shard = key
        opened = self._scene(scene)
        array = opened.bands[size]

        def fetch() -> ShardIndex:
            try:
                return array.read_index(shard)
            except FileNotFoundError:
                return opened.index_without(array, shard)

        return self._indexes.get(key, fetch)

    def _shapes(self, places: Sequence[Place]) -> dict[int, tuple[int, ...]]:
        """See `PixelReader`; all of their scenes are opened, at once."""
        first, *_ = self._spread(self._scene, dict.fromkeys(scene for scene, _, _ in places))
        return {size: array.facts.patch_shape for size, array in first.bands.items()}

    def _scene(self, name: str) -> _Scene:
        found = self._opened.get(name)
        if found is None:
            folder = scene_path(self._place, name)
            assert isinstance(folder, ObjectPath)
            found = self._opened[name] = _open_scene(folder, self._sensor)
        return found

    def _spread(self, work: Callable[[_T], _R], tasks: Iterable[_T]) -> list[_R]:
        """The results in order, side by side; after a failure what has not begun is dropped."""
        tasks = list(tasks)
        if len(tasks) < 2:
            return [work(task) for task in tasks]
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._connections, "objects")
            waiting = [self._pool.submit(work, task) for task in tasks]
        try:
            return [future.result() for future in waiting]
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Forget everything; the next read fetches again."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)
        self._opened.clear()
        self._indexes.clear()
        self._whole.clear()


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """One patch of a shard, and where its pixels are to go."""

    chunk: int
    room: npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """One request, and the patches in its answer."""

    array: RemoteArray
    shard: int
    request: Request
    ranges: Sequence[tuple[int, int]]
    wanted: Sequence[_Wanted]

    def run(self) -> None:
        """Fetch and decode."""
        path, request = self.array.path(self.shard), self.request
        try:
            data = path.bucket.read_range(path.key, request.start, request.length)
        except FileNotFoundError as error:
            raise damaged("the shard is missing", path) from error
        for part in request.parts:
            offset, length = self.ranges[part]
            start = offset - request.start
            self.array.decode(self.shard, data[start : start + length], self.wanted[part].room)


@dataclass(slots=True)
class _Scene:
    """A scene that has been opened: `bands` by pixel size, all of `rows` x `columns` patches."""

    folder: ObjectPath
    rows: int
    columns: int
    arrays: Mapping[str, RemoteArray]
    bands: Mapping[int, RemoteArray]
    listed: frozenset[str] = field(default_factory=frozenset)

    def patch(self, column: int, row: int) -> int:
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return row * self.columns + column
        raise InputError(f"there is no patch at column {column}, row {row}", where=self.folder)

    def index_without(self, array: RemoteArray, shard: int) -> ShardIndex:
        """The index of a shard that is no object: of nothing, unless the scene says it has one."""
        self.listed = self.listed or frozenset(read_manifest(self.folder))
        path = array.path(shard)
        if path.relative_to(self.folder).as_posix() in self.listed:
            raise damaged("the shard is missing", path)
        return array.nothing


def _open_scene(folder: ObjectPath, sensor: Sensor) -> _Scene:
    arrays = open_remote_arrays(folder)
    names = {size: array_name(size) for size in sensor.pixel_sizes}
    if lacking := next((name for name in names.values() if name not in arrays), None):
        raise damaged("the array's metadata cannot be read", folder / lacking / "zarr.json")
    bands = {size: arrays[name] for size, name in names.items()}
    shapes = {(array.facts.rows, array.facts.columns) for array in bands.values()}
    if len(shapes) > 1:
        raise damaged("the scene's arrays are not cut into the same patches", folder)
    return _Scene(folder, *shapes.pop(), arrays, bands)


def _checked(room: npt.NDArray[Any], array: RemoteArray) -> npt.NDArray[Any]:
    if room.shape != array.facts.patch_shape:
        raise ValueError(f"patches of {array.facts.patch_shape} do not fit into {room.shape}")
    return room


class _Kept(Generic[_T]):
    """What was fetched last, up to so many."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._found: OrderedDict[Hashable, _T] = OrderedDict()

    def get(self, key: Hashable, fetch: Callable[[], _T]) -> _T:
        """What is kept of a key, else what is fetched for it now."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        value = fetch()
        with self._lock:
            self._found[key] = value
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return value

    def clear(self) -> None:
        with self._lock:
            self._found.clear()
