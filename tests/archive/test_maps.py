from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.maps import ask_for, in_memory, map_file


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


def test_what_is_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4096)
    data = np.frombuffer(map_file(path), np.uint8)
    assert in_memory(data.ctypes.data + 5000)
    ask_for(data.ctypes.data + 70_000, 300_000)
    assert int(data[70_001]) == 70_001 % 256
