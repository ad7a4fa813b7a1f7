"""How far a review is, how fast it goes, and whether reviewers agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from benforge.quality.agreement import Agreement
from benforge.quality.events import Taken
from benforge.viewer.board import UNDECIDED
from benforge.viewer.desk import Desk

HOUR = timedelta(hours=1)
PACE = timedelta(minutes=10)
_MINUTE = 60.0


class ReviewerProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer: patches decided, and those decided in the last hour."""

    decided: int
    last_hour: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a review is.

    Args:
        patches: of the archive.
        decided: by anybody.
        disputed: by reviewers who disagree.
        per_reviewer: name to what they did.
        pace_per_minute: patches that this reviewer decided a minute, over the last ten at most.
        kappa: of each two reviewers.
        damaged_lines: lines of the log that cannot be read.
        outdated: whether the archive or its screening was changed since the viewer read it.
    """

    patches: int
    decided: int
    disputed: int
    per_reviewer: dict[str, ReviewerProgress]
    pace_per_minute: float
    kappa: list[Agreement]
    damaged_lines: int
    outdated: bool


def measure(desk: Desk, reviewer: str, now: datetime | None = None) -> Progress:
    """How far the review is.

    Args:
        desk: where it goes on.
        reviewer: whose pace is asked for; nobody's is 0.
        now: UTC; this moment if None.

    Raises:
        ArchiveError: the log cannot be read.
    """
    now = now or datetime.now(UTC)
    board = desk.refresh()
    with desk.review.lock:
        ledger = desk.review.ledger
        per_reviewer = {
            name: ReviewerProgress(
                decided=ledger.count_of(name),
                last_hour=_patches(_since(ledger.decisions(name), now - HOUR)),
            )
            for name in ledger.reviewers
        }
        return Progress(
            patches=len(board.bits),
            decided=int((board.bits != UNDECIDED).sum()),
            disputed=int(board.disputed.sum()),
            per_reviewer=per_reviewer,
            pace_per_minute=_pace(_since(ledger.decisions(reviewer), now - PACE), now),
            kappa=desk.agreements(),
            damaged_lines=desk.review.log.damaged,
            outdated=desk.catalogue.outdated(),
        )


def _since(decisions: Iterator[Taken], start: datetime) -> list[Taken]:
    """The decisions taken after a time; clocks of several machines may differ a little."""
    found = []
    for decision in decisions:
        if decision.time < start:
            break
        found.append(decision)
    return found


def _patches(decisions: list[Taken]) -> int:
    return len({patch for decision in decisions for patch in decision.patches})


def _pace(decisions: list[Taken], now: datetime) -> float:
    if not decisions:
        return 0.0
    seconds = max(_MINUTE, (now - min(one.time for one in decisions)).total_seconds())
    return round(_MINUTE * _patches(decisions) / seconds, 1)
