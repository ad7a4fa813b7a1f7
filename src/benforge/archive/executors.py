"""Where work runs: here, in processes of this machine, or on a dask cluster. One code path."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from benforge.errors import InputError, WorkerError

SMALL = 512
"""Up to so many patches, starting processes takes longer than the work."""

Task = TypeVar("Task")
Result = TypeVar("Result")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def open_executor(workers: int = 1, cluster: str | None = None) -> Iterator[Executor]:
    """An executor: dask's at the address `cluster`, else `workers` processes here.

    Raises:
        InputError: no dask installed, or nobody at the address.
    """
    if cluster:
        with _cluster_executor(cluster) as executor:
            yield executor
    else:
        with _process_executor(workers) as executor:
            yield executor


@contextmanager
def _process_executor(workers: int) -> Iterator[Executor]:
    """Processes that end at once when the parent is interrupted: their work is atomic."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            yield pool
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


@contextmanager
def _cluster_executor(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "dask.distributed is not installed", do="pip install 'benforge[cluster]'"
        ) from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(
            "no dask scheduler answers there", where=address, do="Give it as tcp://host:8786"
        ) from error
    with client:
        yield client.get_executor()


def workers_for(wanted: int | None, patches: int) -> int | None:
    """What to tell `run_tasks`: as wanted, or no process beside this one for a few patches."""
    return 1 if wanted is None and patches <= SMALL else wanted


def run_tasks(
    function: Callable[[Task], Result], tasks: Iterable[Task], workers: int | None = None
) -> Iterator[Result]:
    """The results of a function over tasks, as they end, from processes of this machine.

    No more than a few tasks wait at a time, so `tasks` may be made as it goes. After a failure
    what has begun is ended and what has not is dropped.

    Args:
        function: of a module, so that it can be sent to a process.
        tasks: what it is called with; picklable.
        workers: processes, every core if None; 1 works in this process.

    Raises:
        InputError: less than one worker.
        WorkerError: a process died.
        BaseException: the first that a task raised.
    """
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers do no work", where="--workers", do="Use 1 or more")
    workers = workers or available_cores()
    if workers == 1:
        yield from map(function, tasks)
        return
    with _process_executor(workers) as pool:
        yield from _results(pool, function, iter(tasks), 2 * workers)


def _results(
    pool: Executor, function: Callable[[Task], Result], tasks: Iterator[Task], ahead: int
) -> Iterator[Result]:
    waiting: set[Future[Result]] = set()
    try:
        while True:
            with interrupts_held():
                more = islice(tasks, ahead - len(waiting))
                waiting |= {pool.submit(function, task) for task in more}
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise worker_died() from error
    finally:
        for future in waiting:
            future.cancel()


def worker_died() -> WorkerError:
    """The error where a process was killed."""
    return WorkerError(
        "a worker died, most likely for want of memory",
        do="Run the same command again with fewer --workers: it goes on where it stopped",
    )
