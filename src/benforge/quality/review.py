"""A review that goes on: its log on disk and what holds after it, for several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from pathlib import Path

from benforge.quality.decisions import DEFAULT_NAME, DecisionLog, review_path
from benforge.quality.events import Decision, Event, make_decision, make_undo, parse_reviewer
from benforge.quality.ledger import Ledger


class Review:
    """The review of an archive; other processes may go on with the same one.

    Hold `lock` to read `ledger` while other threads decide.

    Args:
        root: the archive's folder.
        name: as in `reviews/<name>.jsonl`.

    Raises:
        InputError: a name that cannot be a file's.
        ArchiveError: the log cannot be read.
    """

    def __init__(self, root: Path, name: str = DEFAULT_NAME) -> None:
        self.name = name
        self.log = DecisionLog(review_path(root, name))
        self.ledger = Ledger()
        self.lock = threading.RLock()
        self._generation = 0
        self._touched: set[str] = set()
        with self.lock:
            self._take(self.log.refresh())

    def refresh(self) -> Collection[str]:
        """Read what others added, and return the patches touched since the last call.

        Raises:
            ArchiveError: the log cannot be read.
        """
        with self.lock:
            self._take(self.log.refresh())
            touched, self._touched = self._touched, set()
            return touched

    def decide(
        self, reviewer: str, flags: Sequence[str], patches: Sequence[str], *, named: str = ""
    ) -> Decision:
        """Give patches flags, or none; it is on the disk when this returns.

        Args:
            reviewer: who decides.
            flags: in any order; none for clear.
            patches: their ids.
            named: the id of the event; one that is there already is not added again, so that an
                answer that was lost may be asked for once more.

        Raises:
            InputError: a name that is none, an unknown flag, or no patches.
            StorageError: the disk is full; nothing is added.
        """
        decision = make_decision(reviewer, flags, patches, named=named)

        def choose(news: list[Event]) -> Event | None:
            self._take(news)
            return None if self.ledger.knows(decision.id) else decision

        with self.lock:
            if self.log.update(choose):
                self._take([decision])
        return decision

    def undo(self, reviewer: str, *, named: str = "") -> Decision | None:
        """Take back a reviewer's last decision that stands, and return it; None without one.

        Args:
            reviewer: who takes back.
            named: the id of the event; one that is there already takes nothing more back.

        Raises:
            InputError: a name that is none.
            StorageError: the disk is full; nothing is added.
        """
        name = parse_reviewer(reviewer)
        undone: list[Decision] = []

        def choose(news: list[Event]) -> Event | None:
            self._take(news)
            before = self.ledger.undone_by(named)
            last = before or self.ledger.last(name)
            undone.extend([last] if last else [])
            return make_undo(last, named=named) if last and not before else None

        with self.lock:
            if event := self.log.update(choose):
                self._take([event])
        return undone[0] if undone else None

    def _take(self, news: Sequence[Event]) -> None:
        if self.log.generation != self._generation:
            self._generation = self.log.generation
            self._touched |= self.ledger.decided()
            self.ledger = Ledger()
        for event in news:
            self._touched.update(self.ledger.apply(event))
