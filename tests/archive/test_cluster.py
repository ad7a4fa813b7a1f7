"""Work on a real scheduler with workers in processes of their own, and all that may go wrong."""

import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benforge.archive import cluster as module
from benforge.archive.cluster import Cluster
from benforge.archive.executors import run_tasks
from benforge.errors import InputError, MissingError, StorageError, WorkerError
from tests.clusters import Processes, running


def pid_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def fail(what: str) -> None:
    raise StorageError("the disk is full", where=what, do="Free space")


def fail_or_write(file: Path | None) -> None:
    time.sleep(0.5)
    if file is None:
        raise StorageError("the disk is full")
    time.sleep(1)
    file.touch()


def die(_: int) -> None:
    os.kill(os.getpid(), 9)


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT", 2.0)
    monkeypatch.setattr(module, "SILENCE", 5.0)
    monkeypatch.setattr(module, "PATIENCE", 1.0)


def test_tasks_run_in_the_processes_of_workers(cluster: str, tmp_path: Path) -> None:
    found = list(run_tasks(pid_after, [0.05] * 20, cluster, reads=[tmp_path], writes=tmp_path))
    assert len(found) == 20
    assert len(set(found)) == 2
    assert os.getpid() not in found
    assert list(tmp_path.iterdir()) == []


def test_an_error_comes_back_with_every_part(cluster: str) -> None:
    with pytest.raises(StorageError, match=r"/data: the disk is full\. Free space"):
        list(run_tasks(fail, ["/data"], cluster))


def test_after_an_error_nobody_writes_on(cluster: str, tmp_path: Path) -> None:
    """Dask stops no task that has begun: what fails waits for it, and drops the others."""
    files = [tmp_path / str(number) for number in range(6)]
    with pytest.raises(StorageError):
        list(run_tasks(fail_or_write, [None, *files], cluster))
    written = list(tmp_path.iterdir())
    time.sleep(2)
    assert list(tmp_path.iterdir()) == written
    assert 1 <= len(written) <= 2


def test_nobody_at_the_address_is_told_in_time() -> None:
    start = time.monotonic()
    with pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:9: no dask scheduler answers"):
        list(run_tasks(abs, [1], "tcp://127.0.0.1:9"))
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "http://127.0.0.1:9", "tcp://:x"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(InputError, match="no dask scheduler answers"):
        list(run_tasks(abs, [1], address))


def test_a_server_that_speaks_no_dask_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match="no dask scheduler answers"):
            list(run_tasks(abs, [1], address))


def test_a_folder_that_a_worker_does_not_see_is_named_with_the_worker(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    assert list(run_tasks(abs, [-1], cluster, reads=[Path("data")])) == [1]
    data = Path("/proc/self/cwd/data")  # of each process its own
    with pytest.raises(MissingError, match=r"cwd/data: the worker tcp://127.* does not see it"):
        list(run_tasks(abs, [-1], cluster, reads=[data]))


def test_another_folder_of_the_same_name_is_told(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = Path("/proc/self/cwd")  # of each process its own
    with pytest.raises(MissingError, match=r"cwd: the worker .* or another of the same name"):
        list(run_tasks(abs, [-1], cluster, writes=here))
    assert list(tmp_path.iterdir()) == []


def test_another_version_is_told(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__version__", "99.0")
    with pytest.raises(WorkerError, match=r"the worker has benforge .*, this is 99\.0"):
        list(run_tasks(abs, [-1], cluster))


def test_a_worker_without_benforge_is_told() -> None:
    class Nobody:
        def get_executor(self, pure: bool) -> None:
            return None

    pool = Cluster(Nobody(), "tcp://there", [])
    told = pool.explain(ModuleNotFoundError("no", name="benforge.archive.cluster"))
    assert "a worker has no benforge" in str(told)
    other = ModuleNotFoundError("no", name="numpy")
    assert pool.explain(other) is other


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with running(tmp_path_factory.mktemp("empty")) as found:
        yield found


def test_a_cluster_without_workers_is_told(empty: Processes) -> None:
    with pytest.raises(WorkerError, match=r"had no worker for 1 s.*dask worker tcp://"):
        list(run_tasks(abs, [1], empty.address))


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--no-nanny",), ("--nanny",)])
def test_a_task_that_kills_its_workers_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    with (
        running(tmp_path, 5, *words) as found,
        pytest.raises(WorkerError, match=r"workers died of one task.*more memory"),
    ):
        list(run_tasks(die, [1], found.address))


@pytest.mark.slow
def test_the_last_worker_that_dies_is_told(tmp_path: Path) -> None:
    with running(tmp_path, 1) as found:
        told = pytest.raises(WorkerError, match="had no worker for 1 s")
        with found.losing_one(), told:
            list(run_tasks(pid_after, [1.0] * 5, found.address))


@pytest.mark.slow
def test_a_worker_that_joins_late_is_given_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 30.0)
    with running(tmp_path) as found:
        timer = threading.Timer(2, found.add)
        timer.start()
        assert len(list(run_tasks(pid_after, [0.01] * 30, found.address))) == 30


@pytest.mark.slow
def test_a_scheduler_that_dies_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, 2) as found:
        timer = threading.Timer(1, found.scheduler.kill)
        timer.start()
        start = time.monotonic()
        with pytest.raises(WorkerError, match=r"scheduler is gone.*same command again"):
            list(run_tasks(pid_after, [0.5] * 60, found.address))
        assert time.monotonic() - start < 10
        timer.join()
    assert capfd.readouterr().err == ""


def test_no_log_of_dask_speaks_beside_the_one_line() -> None:
    logs = [logging.getLogger(name) for name in ("asyncio", "distributed", "distributed.core")]
    heard: list[logging.LogRecord] = []
    handler = logging.Handler(logging.NOTSET)
    handler.emit = heard.append  # type: ignore[method-assign]
    before = [log.level for log in logs]
    logs[2].addHandler(handler)
    logs[2].setLevel(logging.INFO)  # a level of its own, as dask gives it
    try:
        with module._quiet():
            logs[2].critical("lost")
        assert heard == []
        logs[2].critical("found")
        assert [record.msg for record in heard] == ["found"]
    finally:
        logs[2].removeHandler(handler)
        logs[2].setLevel(before[2])
    assert [log.level for log in logs] == before


@pytest.mark.slow
def test_a_scheduler_that_hangs_is_told(tmp_path: Path) -> None:
    with running(tmp_path, 1) as found:
        timer = threading.Timer(1, lambda: os.kill(found.scheduler.pid, 19))
        timer.start()
        with pytest.raises(WorkerError, match="scheduler is gone"):
            list(run_tasks(pid_after, [0.5] * 60, found.address))
        os.kill(found.scheduler.pid, 18)


@pytest.mark.slow
def test_a_worker_on_another_disk_is_told(tmp_path: Path) -> None:
    """The worker's own mounts hide the folder: the same name, other contents."""
    hidden = tmp_path / "data"
    hidden.mkdir()
    hide = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {hidden} && exec "$0" "$@"']
    if not shutil.which("unshare") or subprocess.run([*hide, "true"], check=False).returncode:
        pytest.skip("mounts of its own are not allowed here")
    with running(tmp_path) as found:
        found.add(before=hide)
        found.fill(1)
        (hidden / "archive").mkdir()
        with pytest.raises(MissingError, match=r"data/archive: the worker .* does not see it"):
            list(run_tasks(abs, [1], found.address, reads=[hidden / "archive"]))
        with pytest.raises(MissingError, match=r"data: the worker .* another of the same name"):
            list(run_tasks(abs, [1], found.address, writes=hidden))
