"""One array of a scene, read a patch at a time: through memory maps where its layout is ours.

A patch is counted row by row: `row * columns + column`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benforge.archive.maps import read_ahead
from benforge.archive.pools import find_pool
from benforge.archive.shard_files import ArrayFacts, ShardFiles, locate
from benforge.archive.shards import EMPTY, damaged
from benforge.archive.storage import ChunkCodec, PlainCodec, parse_codec

_INDEX_CODECS = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
_LITTLE: tuple[dict[str, str], ...] = ({}, {"endian": "little"})

_DAMAGE = (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What metadata that were tampered with make of json, numpy and zarr-python."""

PlainShard = tuple[npt.NDArray[Any], list[int | None], int | None]
"""The stored chunks of a shard, which of them each chunk of the index is, and which of its pool's
patches the first is; None where it lies in none."""

_CodedShard = tuple[memoryview, memoryview]
"""The bytes of a shard, and offset and length of each chunk, one number after the other."""


class PatchArray(Protocol):
    """One array of a scene."""

    @property
    def facts(self) -> ArrayFacts:
        """Its shape and how it is cut."""
        ...

    def read(self, patch: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """A copy of one patch's pixels, in `out` if given; zeros where none are stored.

        The patch is one that the array has: callers check.

        Raises:
            ArchiveError: the shard is damaged.
        """
        ...

    def advise(self, patch: int) -> None:
        """Have the disk begin to read a patch that will be read soon.

        Raises:
            ArchiveError: the shard is damaged.
        """
        ...


def open_array(folder: Path) -> PatchArray:
    """An array of a scene.

    Args:
        folder: below the scene, holds `zarr.json`; shards are opened when they are first read.

    Raises:
        ArchiveError: the metadata are missing or damaged.
    """
    path = folder / "zarr.json"
    try:
        facts = parse_facts(json.loads(path.read_bytes()))
        if facts.codec is None:
            return ZarrArray(folder, facts)
    except _DAMAGE as error:
        raise damaged("the array's metadata cannot be read", path) from error
    kind = PlainArray if isinstance(facts.codec, PlainCodec) else CodedArray
    return kind(folder, facts)


def parse_facts(metadata: Mapping[str, Any]) -> ArrayFacts:
    """What an array's `zarr.json` says; where it is none, whatever Python raises of it."""
    shard = metadata["chunk_grid"]["configuration"]["chunk_shape"]
    codecs = metadata["codecs"]
    sharded = [codec["name"] for codec in codecs] == ["sharding_indexed"]
    chunk = codecs[0]["configuration"]["chunk_shape"] if sharded else shard
    height, width = chunk[-2:]
    default_keys = {"name": "default", "configuration": {"separator": "/"}}
    ours = sharded and metadata["chunk_key_encoding"] == default_keys
    return ArrayFacts(
        dtype=np.dtype(metadata["data_type"]).newbyteorder("<"),
        patch_shape=tuple(map(int, chunk)),
        rows=metadata["shape"][-2] // height,
        columns=metadata["shape"][-1] // width,
        shard_rows=shard[-2] // height,
        shard_columns=shard[-1] // width,
        codec=_parse_codec(codecs[0]["configuration"]) if ours else None,
    )


def _parse_codec(sharding: Mapping[str, Any]) -> ChunkCodec | None:
    first, *rest = sharding["codecs"]
    little = first["name"] == "bytes" and first.get("configuration", {}) in _LITTLE
    at_end = sharding.get("index_location", "end") == "end"
    ours = little and at_end and sharding["index_codecs"] == _INDEX_CODECS
    return parse_codec(rest) if ours else None


class PlainArray:
    """An array stored without compression: a patch costs one lookup and one copy.

    `where` tells shard and chunk of every patch; `pool` is where its shards are mapped, if they
    are in one.
    """

    def __init__(self, folder: Path, facts: ArrayFacts) -> None:
        self.facts, self.pool = facts, find_pool(facts.patch_shape, facts.dtype)
        self._files = ShardFiles(folder, facts, self.pool)
        self.where = locate(facts.rows, facts.columns, facts.shard_rows, facts.shard_columns)
        self._shards: list[PlainShard | None] = [None] * facts.shards

    def read(self, patch: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """See `PatchArray`."""
        shard, chunk = self.where[patch]
        chunks, slots, _ = self.shard(shard)
        slot = slots[chunk]
        if slot is None:
            return _zeros(self.facts, out)
        if out is None:
            copy: npt.NDArray[Any] = chunks[slot].copy()
            return copy
        out[...] = chunks[slot]
        return out

    def advise(self, patch: int) -> None:
        """See `PatchArray`."""
        shard, chunk = self.where[patch]
        chunks, slots, _ = self.shard(shard)
        slot = slots[chunk]
        if slot is not None:
            read_ahead(chunks[slot].ctypes.data, self.facts.patch_bytes)

    def shard(self, shard: int) -> PlainShard:
        """A shard, opened once.

        Raises:
            ArchiveError: the shard is damaged.
        """
        return self._shards[shard] or self._open(shard)

    def _open(self, shard: int) -> PlainShard:
        data, index, first = self._files.open(shard)
        size = self.facts.patch_bytes
        stored = index[:, 0] != EMPTY
        if (index[stored, 1] != size).any() or (index[stored, 0] % size).any():
            raise damaged("the shard's chunks do not fit its patches", self._files.path(shard))
        count = int(index[stored, 0].max()) // size + 1 if stored.any() else 0
        chunks = np.ndarray((count, *self.facts.patch_shape), self.facts.dtype, data)
        slots = [
            int(offset) // size if there else None
            for offset, there in zip(index[:, 0], stored, strict=True)
        ]
        opened = self._shards[shard] = chunks, slots, first
        return opened


class CodedArray:
    """An array of compressed chunks, each decoded straight from the map."""

    def __init__(self, folder: Path, facts: ArrayFacts) -> None:
        assert facts.codec is not None
        self.facts = facts
        self._codec = facts.codec
        self._files = ShardFiles(folder, facts)
        self._where = locate(facts.rows, facts.columns, facts.shard_rows, facts.shard_columns)
        self._shards: list[_CodedShard | None] = [None] * facts.shards

    def read(self, patch: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """See `PatchArray`."""
        data, offset, length = self._locate(patch)
        if offset == EMPTY:
            return _zeros(self.facts, out)
        target = out if out is not None else np.empty(self.facts.patch_shape, self.facts.dtype)
        try:
            self._codec.decode(data[offset : offset + length], target)
        except (RuntimeError, ValueError) as error:
            path = self._files.path(self._where[patch][0])
            raise damaged("a chunk cannot be decoded", path) from error
        return target

    def advise(self, patch: int) -> None:
        """See `PatchArray`."""
        data, offset, length = self._locate(patch)
        if offset != EMPTY and length:
            start = np.frombuffer(data, np.uint8, 1, offset).ctypes.data
            read_ahead(start, length)

    def _locate(self, patch: int) -> tuple[memoryview, int, int]:
        """The bytes of its shard, and offset and length of its chunk there."""
        shard, chunk = self._where[patch]
        data, index = self._shards[shard] or self._open(shard)
        return data, index[2 * chunk], index[2 * chunk + 1]

    def _open(self, shard: int) -> _CodedShard:
        data, index, _ = self._files.open(shard)
        opened = self._shards[shard] = data, index.reshape(-1).data
        return opened


class ZarrArray:
    """An array of a layout that is not ours, read through zarr-python: right, but slower."""

    def __init__(self, folder: Path, facts: ArrayFacts) -> None:
        import zarr  # here, as importing it takes longer than opening most archives

        self.facts = facts
        self._folder = folder
        self._array = zarr.open_array(folder, mode="r")

    def read(self, patch: int, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """See `PatchArray`."""
        row, column = divmod(patch, self.facts.columns)
        height, width = self.facts.patch_shape[-2:]
        rows = slice(row * height, (row + 1) * height)
        columns = slice(column * width, (column + 1) * width)
        try:
            found = np.asarray(self._array[..., rows, columns])
        except _DAMAGE as error:
            raise damaged(f"cannot be read, {error}", self._folder) from error
        if out is None:
            return found
        out[...] = found
        return out

    def advise(self, patch: int) -> None:
        """Nothing: zarr-python reads when it is asked."""


def _zeros(facts: ArrayFacts, out: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    if out is None:
        return np.zeros(facts.patch_shape, facts.dtype)
    out[...] = 0
    return out
