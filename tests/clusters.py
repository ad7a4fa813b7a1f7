"""A dask cluster of real processes on loopback, whose workers can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client

PROJECT = Path(__file__).parents[1]
"""Where workers stand, so that they can import the functions of tests."""


@dataclass(slots=True)
class Processes:
    """A scheduler and its workers.

    Args:
        address: of the scheduler.
        folder: for what they write.
        scheduler: its process.
        workers: theirs, or of their nannies.
    """

    address: str
    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self, *words: str, before: Sequence[str] = ()) -> None:
        """Start a worker of one thread, with these options, by these words before its command."""
        command = [*before, sys.executable, "-m", "distributed.cli.dask_worker", self.address]
        options = ["--nthreads", "1", "--no-dashboard", "--death-timeout", "30"]
        place = ["--local-directory", str(self.folder)]
        self.workers.append(_start([*command, *options, *place, *words]))

    def wait_for(self, workers: int) -> None:
        """Wait until so many have joined."""
        with self.client() as client:
            client.wait_for_workers(workers, timeout=60)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Look behind the curtain."""
        with Client(self.address, set_as_default=False) as client:
            yield client

    def kill_one_at_work(self, after: float = 0.0) -> int:
        """Kill the process of a worker that has a task of benforge, so long after it got it."""
        with self.client() as client:
            pids = client.run(os.getpid)
            while True:
                busy = [who for who, keys in client.processing().items() if keys and who in pids]
                if busy:
                    time.sleep(after)
                    os.kill(pids[busy[0]], 9)
                    return pids[busy[0]]
                time.sleep(0.01)


@contextmanager
def running(folder: Path, workers: int = 0, *words: str) -> Iterator[Processes]:
    """A cluster of so many workers, gone at the end."""
    file = folder / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *options]
    process = _start([*command, "--scheduler-file", str(file)])
    found = Processes(_address(file, process), folder, process)
    try:
        for _ in range(workers):
            found.add(*(words or ("--no-nanny",)))
        if workers:
            found.wait_for(workers)
        yield found
    finally:
        for one in [*found.workers, process]:
            one.terminate()
        for one in [*found.workers, process]:
            try:
                one.wait(10)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=PROJECT, stdout=quiet, stderr=quiet)


def _address(file: Path, process: subprocess.Popen[bytes]) -> str:
    for _ in range(600):
        if process.poll() is not None:
            break
        if file.exists() and (text := file.read_text()).endswith("}"):
            return str(json.loads(text)["address"])
        time.sleep(0.05)
    raise AssertionError("the scheduler does not start")
