"""Where work runs: here, in processes of this machine, or on a dask cluster. One code path."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from benforge.errors import InputError


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
