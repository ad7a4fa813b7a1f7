from __future__ import annotations

import errno

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.core.progress import silent
from benforge.errors import StorageError
from benforge.layouts.export_shards import Shard, write_shards, writing_whole
from benforge.testing.archives import make_scene, write_archive


def _write_ids(shard):
    """Stands for an export: the patch ids of a shard, a line each."""
    if shard.part == "bad":
        raise StorageError("the disk is full")
    with writing_whole(shard.path) as file:
        file.write(
            "".join(f"{one}\n" for one in shard.archive.index["patch_id"].to_pylist()).encode()
        )
    return len(shard.archive)


@pytest.fixture
def shards(tmp_path):
    archive = Archive.open(write_archive(tmp_path / "archive", make_scene()))
    rows = np.arange(6)
    return [
        Shard(tmp_path / f"{number}", "train", archive.filter(rows // 2 == number))
        for number in range(3)
    ]


def test_what_is_there_is_left_alone(shards):
    told = []
    shards[1].path.write_text("mine")
    found = write_shards(_write_ids, shards, 1, lambda *words: told.append(words))
    assert found == (4, 2)
    assert told == [("exporting", 4, 6), ("exporting", 6, 6)]
    assert shards[1].path.read_text() == "mine"
    for shard in (shards[0], shards[2]):
        assert shard.path.read_text().split() == shard.archive.index["patch_id"].to_pylist()


def test_the_first_failure_ends_it_and_the_rest_goes_on_later(shards):
    bad = [shards[0], Shard(shards[1].path, "bad", shards[1].archive), shards[2]]
    with pytest.raises(StorageError, match="the disk is full"):
        write_shards(_write_ids, bad, 1, silent)
    assert write_shards(_write_ids, shards, 1, silent) == (4, 2)


def _write_half(path):
    with writing_whole(path) as file:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "shard"
    with pytest.raises(StorageError, match="the disk is full"):
        _write_half(path)
    assert not any(tmp_path.iterdir())
    with writing_whole(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
