"""One array of a scene in object storage: where its patches lie, and how they are decoded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benforge.archive.mapped import parse_facts
from benforge.archive.shard_files import ArrayFacts
from benforge.archive.shards import EMPTY, damaged, index_size, parse_index
from benforge.core.object_path import ObjectPath
from benforge.errors import ArchiveError

ShardIndex = npt.NDArray[np.uint64]
"""`chunk (offset, length)`, `EMPTY` where a chunk is not stored."""


@dataclass(frozen=True, slots=True)
class RemoteArray:
    """An array whose shards are objects.

    Args:
        folder: below the scene.
        facts: its shape and how it is cut; its codec is ours.
    """

    folder: ObjectPath
    facts: ArrayFacts

    def locate(self, patch: int) -> tuple[int, int]:
        """The shard of a patch, and its chunk in the shard's index; all counted row by row."""
        facts = self.facts
        row, column = divmod(patch, facts.columns)
        shard = row // facts.shard_rows * facts.shard_counts[1] + column // facts.shard_columns
        chunk = row % facts.shard_rows * facts.shard_columns + column % facts.shard_columns
        return shard, chunk

    def path(self, shard: int) -> ObjectPath:
        """The object of a shard."""
        bands = ("0",) * (len(self.facts.patch_shape) - 2)
        row, column = divmod(shard, self.facts.shard_counts[1])
        return self.folder.joinpath("c", *bands, str(row), str(column))

    def read_index(self, shard: int) -> ShardIndex:
        """The index of a shard, by one request for the shard's end.

        Raises:
            FileNotFoundError: there is no such object.
            ArchiveError: the shard is damaged.
            ObjectStorageError: the storage cannot be asked.
        """
        path = self.path(shard)
        end, size = path.bucket.read_end(path.key, index_size(self._chunks))
        return parse_index(end, self._chunks, where=path, size=size)

    def read_whole(self, shard: int) -> tuple[memoryview, ShardIndex]:
        """The bytes of a shard and its index, by one request.

        Raises:
            FileNotFoundError: there is no such object.
            ArchiveError: the shard is damaged.
            ObjectStorageError: the storage cannot be asked.
        """
        path = self.path(shard)
        data = memoryview(path.read_bytes())
        return data, parse_index(data, self._chunks, where=path)

    @property
    def nothing(self) -> ShardIndex:
        """The index of a shard that holds no patch and so is no object."""
        return np.full((self._chunks, 2), EMPTY, np.uint64)

    @property
    def _chunks(self) -> int:
        return self.facts.shard_rows * self.facts.shard_columns

    def decode(self, shard: int, data: memoryview, out: npt.NDArray[Any]) -> None:
        """Fill `out` from the stored bytes of a patch.

        Raises:
            ArchiveError: they cannot be decoded.
        """
        assert self.facts.codec is not None
        try:
            self.facts.codec.decode(data, out)
        except (RuntimeError, ValueError) as error:
            raise damaged("a chunk cannot be decoded", self.path(shard)) from error


def open_remote_arrays(scene: ObjectPath) -> dict[str, RemoteArray]:
    """Every sharded array of a scene, by its name, from one request for the group's metadata.

    Raises:
        ArchiveError: there is no such scene, its metadata are damaged, or an array is stored in
            a way that only zarr-python reads.
        ObjectStorageError: the storage cannot be asked.
    """
    path = scene / "zarr.json"
    try:
        group = json.loads(path.read_bytes())
        told = group["consolidated_metadata"]["metadata"]
        arrays = {name: parse_facts(one) for name, one in told.items() if _sharded(one)}
    except FileNotFoundError as error:
        raise ArchiveError(
            "the scene is missing", where=scene, do="See more with: ben check"
        ) from error
    except (ArithmeticError, LookupError, TypeError, AttributeError, ValueError) as error:
        raise damaged("the scene's metadata cannot be read", path) from error
    found = {}
    for name, facts in arrays.items():
        if facts.codec is None:
            raise ArchiveError(
                "stored in a way that is read from folders alone",
                where=scene / name,
                do="Copy the archive to a folder first: ben copy",
            )
        found[name] = RemoteArray(scene / name, facts)
    return found


def _sharded(metadata: Mapping[str, Any]) -> bool:
    return any(codec["name"] == "sharding_indexed" for codec in metadata["codecs"])
