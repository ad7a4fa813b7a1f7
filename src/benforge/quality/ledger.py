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
    """What one reviewer decided and did not undo: events in order, and those of each patch."""

    events: list[str] = field(default_factory=list)
    patches: dict[str, list[str]] = field(default_factory=dict)


class Ledger:
    """The standing decisions: of each reviewer for a patch, the last one that was not undone."""

    def __init__(self) -> None:
        self._decisions: dict[str, tuple[int, Decision]] = {}
        self._reviewers: dict[str, _Entries] = {}
        self._undone: dict[str, Decision] = {}

    def apply(self, event: Event) -> Sequence[str]:
        """Take an event in, and return the patches that it touches.

        An event that is known already, and an undo of what is not the reviewer's own standing
        decision, touch none.
        """
        if isinstance(event, Decision):
            return self._decide(event)
        return self._undo(event)

    def undone_by(self, event: str) -> Decision | None:
        """What an undo of this id took back; None where there was none."""
        return self._undone.get(event)

    def knows(self, event: str) -> bool:
        """Whether a decision of this id was taken, undone or not."""
        return event in self._decisions

    def _decide(self, event: Decision) -> Sequence[str]:
        if event.id in self._decisions:
            return ()
        self._decisions[event.id] = len(self._decisions), event
        entries = self._reviewers.setdefault(event.reviewer, _Entries())
        entries.events.append(event.id)
        for patch in frozenset(event.patches):
            entries.patches.setdefault(patch, []).append(event.id)
        return event.patches

    def _undo(self, event: Undo) -> Sequence[str]:
        which, entries = event.undo, self._reviewers.get(event.reviewer, _Entries())
        if which not in entries.events or event.id in self._undone:
            return ()
        entries.events.remove(which)
        _, decision = self._decisions[which]
        self._undone[event.id] = decision
        for patch in frozenset(decision.patches):
            entries.patches[patch].remove(which)
            if not entries.patches[patch]:
                del entries.patches[patch]
        return decision.patches

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
