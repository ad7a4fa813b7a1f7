"""Programs run to their end, or told of by one error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benforge.correction.programs import run_to_end
from benforge.errors import HungError, InputError


def test_what_it_is_given_and_what_it_prints(tmp_path: Path) -> None:
    script = "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ['LIGHT'])"
    done = run_to_end(
        [sys.executable, "-c", script],
        seconds=20,
        mend="",
        given="blue",
        folder=tmp_path,
        environment={"LIGHT": "on"},
    )
    assert done.stdout.split() == ["blue", str(tmp_path.resolve()), "on"]


def test_one_that_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(InputError, match=r"text: cannot be started .*\. Reinstall it"):
        run_to_end([tmp_path / "text"], seconds=5, mend="Reinstall it")


def test_one_that_gives_nothing() -> None:
    words = [sys.executable, "-c", "import time; time.sleep(30)"]
    with pytest.raises(HungError, match=r"gave nothing for 0.3 s\. Run it again"):
        run_to_end(words, seconds=0.3, mend="Run it again")
