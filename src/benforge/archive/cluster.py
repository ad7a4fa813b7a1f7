"""Work on a dask cluster: sent out, watched, and what goes wrong there said in plain words."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from benforge import __version__
from benforge.core.files import storage_errors
from benforge.errors import InputError, MissingError, WorkerError

CONNECT = 10.0
"""Seconds in which a scheduler must answer."""

SILENCE = 60.0
"""Seconds after which a scheduler that says nothing is taken for lost."""

PATIENCE = 20.0
"""Seconds that work waits while the cluster has no worker at all."""

LOOK = 1.0
"""Seconds between two looks at who is there."""

FEWEST = 8
"""Tasks that wait at a cluster at least: one that grows with its work sees that there is some."""

AGAIN = "then run the same command again: it goes on where it stopped"

_AT_WORK: list[str] = []
"""On a worker: whose tasks it is at, by the token of each `Cluster`."""

Task = TypeVar("Task")
Result = TypeVar("Result")


class Cluster:
    """A dask cluster that work is sent to; made by `open_cluster`.

    Args:
        client: connected.
        address: of the scheduler, for messages.
        paths: what every worker must see.
    """

    def __init__(self, client: Any, address: str, paths: Sequence[Path]) -> None:
        self._client, self._address = client, address
        self._paths = tuple(path.absolute() for path in paths)
        self._executor: Executor = client.get_executor(pure=False)
        self._token = secrets.token_hex(8)
        self._threads, self._looked, self._alone_since = 0, -LOOK, time.monotonic()

    @property
    def room(self) -> int:
        """How many tasks may wait or run at a time."""
        self.look()
        return max(FEWEST, 2 * self._threads)

    def submit(self, function: Callable[[Task], Result], task: Task) -> Future[Result]:
        """Send a task out; one whose worker dies is sent to another."""
        return self._executor.submit(_work, function, task, self._paths, __version__, self._token)

    def settle(self) -> None:
        """Wait for tasks that have begun: dask stops none, and they would write on."""
        with suppress(OSError, RuntimeError, CancelledError):
            while any(self._client.run(_is_at_work, self._token, on_error="ignore").values()):
                time.sleep(0.1)

    def look(self) -> None:
        """See now and then who is there.

        Raises:
            WorkerError: nobody, for too long; or the scheduler does not answer.
        """
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        try:
            scheduler = self._client.scheduler
            found = self._client.sync(scheduler.ncores, callback_timeout=SILENCE)
        except (OSError, RuntimeError, CancelledError) as error:
            raise self._gone() from error
        self._threads = sum(found.values())
        if found:
            self._alone_since = now
        elif now - self._alone_since > PATIENCE:
            raise WorkerError(
                f"the cluster has had no worker for {PATIENCE:.0f} s",
                where=self._address,
                do=f"Start one with: dask worker {self._address}; {AGAIN}",
            )

    def explain(self, error: Exception) -> Exception:
        """What went wrong, in words for people; what a task raised stays as it is."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        if isinstance(error, KilledWorker):
            return WorkerError(
                "workers died of one task again and again, most likely for want of memory",
                where=self._address,
                do=f"Give each more memory and --nthreads 1, {AGAIN}",
            )
        if isinstance(error, CancelledError | CommClosedError):
            return self._gone()
        if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("benforge"):
            return WorkerError(
                f"a worker has no benforge {__version__}",
                where=self._address,
                do=f"Install it in the environment of every worker, {AGAIN}",
            )
        return error

    def _gone(self) -> WorkerError:
        return WorkerError(
            "the dask scheduler is gone", where=self._address, do=f"Start it, {AGAIN}"
        )


@contextmanager
def open_cluster(
    address: str, *, reads: Sequence[Path] = (), writes: Path | None = None
) -> Iterator[Cluster]:
    """The dask cluster at an address.

    Args:
        address: of its scheduler, "tcp://host:8786".
        reads: files and folders that every worker must see.
        writes: a folder that is there; every worker must see the same one.

    Raises:
        InputError: dask is not installed, or no scheduler answers.
        StorageError: `writes` cannot be written.
    """
    with _connected(address) as client, _marked(writes) as mark:
        yield Cluster(client, address, [*reads, *mark])


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "dask.distributed is not installed", do="pip install 'benforge[cluster]'"
        ) from error
    with _quiet():
        client = _connect(Client, address)
        try:
            yield client
        finally:
            with suppress(OSError, RuntimeError):
                client.close(timeout=CONNECT)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let dask say nothing: what it would say of lost connections is said here.

    Its loggers have levels and handlers of their own, so each is told.
    """
    dask = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    logs = [logging.getLogger(name) for name in ["asyncio", *dask]]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def _connect(client: Callable[..., Any], address: str) -> Any:
    try:
        with ThreadPoolExecutor(1) as apart:  # from any loop that may run in this thread
            apart.submit(lambda: asyncio.run(_greet(address))).result()
        return client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise InputError(
            "no dask scheduler answers there", where=address, do="Give it as tcp://host:8786"
        ) from error


async def _greet(address: str) -> None:
    """Ask who is there; a client would wait for ever for a server that is no scheduler.

    Raises:
        ValueError: nobody's address, or that of another than a scheduler.
        OSError: nobody answers in time.
    """
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.core import rpc

    parse_host_port(parse_address(address, strict=True)[1])
    async with asyncio.timeout(CONNECT), rpc(address) as there:
        told = await there.identity()
    if told.get("type") != "Scheduler":
        raise ValueError(f"a {told.get('type')}")


@contextmanager
def _marked(folder: Path | None) -> Iterator[list[Path]]:
    """A file with a name by chance in a folder: who sees it sees the same folder."""
    if folder is None:
        yield []
        return
    mark = folder / f".seen-{secrets.token_hex(8)}.0"
    with storage_errors(folder):
        mark.touch()
    try:
        yield [mark]
    finally:
        mark.unlink(missing_ok=True)


def _work(
    function: Callable[[Task], Result],
    task: Task,
    paths: Sequence[Path],
    version: str,
    token: str,
) -> Result:
    """Do a task on a worker, if it sees what it must and is of the same version."""
    if version != __version__:
        raise WorkerError(
            f"the worker has benforge {__version__}, this is {version}",
            where=_here(),
            do="Install the same version in the environment of every worker",
        )
    for path in paths:
        if not path.exists():
            seen = path.parent if path.name.startswith(".seen-") else path
            raise MissingError(
                f"the worker {_here()} does not see it, or another of the same name",
                where=seen,
                do="Give every worker the same files under the same path, or leave --cluster out",
            )
    _AT_WORK.append(token)
    try:
        return function(task)
    finally:
        _AT_WORK.remove(token)


def _is_at_work(token: str) -> bool:
    return token in _AT_WORK


def _here() -> str:
    from distributed import get_worker

    return str(get_worker().address)
