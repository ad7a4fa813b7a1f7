import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from benforge.errors import FetchError
from benforge.tiles.patience import Pace, Patience, Stopped, parse_retry_after


def test_retry_after_is_read_in_both_forms() -> None:
    assert parse_retry_after(" 17 ") == 17
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 60 <= parse_retry_after(later) <= 90
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert parse_retry_after("soon") == parse_retry_after("") == parse_retry_after("-3") == 0


def test_pauses_grow_with_chance_up_to_a_limit() -> None:
    waited: list[float] = []
    pace = Pace(Patience(first=1, most=8))
    pace.stop.wait = lambda seconds=None: waited.append(seconds or 0) is None  # type: ignore
    with pytest.raises(Stopped):
        pace.pause(0)
    for misses in range(1, 7):
        with pytest.raises(Stopped):
            pace.pause(misses)
    for misses, seconds in enumerate(waited):
        longest = min(8, 2**misses)
        assert longest / 2 <= seconds <= longest
    assert len(set(waited)) == 7


def test_one_that_is_told_to_wait_stops_all() -> None:
    pace = Pace(Patience(longest=9))
    pace.hold(0.2)
    start = time.monotonic()
    pace.wait()
    assert time.monotonic() - start >= 0.19
    with pytest.raises(FetchError, match="left alone for 10 s"):
        pace.hold(10)


def test_a_fetch_that_is_ended_waits_for_nothing() -> None:
    pace = Pace(Patience())
    pace.hold(500)
    pace.stop.set()
    with pytest.raises(Stopped):
        pace.wait()
