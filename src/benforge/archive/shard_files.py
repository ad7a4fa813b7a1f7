"""How an array of a scene is cut into patches and shards, and the files of its shards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.archive.manifest import read_manifest
from benforge.archive.maps import map_file
from benforge.archive.pools import ShardPool
from benforge.archive.shards import EMPTY, damaged, parse_index
from benforge.archive.storage import ChunkCodec


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """What an array's metadata say, as far as reading needs it.

    Args:
        dtype: type of a value, little-endian.
        patch_shape: `band row col` or `row col` of one patch.
        rows: of patches.
        columns: of patches.
        shard_rows: rows of patches in a shard.
        shard_columns: columns of patches in a shard.
        codec: what decodes a chunk; None where the layout is not ours.
    """

    dtype: np.dtype[Any]
    patch_shape: tuple[int, ...]
    rows: int
    columns: int
    shard_rows: int
    shard_columns: int
    codec: ChunkCodec | None

    @property
    def shard_counts(self) -> tuple[int, int]:
        """Rows and columns of shards."""
        return -(-self.rows // self.shard_rows), -(-self.columns // self.shard_columns)

    @property
    def shards(self) -> int:
        """Files that the array has at most."""
        down, across = self.shard_counts
        return down * across

    @property
    def patch_bytes(self) -> int:
        """Bytes of a patch in memory."""
        return int(np.prod(self.patch_shape)) * self.dtype.itemsize


@cache
def locate(rows: int, columns: int, high: int, wide: int) -> list[tuple[int, int]]:
    """Shard and chunk of every patch; shared by the arrays of all scenes that are cut alike."""
    across = -(-columns // wide)
    return [
        (row // high * across + column // wide, row % high * wide + column % wide)
        for row in range(rows)
        for column in range(columns)
    ]


class ShardFiles:
    """The files of an array's shards, opened as memory maps.

    An open array holds no file descriptor; forked processes share its maps.

    Args:
        folder: of the array.
        facts: how it is cut.
        pool: where the files are mapped, if there is one.
    """

    def __init__(self, folder: Path, facts: ArrayFacts, pool: ShardPool | None = None) -> None:
        self._folder, self._facts, self._pool = folder, facts, pool

    def path(self, shard: int) -> Path:
        """The file of a shard, counted row by row."""
        bands = ("0",) * (len(self._facts.patch_shape) - 2)
        row, column = divmod(shard, self._facts.shard_counts[1])
        return self._folder.joinpath("c", *bands, str(row), str(column))

    def open(self, shard: int) -> tuple[memoryview, npt.NDArray[np.uint64], int | None]:
        """The bytes of a shard; its index, `chunk (offset, length)`, verified; its place.

        The place is which of the pool's patches the bytes begin with; None where they lie in none.

        Raises:
            ArchiveError: the file is missing or damaged.
        """
        path, count = self.path(shard), self._facts.shard_rows * self._facts.shard_columns
        found = self._map(path)
        if found is None:
            return memoryview(b""), np.full((count, 2), EMPTY, np.uint64), None
        data, first = found
        return data, parse_index(data, count, where=path), first

    def _map(self, path: Path) -> tuple[memoryview, int | None] | None:
        """The file's bytes and place; None for a shard that holds no patch and so is no file."""
        try:
            return self._pool.map_file(path) if self._pool else (map_file(path), None)
        except FileNotFoundError:
            scene = self._folder.parent
            if path.relative_to(scene).as_posix() in read_manifest(scene):
                raise damaged("the shard is missing", path) from None
            return None
        except OSError as error:
            raise damaged(f"the shard cannot be read, {error}", path) from error
