import os
from pathlib import Path

import pytest

from benforge.archive.executors import available_cores, few_workers, run_tasks, workers_for
from benforge.errors import InputError, WorkerError


def die(_: int) -> None:
    os.kill(os.getpid(), 9)


def test_processes_do_the_work() -> None:
    assert sorted(run_tasks(abs, [1, -2, 3], 2)) == [1, 2, 3]


def test_one_worker_is_this_process() -> None:
    assert list(run_tasks(lambda _: os.getpid(), [1], 1)) == [os.getpid()]


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(WorkerError, match=r"a worker died.*fewer --workers"):
        list(run_tasks(die, [1, 2], 2))


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused(workers: int) -> None:
    with pytest.raises(InputError, match="--workers"):
        list(run_tasks(abs, [1], workers))


def test_what_is_asked_for_stays_and_what_is_left_open_fits_the_work() -> None:
    assert [few_workers(one, 1) for one in (3, "tcp://there", None)] == [3, "tcp://there", 1]
    assert few_workers(None, 10**6) == available_cores()
    assert few_workers(None, 0) == 1
    assert [workers_for(one, 9) for one in (3, "tcp://there", None)] == [3, "tcp://there", 1]
    assert workers_for(None, 10**6) is None


def test_whoever_waits_is_told_twice_a_second(tmp_path: Path) -> None:
    told: list[int] = []
    list(run_tasks(abs, [1], 2, watch=lambda: told.append(1)))
    assert told
