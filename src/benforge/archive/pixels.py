"""The pixels of an archive, read at random at the speed of memory."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.archive.bands import Bands, check_room, join_bands, room_for
from benforge.archive.layout import array_name, scene_path
from benforge.archive.mapped import PatchArray, open_array
from benforge.archive.pools import ShardPool
from benforge.archive.shards import damaged
from benforge.core.sensor import Sensor
from benforge.errors import ArchiveError, InputError

MAX_MAPS = 32_000
"""Shards mapped at once, half of what Linux allows a process (vm.max_map_count, 65,530);
the whole of BigEarthNet, 125 full tiles with land cover, takes 30,625."""

AT_ONCE = 64
"""Patches that are copied in one call; their scenes stay mapped meanwhile, whatever else is."""
SLOW = 60e-6
"""Seconds a patch from which on a read may have waited for the disk; a copy takes 15 to 25."""
LOOKS = 16
"""Calls without any reading from the disk after which pixels are taken to be in memory."""

Place = tuple[str, int, int]
"""Scene, column and row of a patch."""


@dataclass(slots=True)
class _Scene:
    """The arrays of a scene that have been opened, all of `rows` x `columns` patches."""

    folder: Path
    rows: int
    columns: int
    arrays: tuple[tuple[int, PatchArray], ...]
    bands: Bands
    maps: dict[str, PatchArray | None] = field(default_factory=dict)

    def patch(self, column: int, row: int) -> int:
        """The patch as its arrays count it.

        Raises:
            InputError: there is no such patch.
        """
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return row * self.columns + column
        raise InputError(f"there is no patch at column {column}, row {row}", where=self.folder)


class PixelReader:
    """Reads patches of the scenes of one archive; every read returns a copy.

    While pixels come from the disk, a read tells the system first which parts of the files it will
    look at: they are then read together, and not megabytes around each, as the system does for
    maps. Patches in a row are left to it. Pixels in memory are just copied.

    Scenes and shards are opened when they are first read; where too many are open, the scene
    opened first is closed. A reader may be pickled, and used after a fork and from threads.

    Args:
        root: the archive's folder.
        sensor: the archive's sensor.
        max_maps: how many shards may be mapped at once.
    """

    def __init__(self, root: Path, sensor: Sensor, max_maps: int = MAX_MAPS) -> None:
        self._root, self._sensor, self._max_maps = root, sensor, max_maps
        self._scenes: dict[str, _Scene] = {}
        self._cold, self._blocks, self._next = LOOKS, 0, -1

    def __reduce__(self) -> tuple[object, ...]:
        """Maps stay behind: the copy opens its own, in whatever folder its process stands."""
        return type(self), (self._root.absolute(), self._sensor, self._max_maps)

    def read(self, scene: str, column: int, row: int) -> dict[int, npt.NDArray[np.uint16]]:
        """All bands of one patch.

        Returns:
            Pixel size (m) to `band row col`, uint16, at native size; zeros for a patch that the
            archive dropped.

        Raises:
            ArchiveError: there is no such scene, or a shard is damaged.
            InputError: there is no such patch.
        """
        opened = self._scenes.get(scene) or self._open(scene)
        patch = opened.patch(column, row)
        if self._cold:
            self._advise([(scene, column, row)], self._sensor.pixel_sizes)
        start = perf_counter()
        found = opened.bands.read(patch)
        if self._cold or perf_counter() - start > SLOW:
            self._look_at_the_disk()
        return found

    def read_array(
        self, scene: str, pixel_size: int, column: int, row: int
    ) -> npt.NDArray[np.uint16]:
        """The bands of one pixel size, `band row col`.

        Raises:
            ArchiveError: there is no such scene or pixel size, or a shard is damaged.
            InputError: there is no such patch.
        """
        opened = self._scenes.get(scene) or self._open(scene)
        for size, array in opened.arrays:
            if size == pixel_size:
                return array.read(opened.patch(column, row))
        raise ArchiveError(f"no band has pixels of {pixel_size} m", where=opened.folder)

    def read_map(self, scene: str, name: str, column: int, row: int) -> npt.NDArray[Any] | None:
        """One patch of `land_cover` (uint16) or `scene_classification` (uint8), `row col`.

        Returns:
            The classes, or None where the scene holds no such array.

        Raises:
            ArchiveError: there is no such scene, or a shard is damaged.
            InputError: there is no such patch.
        """
        opened = self._scenes.get(scene) or self._open(scene)
        if name not in opened.maps:
            folder = opened.folder / name
            opened.maps[name] = open_array(folder) if folder.is_dir() else None
        array = opened.maps[name]
        return None if array is None else array.read(opened.patch(column, row))

    def read_many(
        self, places: Sequence[Place], out: Mapping[int, npt.NDArray[np.uint16]] | None = None
    ) -> Mapping[int, npt.NDArray[np.uint16]]:
        """All bands of many patches of the same size, in the order given.

        Args:
            places: scene, column and row of each.
            out: pixel size to `patch band row col` to write into, as this returns it; a new one
                if None. Only the pixel sizes it holds are read. Arrays of `bands.room_for` are
                written fastest.

        Returns:
            Pixel size (m) to `patch band row col`, uint16; empty for no places and no `out`.

        Raises:
            ArchiveError: there is no such scene, or a shard is damaged.
            InputError: there is no such patch, or `out` does not take them.
        """
        if not places:
            return {} if out is None else out
        shapes = self._shapes(places)
        if out is None:
            out = {size: room_for((len(places), *shape)) for size, shape in shapes.items()}
        check_room(out, len(places), shapes)
        self._fill(places, out)
        return out

    def _fill(self, places: Sequence[Place], out: Mapping[int, npt.NDArray[np.uint16]]) -> None:
        """Read patches into arrays that take them."""
        if self._cold:
            self._advise(places, out)
        start = perf_counter()
        for part in range(0, len(places), AT_ONCE):
            here = slice(part, min(part + AT_ONCE, len(places)))
            self._gather(places[here], {size: room[here] for size, room in out.items()})
        if self._cold or perf_counter() - start > SLOW * len(places):
            self._look_at_the_disk()

    def _gather(self, places: Sequence[Place], out: Mapping[int, npt.NDArray[np.uint16]]) -> None:
        """All that lie in the same pools at once, the others one by one."""
        pools: tuple[ShardPool, ...] | None = None
        chosen, at, held = list[int](), list[int](), list[object]()
        for position, (scene, column, row) in enumerate(places):
            opened = self._scenes.get(scene) or self._open(scene)
            bands, patch = opened.bands, opened.patch(column, row)
            spot = bands.find(patch)
            pools = pools or bands.pools
            if spot is None or bands.pools != pools:
                bands.read_into(patch, out, position)
                continue
            chosen += spot[0]
            at.append(position)
            held.append(spot)  # nobody unmaps it meanwhile
        if pools and at:
            which = np.array(chosen, np.intp).reshape(-1, len(pools)).T
            for size, pool, some in zip(self._sensor.pixel_sizes, pools, which, strict=True):
                if size in out and len(at) < len(places):
                    out[size][at] = pool.patches[some]
                elif size in out:  # "clip", as numpy copies twice to leave `out` whole otherwise
                    np.take(pool.patches, some, axis=0, out=out[size], mode="clip")

    def _look_at_the_disk(self) -> None:
        """Find out whether this process has read from it since the last look."""
        blocks = getrusage(RUSAGE_SELF).ru_inblock
        self._cold = LOOKS if blocks != self._blocks else self._cold - (self._cold > 0)
        self._blocks = blocks

    def _advise(self, places: Sequence[Place], sizes: Container[int]) -> None:
        """Have the disk begin to read all of these, but for those that follow the one before."""
        for scene, column, row in places:
            opened = self._scenes.get(scene) or self._open(scene)
            patch = opened.patch(column, row)
            if patch != self._next:
                opened.bands.advise(patch, sizes)
            self._next = patch + 1

    def _shapes(self, places: Sequence[Place]) -> dict[int, tuple[int, ...]]:
        """Pixel size to `band row col` of the first of these patches."""
        scene = places[0][0]
        arrays = (self._scenes.get(scene) or self._open(scene)).arrays
        return {size: array.facts.patch_shape for size, array in arrays}

    def close(self) -> None:
        """Unmap everything; the next read opens again."""
        self._scenes.clear()

    def _open(self, scene: str) -> _Scene:
        folder = scene_path(self._root, scene)
        if not folder.is_dir():
            raise ArchiveError(
                "the scene's folder is missing", where=folder, do="See more with: ben check"
            )
        sizes = self._sensor.pixel_sizes
        arrays = tuple((size, open_array(folder / array_name(size))) for size in sizes)
        opened = _Scene(folder, *_shape(folder, arrays), arrays, join_bands(arrays))
        while self._scenes and self._maps() + _maps(opened) > self._max_maps:
            self._scenes.pop(next(iter(self._scenes)), None)
        self._scenes[scene] = opened
        return opened

    def _maps(self) -> int:
        return sum(_maps(scene) for scene in tuple(self._scenes.values()))


def _shape(folder: Path, arrays: Sequence[tuple[int, PatchArray]]) -> tuple[int, int]:
    """Rows and columns of patches, which all arrays of a scene share."""
    shapes = {(array.facts.rows, array.facts.columns) for _, array in arrays}
    if len(shapes) > 1:
        raise damaged("the scene's arrays are not cut into the same patches", folder)
    return shapes.pop()


def _maps(scene: _Scene) -> int:
    """Maps that a scene may come to hold: of its bands, and of two class maps like the first."""
    shards = [array.facts.shards for _, array in scene.arrays]
    return sum(shards) + 2 * max(shards)
