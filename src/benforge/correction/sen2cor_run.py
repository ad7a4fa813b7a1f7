"""sen2cor run and watched: its output read line by line, ended when it hangs or takes too long."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from benforge.core.progress import Progress
from benforge.correction.sen2cor_log import read_progress
from benforge.errors import HungError, InputError, StoppedError

_KEPT = 2000
_POLL = 0.5
_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ended by itself.

    Args:
        status: its exit status.
        lines: the last of what it printed.
    """

    status: int
    lines: tuple[str, ...]


def run_watched(
    command: Sequence[str],
    folder: Path,
    *,
    patience: float,
    longest: float,
    stop: Event,
    progress: Progress,
) -> Ended:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        patience: seconds that it may print nothing.
        longest: seconds that it may take.
        stop: set when it is to be ended.
        progress: told the percent it prints.

    Raises:
        InputError: it cannot be started.
        HungError: it printed nothing for too long, or took too long; it was ended.
        StoppedError: `stop` was set; it was ended.
    """
    process = _start(command, folder)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        kept = _watch(process, lines, patience, longest, stop, progress)
        return Ended(process.wait(), tuple(kept))
    finally:
        _end(process)


def _start(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - the user's own program, no shell
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # so that its own processes end with it
        )
    except OSError as error:
        raise InputError(
            f"cannot be started ({error})", where=command[0], do="Check that it may be executed"
        ) from error


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Put the lines, and None once the program has ended: it may close its output long before."""
    if process.stdout is not None:
        with process.stdout as stream:
            for line in stream:
                lines.put(line.rstrip())
    process.wait()
    lines.put(None)


def _watch(
    process: subprocess.Popen[str],
    lines: queue.SimpleQueue[str | None],
    patience: float,
    longest: float,
    stop: Event,
    progress: Progress,
) -> deque[str]:
    """The last lines, once the program has ended; one that closes its output is watched on."""
    kept: deque[str] = deque(maxlen=_KEPT)
    started = heard = time.monotonic()
    while True:
        if stop.is_set():
            raise StoppedError("stopped")
        now = time.monotonic()
        if now - heard > patience:
            raise _hung(f"printed nothing for {_span(patience)} and was ended", kept, "--patience")
        if now - started > longest:
            raise _hung(f"took more than {_span(longest)} and was ended", kept, "--longest")
        try:
            line = lines.get(timeout=_POLL)
        except queue.Empty:
            if process.poll() is None:
                continue
            return kept  # ended, though a process of its own still holds the output open
        if line is None:
            return kept
        heard = time.monotonic()
        kept.append(line)
        done = read_progress(line)
        if done is not None:
            progress("sen2cor", done, 100)


def _hung(what: str, kept: deque[str], option: str) -> HungError:
    last = f"; its last line: {kept[-1][:120]}" if kept else ""
    return HungError(f"sen2cor {what}{last}", do=f"Run again, with more minutes by {option}")


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} s"


def _end(process: subprocess.Popen[str]) -> None:
    """End the program and every process it started."""
    for name in ("SIGTERM", "SIGKILL"):
        try:
            os.killpg(process.pid, getattr(signal, name))
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
