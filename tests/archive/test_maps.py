from __future__ import annotations

import ctypes
import gc
import mmap
import os
import time
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.maps import map_file, read_ahead


def mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def test_a_map_lives_as_long_as_its_views_and_holds_no_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 100)
    before = len(list(Path("/proc/self/fd").iterdir()))
    view = np.ndarray((2, 5), np.uint8, map_file(path), 250)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    gc.collect()
    assert view.tolist() == [[250, 251, 252, 253, 254], [255, 0, 1, 2, 3]]
    assert not view.flags.writeable
    assert mapped(path)
    del view
    assert not mapped(path)


def test_an_empty_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert map_file(tmp_path / "empty").nbytes == 0
    with pytest.raises(FileNotFoundError):
        map_file(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        map_file(tmp_path)


def resident(data: memoryview) -> list[bool]:
    """Whether each page of a map is in memory, by the system's own word."""
    libc, pages = ctypes.CDLL(None), -(-len(data) // mmap.PAGESIZE)
    told = (ctypes.c_ubyte * pages)()
    address = ctypes.c_void_p(np.frombuffer(data, np.uint8).ctypes.data)
    assert libc.mincore(address, ctypes.c_size_t(len(data)), told) == 0
    return [bool(page & 1) for page in told]


def test_a_part_that_is_announced_comes_into_memory_and_no_other(tmp_path: Path) -> None:
    path, page = tmp_path / "file", mmap.PAGESIZE
    path.write_bytes(b"x" * (600 * page))
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    data = map_file(path)
    if any(resident(data)):
        pytest.skip("this file system keeps its files in memory")
    start = np.frombuffer(data, np.uint8).ctypes.data
    read_ahead(start + 100 * page + 7, 20 * page)
    end = time.monotonic() + 20
    while sum(resident(data)) < 21 and time.monotonic() < end:
        time.sleep(0.01)
    found = resident(data)
    assert all(found[100:121])
    assert not any(found[:90])
    assert not any(found[200:])
