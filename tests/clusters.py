"""A dask cluster of real processes on loopback, whose workers can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
        words: options of every worker.
        workers: their processes, or those of their nannies.
    """

    address: str
    folder: Path
    scheduler: subprocess.Popen[bytes]
    words: Sequence[str] = ("--no-nanny",)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self, *, before: Sequence[str] = ()) -> None:
        """Start a worker of one thread, by these words before its command."""
        command = [*before, sys.executable, "-m", "distributed.cli.dask_worker", self.address]
        options = ["--nthreads", "1", "--no-dashboard", "--death-timeout", "30"]
        place = ["--local-directory", str(self.folder)]
        self.workers.append(_start([*command, *options, *place, *self.words]))

    def fill(self, workers: int) -> None:
        """Start as many as are missing, and wait until so many have joined."""
        self.workers = [one for one in self.workers if one.poll() is None]
        for _ in range(workers - len(self.workers)):
            self.add()
        with self.client() as client:
            client.wait_for_workers(workers, timeout=60)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Look behind the curtain."""
        with Client(self.address, set_as_default=False) as client:
            yield client

    @contextmanager
    def losing_one(self, after: float = 0.0) -> Iterator[None]:
        """Meanwhile a worker is killed that has tasks of benforge, so long after it got one."""
        over = threading.Event()
        with self.client() as client, ThreadPoolExecutor(1) as apart:
            killed = apart.submit(_kill_one_at_work, client, client.run(os.getpid), after, over)
            try:
                yield
            finally:
                over.set()
            events = [event for _, event in client.get_events("all")]
        lost = [one for one in events if one.get("worker") == killed.result()]
        lost = [one for one in lost if one["action"] == "remove-worker"]
        assert any(one["processing-tasks"] for one in lost), (
            "nobody lost a task: the test says nothing"
        )

    def kill_scheduler(self) -> None:
        """Once a worker is at work."""
        with self.client() as client:
            while not any(client.processing().values()):
                time.sleep(0.01)
        self.scheduler.kill()


def _kill_one_at_work(
    client: Any, pids: dict[str, int], after: float, over: threading.Event
) -> str | None:
    """Address of the worker that was killed; None if the work was over before."""
    sleeping = after
    while not over.is_set():
        busy = [who for who, keys in client.processing().items() if keys and who in pids]
        if busy and not sleeping:
            os.kill(pids[busy[0]], signal.SIGKILL)
            return busy[0]
        over.wait(sleeping if busy else 0.01)
        sleeping = 0 if busy else sleeping
    return None


@contextmanager
def running(folder: Path, workers: int = 0, *words: str) -> Iterator[Processes]:
    """A cluster of so many workers, gone at the end."""
    file = folder / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *options]
    process = _start([*command, "--scheduler-file", str(file)])
    found = Processes(_address(file, process), folder, process, words or ("--no-nanny",))
    try:
        if workers:
            found.fill(workers)
        yield found
    finally:
        for one in [*found.workers, process]:
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
