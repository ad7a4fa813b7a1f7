from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benforge.errors import InputError, StorageError
from benforge.quality.decisions import DecisionLog, review_names, review_path
from benforge.quality.events import Decision, Undo, make_decision, make_undo
from benforge.quality.review import Review


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return review_path(tmp_path)


def ids(log: DecisionLog) -> list[str]:
    return [event.id for event in log.refresh()]


def test_events_come_back_as_they_were(path: Path) -> None:
    decision = make_decision("Ada Ł.", ["cloud_or_shadow", "seasonal_snow"], ["p", "q", "p"])
    undo = make_undo(decision)
    log = DecisionLog(path)
    log.append(decision)
    log.append(undo)
    assert DecisionLog(path).refresh() == [decision, undo]
    assert decision.flags == ("seasonal_snow", "cloud_or_shadow")
    assert decision.patches == ("p", "q")
    assert review_names(path.parent.parent) == ("review",)


def test_a_log_that_is_not_there_is_empty_and_not_made(path: Path) -> None:
    assert DecisionLog(path).refresh() == []
    assert not path.parent.exists()


def test_refresh_reads_what_others_added_and_nothing_twice(path: Path) -> None:
    one, other = DecisionLog(path), DecisionLog(path)
    first, second, third = (make_decision("Ada", [], [p]) for p in "abc")
    one.append(first)
    assert ids(other) == [first.id]
    assert ids(other) == []
    other.append(second)
    one.append(third)
    assert ids(other) == [third.id]


@pytest.mark.parametrize("torn", [b'{"id":"x","time":"2026-11-2', b"\xff\x00", b"{}"])
def test_what_a_killed_writer_left_is_closed_off_and_counted(path: Path, torn: bytes) -> None:
    first, second = (make_decision("Ada", [], [p]) for p in "ab")
    DecisionLog(path).append(first)
    with path.open("ab") as file:
        file.write(torn)
    log = DecisionLog(path)
    assert ids(log) == [first.id]
    assert log.damaged == 1
    log.append(second)
    again = DecisionLog(path)
    assert ids(again) == [first.id, second.id]
    assert again.damaged == 1
    assert path.read_bytes().count(b"\n") == 3


def test_a_whole_line_without_its_end_counts(path: Path) -> None:
    first, second = (make_decision("Ada", [], [p]) for p in "ab")
    DecisionLog(path).append(first)
    path.write_bytes(path.read_bytes()[:-1])
    log = DecisionLog(path)
    assert ids(log) == [first.id]
    log.append(second)
    assert ids(DecisionLog(path)) == [first.id, second.id]


def test_a_full_disk_is_told_and_leaves_the_log_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DecisionLog(path)
    first = make_decision("Ada", [], ["p"])
    log.append(first)
    before = path.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:5]))
    with pytest.raises(StorageError, match="the disk is full"):
        log.append(make_decision("Ada", [], ["q"]))
    monkeypatch.undo()
    assert path.read_bytes() == before
    log.append(second := make_decision("Ada", [], ["q"]))
    assert ids(DecisionLog(path)) == [first.id, second.id]


def test_a_log_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    review = Review(tmp_path)
    review.decide("Ada", ["seasonal_snow"], ["p"])
    path = review.log.path
    path.unlink()
    other = Review(tmp_path)
    other.decide("Bob", [], ["q"])
    review.refresh()
    assert review.ledger.decided() == {"q"}


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        Review(tmp_path, name)


@pytest.mark.parametrize("name", ["", "  ", "a" * 61, "a\nb", "a\x00", "\u202eevil"])
def test_a_reviewer_has_a_name_that_shows(name: str) -> None:
    with pytest.raises(InputError):
        make_decision(name, [], ["p"])


def test_the_same_request_again_is_one_decision(tmp_path: Path) -> None:
    review = Review(tmp_path)
    for _ in range(2):
        review.decide("Ada", [], ["p"], named="0" * 32)
    assert review.log.path.read_bytes().count(b"\n") == 1


def test_the_same_undo_again_takes_back_nothing_more(tmp_path: Path) -> None:
    review = Review(tmp_path)
    _, second = (review.decide("Ada", [], [p]) for p in "pq")
    for _ in range(2):
        assert review.undo("Ada", named="1" * 32) == (second,)
    assert Review(tmp_path).undo("Ada", named="1" * 32) == (second,)
    assert Review(tmp_path).ledger.decided() == {"p"}


GROUPS = [(["seasonal_snow"], ["p", "q"]), ([], ["r"])]


def test_an_action_is_undone_as_one_also_after_a_restart(tmp_path: Path) -> None:
    review = Review(tmp_path)
    review.decide("Ada", [], ["p"])
    taken = review.act("Ada", GROUPS)
    lines = [json.loads(line) for line in review.log.path.read_text().splitlines()]
    assert "action" not in lines[0]
    assert lines[1]["action"] == lines[2]["action"]
    again = Review(tmp_path)
    assert again.undo("Ada") == taken
    assert again.ledger.decided() == {"p"}
    assert Review(tmp_path).ledger.decided() == {"p"}
    assert [d.patches for d in again.undo("Ada")] == [("p",)]


def test_an_action_of_which_a_part_was_lost_is_completed_by_the_same_request(
    tmp_path: Path,
) -> None:
    review = Review(tmp_path)
    review.act("Ada", GROUPS, named="2" * 32)
    whole = review.log.path.read_bytes()
    first = whole.index(b"\n") + 1
    review.log.path.write_bytes(whole[: first + 20])
    again = Review(tmp_path)
    assert again.ledger.decided() == {"p", "q"}
    again.act("Ada", GROUPS, named="2" * 32)
    assert again.ledger.decided() == {"p", "q", "r"}
    assert len(again.undo("Ada")) == 2
    assert again.ledger.decided() == set()


def test_two_reviews_of_one_log_undo_one_decision_each(tmp_path: Path) -> None:
    one, other = Review(tmp_path), Review(tmp_path)
    first, second = (one.decide("Ada", [], [p]) for p in "pq")
    assert other.undo("Ada") == (second,)
    assert one.undo("Ada") == (first,)
    assert one.undo("Ada") == ()
    assert isinstance(DecisionLog(one.log.path).refresh()[-1], Undo)


def test_a_writer_waits_for_whoever_reads_or_writes(path: Path) -> None:
    DecisionLog(path).append(make_decision("Ada", [], ["p"]))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        work = threading.Thread(target=append_many, args=(path, "Bob", 1))
        work.start()
        work.join(0.3)
        assert work.is_alive()
        assert len(DecisionLog(path).refresh()) == 1
        fcntl.flock(file, fcntl.LOCK_UN)
        work.join(10)
    assert len(DecisionLog(path).refresh()) == 2


def append_many(path: Path, reviewer: str, count: int) -> None:
    log = DecisionLog(path)
    for i in range(count):
        log.append(make_decision(reviewer, [], [f"{reviewer}{i}"] * 20))


def test_several_processes_at_once_lose_nothing(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    names, count = ("Ada", "Bob", "Cy"), 60
    writers = [spawn.Process(target=append_many, args=(path, name, count)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    log = DecisionLog(path)
    events = [event for event in log.refresh() if isinstance(event, Decision)]
    for name in names:
        own = [event.patches[0] for event in events if event.reviewer == name]
        assert own == [f"{name}{i}" for i in range(count)]
    assert log.damaged == 0


WRITER = """
import sys
from pathlib import Path
from benforge.quality.decisions import DecisionLog
from benforge.quality.events import make_decision
log = DecisionLog(Path(sys.argv[1]))
for i in range(10**6):
    event = make_decision("Ada", [], [str(i)] * 50)
    log.append(event)
    print(event.id, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_was_answered(path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    told = [writer.stdout.readline().strip() for _ in range(30)]
    writer.send_signal(signal.SIGKILL)
    told += writer.stdout.read().split()
    writer.stdout.close()
    writer.wait(10)
    whole = [one for one in told if len(one) == 32]
    log = DecisionLog(path)
    assert ids(log)[: len(whole)] == whole
    log.append(last := make_decision("Ada", [], ["p"]))
    assert ids(DecisionLog(path))[-1] == last.id
