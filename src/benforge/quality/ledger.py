"""What reviewers decided of each patch, after every event of a log in its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benforge.quality.events import Decision, Event, Undo


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for a patch.

    Args:
        flags: of the last decision; empty for a patch found clear.
        by: the reviewer who took it.
        disputed: whether another reviewer decided otherwise.
    """

    flags: tuple[str, ...]
    by: str
    disputed: bool


@dataclass(slots=True)
class _Entries:
    """What one reviewer decided and did not undo: events in order, and those of each patch.

    `events` is read as an ordered set; `actions` holds the events of those of more than one.
    """

    events: dict[str, None] = field(default_factory=dict)
    patches: dict[str, list[str]] = field(default_factory=dict)
    actions: dict[str, list[str]] = field(default_factory=dict)


class Ledger:
    """The standing decisions: of each reviewer for a patch, the last one that was not undone."""

    def __init__(self) -> None:
        self._decisions: dict[str, tuple[int, Decision]] = {}
        self._reviewers: dict[str, _Entries] = {}
        self._undone: dict[str, tuple[Decision, ...]] = {}

    def apply(self, event: Event) -> Sequence[str]:
        """Take an event in, and return the patches that it touches.

        An event that is known already, and an undo of what is not the reviewer's own standing
        decision, touch none.
        """
        if isinstance(event, Decision):
            return self._decide(event)
        return self._undo(event)

    def undone_by(self, event: str) -> tuple[Decision, ...]:
        """What an undo of this id took back; nothing where there was none."""
        return self._undone.get(event, ())

    def knows(self, event: str) -> bool:
        """Whether a decision of this id was taken, undone or not."""
        return event in self._decisions

    def _decide(self, event: Decision) -> Sequence[str]:
        if event.id in self._decisions:
            return ()
        self._decisions[event.id] = len(self._decisions), event
        entries = self._reviewers.setdefault(event.reviewer, _Entries())
        entries.events[event.id] = None
        if event.action:
            entries.actions.setdefault(event.action, []).append(event.id)
        for patch in frozenset(event.patches):
            entries.patches.setdefault(patch, []).append(event.id)
        return event.patches

    def _undo(self, event: Undo) -> Sequence[str]:
        entries = self._reviewers.get(event.reviewer, _Entries())
        named = [event.undo, *entries.actions.get(event.undo, ())]
        taken = [which for which in named if which in entries.events]
        if not taken or event.id in self._undone:
            return ()
        for which in taken:
            self._take_back(entries, which)
        self._undone[event.id] = tuple(self._decisions[which][1] for which in taken)
        return [patch for decision in self._undone[event.id] for patch in decision.patches]

    def _take_back(self, entries: _Entries, which: str) -> None:
        del entries.events[which]
        for patch in frozenset(self._decisions[which][1].patches):
            entries.patches[patch].remove(which)
            if not entries.patches[patch]:
                del entries.patches[patch]

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who has decisions that stand, sorted."""
        return tuple(sorted(name for name, of in self._reviewers.items() if of.events))

    def decided(self) -> frozenset[str]:
        """Every patch that somebody decided."""
        return frozenset().union(*(of.patches for of in self._reviewers.values()))

    def last(self, reviewer: str) -> Decision | None:
        """A reviewer's last decision that was not undone."""
        return next(self.decisions(reviewer), None)

    def answer_of(self, reviewer: str, patch: str) -> tuple[str, ...] | None:
        """The flags that a reviewer gave a patch; None where they did not decide."""
        events = self._reviewers.get(reviewer, _Entries()).patches.get(patch)
        return self._decisions[events[-1]][1].flags if events else None

    def decisions(self, reviewer: str) -> Iterator[Decision]:
        """A reviewer's decisions that were not undone, the last first."""
        entries = self._reviewers.get(reviewer, _Entries())
        return (self._decisions[event][1] for event in reversed(entries.events))

    def standing_of(self, reviewer: str) -> Mapping[str, tuple[str, ...]]:
        """Patch to the flags that a reviewer gave it, of all that they decided."""
        patches = self._reviewers.get(reviewer, _Entries()).patches
        return {patch: self._decisions[events[-1]][1].flags for patch, events in patches.items()}

    def count_of(self, reviewer: str) -> int:
        """How many patches a reviewer decided."""
        return len(self._reviewers.get(reviewer, _Entries()).patches)

    def standing(self, patch: str) -> Sequence[Decision]:
        """The decision of each reviewer on a patch, the last one last."""
        stacks = (of.patches.get(patch) for of in self._reviewers.values())
        found = [self._decisions[stack[-1]] for stack in stacks if stack]
        return [decision for _, decision in sorted(found, key=lambda pair: pair[0])]

    def verdict(self, patch: str) -> Verdict | None:
        """What holds for a patch; None where nobody decided."""
        standing = self.standing(patch)
        if not standing:
            return None
        kinds = {frozenset(decision.flags) for decision in standing}
        return Verdict(standing[-1].flags, standing[-1].reviewer, len(kinds) > 1)
