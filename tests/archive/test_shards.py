from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from benforge.archive.shards import EMPTY, encode_shard, index_size, parse_index, split_block
from benforge.archive.storage import StorageRecipe, make_codec
from benforge.errors import ArchiveError

PIXELS = np.random.default_rng(1).integers(1, 9, (2, 12, 18), np.uint16)


def shard_bytes(kept: np.ndarray, shape: tuple[int, int] = (2, 3)) -> bytes:
    parts = encode_shard(split_block(PIXELS, 6), kept, shape, make_codec(StorageRecipe()))
    return b"".join(bytes(part) for part in parts)


def test_patches_are_the_blocks_of_the_pixels() -> None:
    patches = split_block(PIXELS, 6)
    assert patches.shape == (2, 3, 2, 6, 6)
    assert np.array_equal(patches[1, 2], PIXELS[:, 6:12, 12:18])
    assert np.array_equal(split_block(PIXELS[0], 6)[0, 1], PIXELS[0, :6, 6:12])


def test_zarr_reads_the_shard(tmp_path: Path) -> None:
    kept = np.array([[True, False, True], [True, True, True]])
    array = zarr.create_array(
        tmp_path, shape=(2, 12, 18), chunks=(2, 6, 6), shards=(2, 12, 18), dtype="uint16",
        fill_value=0, filters=(), compressors=(),
    )  # fmt: skip
    path = tmp_path / "c" / "0" / "0" / "0"
    path.parent.mkdir(parents=True)
    path.write_bytes(shard_bytes(kept))
    expected = PIXELS * np.kron(kept, np.ones((6, 6), np.uint16))
    assert np.array_equal(np.asarray(array[:]), expected)


def test_zarr_writes_chunks_and_an_index_of_the_same_size(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path, shape=(2, 12, 18), chunks=(2, 6, 6), shards=(2, 12, 18), dtype="uint16",
        fill_value=0, filters=(), compressors=(),
    )  # fmt: skip
    array[:] = PIXELS
    data = (tmp_path / "c" / "0" / "0" / "0").read_bytes()
    index = parse_index(memoryview(data), 6, where=tmp_path)
    ours = shard_bytes(np.ones((2, 3), np.bool_))
    for (offset, length), (ours_at, ours_long) in zip(
        index.tolist(), parse_index(memoryview(ours), 6, where=tmp_path).tolist(), strict=True
    ):
        assert data[offset : offset + length] == ours[ours_at : ours_at + ours_long]
    assert len(data) == len(ours)


def test_nothing_kept_is_no_shard() -> None:
    assert shard_bytes(np.zeros((2, 3), np.bool_)) == b""


def test_a_patch_that_is_not_kept_is_not_stored() -> None:
    kept = np.array([[True, False, False], [False, False, True]])
    data = shard_bytes(kept, (4, 4))
    index = parse_index(memoryview(data), 16, where=Path())
    stored = (index[:, 0] != EMPTY).reshape(4, 4)
    assert np.array_equal(stored[:2, :3], kept)
    assert stored.sum() == 2
    assert len(data) == 2 * 144 + index_size(16)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:50], "truncated"),
        (lambda data: data[:-1], "checksum"),
        (lambda data: data[:-20] + bytes(1) + data[-19:], "checksum"),
        (lambda data: data[144:], "outside the shard"),
    ],
)
def test_a_damaged_shard_is_named(damage, message: str) -> None:  # type: ignore[no-untyped-def]
    data = damage(shard_bytes(np.ones((2, 3), np.bool_)))
    with pytest.raises(ArchiveError, match=rf"some/shard: .*{message}.*ben check"):
        parse_index(memoryview(data), 6, where=Path("some/shard"))
