"""The bytes of a shard: its chunks, then an index of 16 bytes a chunk, then the index's CRC-32C.

This is the `sharding_indexed` codec of Zarr v3 with its index at the end, as zarr-python reads
and writes it; written here because a full tile then takes a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from benforge.archive.storage import ChunkCodec, PlainCodec
from benforge.core.files import storage_errors
from benforge.errors import ArchiveError

EMPTY = 2**64 - 1
"""Offset and length of a chunk that is not stored: it reads as zeros."""

_CRC = 4


def split_block(block: npt.NDArray[Any], edge: int) -> npt.NDArray[Any]:
    """A block of pixels as patches.

    Args:
        block: `band row col` or `row col`, whole patches.
        edge: pixels along the edge of a patch.

    Returns:
        `patch_row patch_col band row col` (no band axis where the block has none), a contiguous
        copy, little-endian.
    """
    *bands, height, width = block.shape
    parts = block.reshape(*bands, height // edge, edge, width // edge, edge)
    axes = (1, 3, 0, 2, 4) if bands else (0, 2, 1, 3)
    return np.ascontiguousarray(parts.transpose(axes), dtype=block.dtype.newbyteorder("<"))


def encode_shard(
    patches: npt.NDArray[Any],
    kept: npt.NDArray[np.bool_],
    shape: tuple[int, int],
    codec: ChunkCodec,
) -> list[bytes | memoryview]:
    """The parts of a shard's file, in order; none where no patch is left to store.

    Args:
        patches: as `split_block` gives them; may be fewer than `shape` at the frame's edge.
        kept: `patch_row patch_col`; what is not kept, or is zero throughout, is not stored.
        shape: rows and columns of patches that the shard's index counts.
        codec: how a chunk is stored.
    """
    rows, columns = patches.shape[:2]
    stored = kept & patches.reshape(rows, columns, -1).any(axis=2)
    if not stored.any():
        return []
    chunks = patches.reshape(-1, *patches.shape[2:]) if stored.all() else patches[stored]
    parts, lengths = _encode_chunks(chunks, codec)
    index = np.full((*shape, 2), EMPTY, "<u8")
    index[:rows, :columns][stored] = np.stack([lengths.cumsum() - lengths, lengths], axis=1)
    raw = index.tobytes()
    return [*parts, raw + google_crc32c.value(raw).to_bytes(_CRC, "little")]


def write_shard(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Write a shard's file; one without chunks is no file: Zarr reads it as zeros.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    with storage_errors(path):
        path.unlink(missing_ok=True)
        if parts:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(parts)


def _encode_chunks(
    chunks: npt.NDArray[Any], codec: ChunkCodec
) -> tuple[list[bytes | memoryview], npt.NDArray[np.uint64]]:
    """The stored chunks and the length of each; plain chunks stay one piece."""
    if isinstance(codec, PlainCodec):
        return [chunks.data], np.full(len(chunks), chunks[0].nbytes, np.uint64)
    parts: list[bytes | memoryview] = [codec.encode(chunk) for chunk in chunks]
    return parts, np.array([len(part) for part in parts], np.uint64)


def index_size(count: int) -> int:
    """Bytes at the end of a shard of `count` chunks that are not chunks."""
    return 16 * count + _CRC


def parse_index(
    shard: memoryview, count: int, *, where: Path, size: int | None = None
) -> npt.NDArray[np.uint64]:
    """The index of a shard: `chunk (offset, length)`, `EMPTY` where a chunk is not stored.

    Args:
        shard: the whole file, usually a memory map, or its end.
        count: chunks that the index counts.
        where: the file, for messages.
        size: of the whole file, where `shard` is its end.

    Raises:
        ArchiveError: the shard is truncated, or its index does not match its checksum.
    """
    data = (shard.nbytes if size is None else size) - index_size(count)
    if data < 0:
        raise damaged("the shard is truncated", where)
    raw, crc = shard[-index_size(count) : -_CRC], shard[-_CRC:]
    if google_crc32c.value(raw.tobytes()) != int.from_bytes(crc, "little"):
        raise damaged("the shard's index does not match its checksum", where)
    index = np.frombuffer(raw, "<u8").reshape(count, 2).astype(np.uint64)
    stored = index[index[:, 0] != EMPTY]
    if (stored > data).any() or (stored.sum(axis=1) > data).any():
        raise damaged("the shard's index points outside the shard", where)
    return index


def damaged(what: str, where: Path) -> ArchiveError:
    """The error of a scene's file that cannot be read."""
    return ArchiveError(what, where=where, do="See what else is damaged with: ben check")
