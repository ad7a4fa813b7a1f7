"""What reviewers decided of each patch and label, after every event of a log in its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benforge.quality.events import Decision, Event, LabelDecision, Taken, Undo

Judged = tuple[str, str]
"""A patch id and the name of a class."""


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


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """What holds for a class in a patch, whether it is there; `by`, `disputed` as in `Verdict`."""

    present: bool
    by: str
    disputed: bool


@dataclass(slots=True)
class _Entries:
    """What one reviewer decided and did not undo: events in order, and those of each patch.

    `events` is read as an ordered set; `labels` are those of each patch and class; `actions` holds
    the events of those of more than one.
    """

    events: dict[str, None] = field(default_factory=dict)
    patches: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[Judged, list[str]] = field(default_factory=dict)
    actions: dict[str, list[str]] = field(default_factory=dict)

    def stacks(self, event: Taken) -> tuple[dict[Any, list[str]], frozenset[Any]]:
        """Where decisions of this kind lie, and under which keys this one does."""
        if isinstance(event, LabelDecision):
            return self.labels, frozenset((patch, event.label) for patch in event.patches)
        return self.patches, frozenset(event.patches)


class Ledger:
    """The standing decisions: of each reviewer for a patch, the last one that was not undone."""

    def __init__(self) -> None:
        self._decisions: dict[str, tuple[int, Taken]] = {}
        self._reviewers: dict[str, _Entries] = {}
        self._undone: dict[str, tuple[Taken, ...]] = {}

    def apply(self, event: Event) -> Sequence[str]:
        """Take an event in, and return the patches that it touches.

        An event that is known already, and an undo of what is not the reviewer's own standing
        decision, touch none.
        """
        return self._undo(event) if isinstance(event, Undo) else self._decide(event)

    def undone_by(self, event: str) -> tuple[Taken, ...]:
        """What an undo of this id took back; nothing where there was none."""
        return self._undone.get(event, ())

    def knows(self, event: str) -> bool:
        """Whether a decision of this id was taken, undone or not."""
        return event in self._decisions

    def _decide(self, event: Taken) -> Sequence[str]:
        if event.id in self._decisions:
            return ()
        self._decisions[event.id] = len(self._decisions), event
        entries = self._reviewers.setdefault(event.reviewer, _Entries())
        entries.events[event.id] = None
        if event.action:
            entries.actions.setdefault(event.action, []).append(event.id)
        stacks, keys = entries.stacks(event)
        for key in keys:
            stacks.setdefault(key, []).append(event.id)
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
        stacks, keys = entries.stacks(self._decisions[which][1])
        for key in keys:
            stacks[key].remove(which)
            if not stacks[key]:
                del stacks[key]

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who has decisions that stand, sorted."""
        return tuple(sorted(name for name, of in self._reviewers.items() if of.events))

    def decided(self) -> frozenset[str]:
        """Every patch whose flags somebody decided."""
        return frozenset().union(*(of.patches for of in self._reviewers.values()))

    def last(self, reviewer: str) -> Taken | None:
        """A reviewer's last decision that was not undone, on flags or a label."""
        return next(self.decisions(reviewer), None)

    def answer_of(self, reviewer: str, patch: str) -> tuple[str, ...] | None:
        """The flags that a reviewer gave a patch; None where they did not decide."""
        events = self._reviewers.get(reviewer, _Entries()).patches.get(patch)
        return self._flags(events[-1]) if events else None

    def _flags(self, event: str) -> tuple[str, ...]:
        decision = self._decisions[event][1]
        return decision.flags if isinstance(decision, Decision) else ()

    def decisions(self, reviewer: str) -> Iterator[Taken]:
        """A reviewer's decisions that were not undone, on flags and labels, the last first."""
        entries = self._reviewers.get(reviewer, _Entries())
        return (self._decisions[event][1] for event in reversed(entries.events))

    def standing_of(self, reviewer: str) -> Mapping[str, tuple[str, ...]]:
        """Patch to the flags that a reviewer gave it, of all that they decided."""
        patches = self._reviewers.get(reviewer, _Entries()).patches
        return {patch: self._flags(events[-1]) for patch, events in patches.items()}

    def count_of(self, reviewer: str) -> int:
        """How many patches a reviewer gave flags, or none."""
        return len(self._reviewers.get(reviewer, _Entries()).patches)

    def standing(self, patch: str) -> Sequence[Decision]:
        """The decision of each reviewer on the flags of a patch, the last one last."""
        found = self._last_of(of.patches.get(patch) for of in self._reviewers.values())
        return [decision for decision in found if isinstance(decision, Decision)]

    def _last_of(self, stacks: Iterable[list[str] | None]) -> list[Taken]:
        """The last decision of each stack, the last one last."""
        found = [self._decisions[stack[-1]] for stack in stacks if stack]
        return [decision for _, decision in sorted(found, key=lambda pair: pair[0])]

    def judged(self) -> frozenset[Judged]:
        """Every patch and class that somebody decided on."""
        return frozenset().union(*(of.labels for of in self._reviewers.values()))

    def label_answer_of(self, reviewer: str, patch: str, label: str) -> bool | None:
        """Whether a reviewer found a class in a patch; None where they did not decide."""
        stack = self._reviewers.get(reviewer, _Entries()).labels.get((patch, label))
        found = self._last_of([stack])
        return next((one.present for one in found if isinstance(one, LabelDecision)), None)

    def label_verdict(self, patch: str, label: str) -> LabelVerdict | None:
        """What holds for a class in a patch; None where nobody decided."""
        stacks = (of.labels.get((patch, label)) for of in self._reviewers.values())
        found = [one for one in self._last_of(stacks) if isinstance(one, LabelDecision)]
        if not found:
            return None
        disputed = len({one.present for one in found}) > 1
        return LabelVerdict(found[-1].present, found[-1].reviewer, disputed)

    def verdict(self, patch: str) -> Verdict | None:
        """What holds for a patch; None where nobody decided."""
        standing = self.standing(patch)
        if not standing:
            return None
        kinds = {frozenset(decision.flags) for decision in standing}
        return Verdict(standing[-1].flags, standing[-1].reviewer, len(kinds) > 1)
