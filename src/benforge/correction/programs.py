"""Other people's small programs, run to their end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benforge.errors import HungError, InputError


def run_to_end(
    command: Sequence[str | Path],
    *,
    seconds: float,
    mend: str,
    given: str = "",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program without a shell and take what it prints.

    Args:
        command: the program and its arguments.
        seconds: that it may take.
        mend: what to do where it does not start, or gives nothing in that time.
        given: its input.
        folder: where it runs; here if None.
        environment: variables beside ours.

    Raises:
        InputError: it cannot be started.
        HungError: it takes longer.
    """
    try:
        return subprocess.run(  # noqa: S603 - no shell, and a program that the user installed
            [str(word) for word in command],
            input=given,
            capture_output=True,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            timeout=seconds,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise InputError(f"cannot be started ({error})", where=command[0], do=mend) from error
    except subprocess.TimeoutExpired as error:
        raise HungError(f"gave nothing for {seconds:g} s", where=command[0], do=mend) from error
