"""Where work runs: here, in processes of this machine, or on a dask cluster. One code path."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

from benforge.archive.cluster import open_cluster
from benforge.errors import InputError, WorkerError

SMALL = 512
"""Up to so many patches, starting processes takes longer than the work."""

SECONDS_BETWEEN_LOOKS = 0.5

Workers = int | str | None
"""Processes of this machine, every core if None, or the address of a dask scheduler."""

Task = TypeVar("Task")
Result = TypeVar("Result")


class Pool(Protocol):
    """Processes that take tasks, wherever they are."""

    @property
    def room(self) -> int:
        """How many tasks may wait or run at a time."""
        ...

    def submit(self, function: Callable[[Task], Result], task: Task) -> Future[Result]:
        """Send a task out."""
        ...

    def look(self) -> None:
        """Raise where nobody is left to work."""
        ...

    def explain(self, error: Exception) -> Exception:
        """What went wrong, in words for people; what a task raised stays as it is."""
        ...

    def settle(self) -> None:
        """Wait for tasks that have begun, after one has failed and the others are cancelled."""
        ...


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def few_workers(wanted: Workers, most: int) -> Workers:
    """As wanted; where that is left open no more than `most` processes, or cores."""
    return max(1, min(available_cores(), most)) if wanted is None else wanted


def workers_for(wanted: Workers, patches: int) -> Workers:
    """As wanted; where that is left open no process beside this one for a few patches."""
    return 1 if wanted is None and patches <= SMALL else wanted


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    workers: Workers = None,
    *,
    reads: Sequence[Path] = (),
    writes: Path | None = None,
    watch: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """The results of a function over tasks, as they end.

    No more than a few tasks wait at a time, so `tasks` may be made as it goes. After a failure
    what has begun here is ended and what has not is dropped. On a cluster a task may run twice,
    where a worker was lost: tasks must stand that.

    Args:
        function: of a module, so that it can be sent to a process.
        tasks: what it is called with; picklable, small: paths, no pixels.
        workers: processes of this machine, every core if None; 1 works in this process. Or the
            address of a dask scheduler, "tcp://host:8786".
        reads: files and folders that a cluster's workers must see.
        writes: a folder that is there, which they must see, the same one.
        watch: called twice a second while other processes work.

    Raises:
        InputError: less than one worker, or no scheduler at the address.
        MissingError: a worker of the cluster does not see a folder.
        WorkerError: a process died, or the cluster was lost.
        BaseException: the first that a task raised.
    """
    if isinstance(workers, str):
        with open_cluster(workers, reads=reads, writes=writes) as cluster:
            yield from _results(cluster, function, iter(tasks), watch)
        return
    check_workers(workers)
    processes = workers or available_cores()
    if processes == 1:
        yield from map(function, tasks)
        return
    with _processes(processes) as pool:
        yield from _results(pool, function, iter(tasks), watch)


def check_workers(workers: Workers) -> None:
    """Raise where there are less than one.

    Raises:
        InputError: there are.
    """
    if isinstance(workers, int) and workers < 1:
        raise InputError(f"{workers} workers do no work", where="--workers", do="Use 1 or more")


def _results(
    pool: Pool,
    function: Callable[[Task], Result],
    tasks: Iterator[Task],
    watch: Callable[[], None],
) -> Iterator[Result]:
    waiting: set[Future[Result]] = set()
    try:
        while True:
            more = list(islice(tasks, max(0, pool.room - len(waiting))))
            with interrupts_held():
                waiting |= {pool.submit(function, task) for task in more}
            if not waiting:
                return
            done, waiting = wait(waiting, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
            for future in done:
                yield future.result()
            pool.look()
            watch()
    except Exception as error:
        told = pool.explain(error)
        if told is not error:
            raise told from error
        _cancel(waiting)
        if not isinstance(error, WorkerError):  # else nobody may be there to answer
            pool.settle()
        raise
    finally:
        _cancel(waiting)


def _cancel(waiting: Iterable[Future[Result]]) -> None:
    for future in waiting:
        future.cancel()


class _Processes:
    """Processes of this machine."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool, self.room = pool, 2 * workers

    def submit(self, function: Callable[[Task], Result], task: Task) -> Future[Result]:
        return self._pool.submit(function, task)

    def look(self) -> None:
        """A process that dies breaks the pool, which its futures tell."""

    def settle(self) -> None:
        """Leaving the pool waits."""

    def explain(self, error: Exception) -> Exception:
        if not isinstance(error, BrokenProcessPool):
            return error
        return WorkerError(
            "a worker died, most likely for want of memory",
            do="Run the same command again with fewer --workers: it goes on where it stopped",
        )


@contextmanager
def _processes(workers: int) -> Iterator[_Processes]:
    """Processes that end at once when the parent is interrupted: their work is atomic."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield _Processes(pool, workers)
        except KeyboardInterrupt:
            for child in multiprocessing.active_children():
                child.kill()
            raise


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold ^C back while workers start, for them for good: the parent decides when they end."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
