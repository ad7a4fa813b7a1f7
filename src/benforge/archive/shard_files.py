"""How an array of a scene is cut into patches and shards, and the files of its shards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.archive.manifest import read_manifest
from benforge.archive.maps import map_file
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
    def kind(self) -> tuple[tuple[int, ...], np.dtype[Any], int]:
        """Shape and type of a patch, and patches of a shard."""
        return self.patch_shape, self.dtype, self.shard_rows * self.shard_columns

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
        map_file: maps a file.
    """

    def __init__(
        self, folder: Path, facts: ArrayFacts, map_file: Callable[[Path], memoryview] = map_file
    ) -> None:
        self._folder, self._facts, self._map_file = folder, facts, map_file

    def path(self, shard: int) -> Path:
        """The file of a shard, counted row by row."""
        bands = ("0",) * (len(self._facts.patch_shape) - 2)
        row, column = divmod(shard, self._facts.shard_counts[1])
        return self._folder.joinpath("c", *bands, str(row), str(column))

    def open(self, shard: int) -> tuple[memoryview, npt.NDArray[np.uint64]]:
        """The bytes of a shard and its index, `chunk (offset, length)`, verified.

        Raises:
            ArchiveError: the file is missing or damaged.
        """
        path, count = self.path(shard), self._facts.shard_rows * self._facts.shard_columns
        data = self._map(path)
        if data is None:
            return memoryview(b""), np.full((count, 2), EMPTY, np.uint64)
        return data, parse_index(data, count, where=path)

    def _map(self, path: Path) -> memoryview | None:
        """The file's bytes; None for a shard that holds no patch and so is no file."""
        try:
            return self._map_file(path)
        except FileNotFoundError:
            scene = self._folder.parent
            if path.relative_to(scene).as_posix() in read_manifest(scene):
                raise damaged("the shard is missing", path) from None
            return None
        except OSError as error:
            raise damaged(f"the shard cannot be read, {error}", path) from error
