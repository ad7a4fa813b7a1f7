"""A review that goes on: its log on disk and what holds after it, for several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from pathlib import Path

from benforge.quality.decisions import DEFAULT_NAME, DecisionLog, review_path
from benforge.quality.events import (
    Decision,
    Event,
    Group,
    LabelDecision,
    Taken,
    make_action,
    make_label_decision,
    make_undo,
    parse_reviewer,
)
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
        """Give patches flags, or none; an action of one decision.

        Args:
            reviewer: who decides.
            flags: in any order; none for clear.
            patches: their ids.
            named: as of `act`.

        Raises:
            InputError: a name that is none, an unknown flag, or no patches.
            StorageError: the disk is full; nothing is added.
        """
        return self.act(reviewer, [(flags, patches)], named=named)[0]

    def act(
        self, reviewer: str, groups: Sequence[Group], *, named: str = ""
    ) -> tuple[Decision, ...]:
        """Give several groups of patches flags at once; all is on the disk when this returns.

        Args:
            reviewer: who decides.
            groups: what is decided of which patches; they are undone as one.
            named: the id of the action; one that is there already is not added again, so that an
                answer that was lost may be asked for once more.

        Raises:
            InputError: a name that is none, an unknown flag, or no patches.
            StorageError: the disk is full; nothing is added.
        """
        decisions = make_action(reviewer, groups, named=named)
        self._add(decisions)
        return decisions

    def judge(
        self, reviewer: str, label: str, patches: Sequence[str], *, present: bool, named: str = ""
    ) -> LabelDecision:
        """Say whether patches have a class; it is on the disk when this returns.

        Args:
            reviewer: who decides.
            label: name of the class.
            patches: their ids.
            present: whether the class is there.
            named: as of `act`.

        Raises:
            InputError: a name that is none, no label, or no patches.
            StorageError: the disk is full; nothing is added.
        """
        decision = make_label_decision(reviewer, label, patches, present=present, named=named)
        self._add([decision])
        return decision

    def _add(self, decisions: Sequence[Taken]) -> None:
        def choose(news: list[Event]) -> Sequence[Event]:
            self._take(news)
            return [one for one in decisions if not self.ledger.knows(one.id)]

        with self.lock:
            self._take(self.log.update(choose))

    def undo(self, reviewer: str, *, named: str = "") -> tuple[Taken, ...]:
        """Take back a reviewer's last action that stands, and return it; nothing without one.

        Args:
            reviewer: who takes back.
            named: the id of the event; one that is there already takes nothing more back.

        Raises:
            InputError: a name that is none.
            StorageError: the disk is full; nothing is added.
        """
        name = parse_reviewer(reviewer)

        def choose(news: list[Event]) -> Sequence[Event]:
            self._take(news)
            last = None if self.ledger.undone_by(named) else self.ledger.last(name)
            return [make_undo(last, named=named)] if last else []

        with self.lock:
            added = self.log.update(choose)
            self._take(added)
            return self.ledger.undone_by(added[0].id if added else named)

    def _take(self, news: Sequence[Event]) -> None:
        if self.log.generation != self._generation:
            self._generation = self.log.generation
            self._touched |= self.ledger.decided()
            self.ledger = Ledger()
        for event in news:
            self._touched.update(self.ledger.apply(event))
