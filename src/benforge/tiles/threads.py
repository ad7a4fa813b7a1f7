"""Threads that read from elsewhere, and that nobody waits for who has stopped the work."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

GRACE = 0.5
"""Seconds that threads have to end once they are told to."""

T = TypeVar("T")
P = ParamSpec("P")
_Job = tuple[Future[Any], Callable[[], Any]]


class Threads(Executor):
    """So many threads, which end with the process at the latest.

    Those of `ThreadPoolExecutor` keep a process alive: one that waits for a server to pick up, or
    in a library that cannot be interrupted, would hold up ^C for as long as that takes.

    Args:
        count: threads.
        name: for those who look at them.
    """

    def __init__(self, count: int, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a thread call a function; see `concurrent.futures.Executor`."""
        future: Future[T] = Future()
        self._jobs.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads when what they have is done; see `concurrent.futures.Executor`."""
        if cancel_futures:
            self._cancel()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def leave(self) -> None:
        """End the threads, and leave those behind that have not ended after `GRACE`."""
        self.shutdown(wait=False, cancel_futures=True)
        until = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _cancel(self) -> None:
        with suppress(queue.Empty):
            while job := self._jobs.get_nowait():
                job[0].cancel()

    def _work(self) -> None:
        while job := self._jobs.get():
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001  whoever asks for the result gets it
                future.set_exception(error)
            else:
                future.set_result(result)
