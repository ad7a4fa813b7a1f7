from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benforge.archive.locking import writing
from benforge.errors import ConflictError, StorageError


def test_one_writer_at_a_time_and_no_file_is_left(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    second = writing(root)
    with writing(root), pytest.raises(ConflictError, match="another command is writing here"):
        second.__enter__()
    with writing(root):
        assert list(root.iterdir()) == []


def test_a_killed_writer_frees_the_archive(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from benforge.archive.locking import writing\n"
        "with writing(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ConflictError), writing(tmp_path):
            pass
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        with writing(tmp_path):
            pass


def test_a_place_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"), writing(tmp_path / "file" / "x"):
        pass
