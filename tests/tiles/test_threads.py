from __future__ import annotations

import threading
import time

import pytest

from benforge.tiles.threads import GRACE, Threads


def test_results_and_errors_come_back_in_order() -> None:
    pool = Threads(3, "test")
    assert list(pool.map(lambda n: n * n, range(20))) == [n * n for n in range(20)]
    failed = pool.submit(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        failed.result()
    pool.shutdown()
    assert not any(thread.name.startswith("test-") for thread in threading.enumerate())


def test_so_many_run_at_once() -> None:
    pool, meeting = Threads(3, "test"), threading.Barrier(3)
    assert sorted(pool.map(lambda _: meeting.wait(5), range(3))) == [0, 1, 2]
    pool.shutdown()


def test_one_that_cannot_be_stopped_is_left_and_what_waits_is_not_begun() -> None:
    pool, held, done = Threads(1, "test"), threading.Event(), []
    pool.submit(held.wait, 30)
    waiting = pool.submit(done.append, 1)
    start = time.monotonic()
    pool.leave()
    assert time.monotonic() - start < GRACE + 1
    assert waiting.cancelled()
    held.set()
    assert done == []
