"""What reviewers decided of each patch, after every event of a log in its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benforge.quality.events import Decision, Event


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


class Ledger:
    """The standing decisions: of each reviewer for a patch, the last one that was not undone."""

    def __init__(self) -> None:
        self._decisions: dict[str, tuple[int, Decision]] = {}
        self._undone: set[str] = set()
        self._of_reviewer: dict[str, list[str]] = {}
        self._of_patch: dict[str, dict[str, list[str]]] = {}

    def apply(self, event: Event) -> Sequence[str]:
        """Take an event in, and return the patches that it touches.

        An event that is known already, and an undo of what is not the reviewer's own standing
        decision, touch none.
        """
        if isinstance(event, Decision):
            return self._decide(event)
        return self._undo(event.undo, event.reviewer)

    def _decide(self, event: Decision) -> Sequence[str]:
        if event.id in self._decisions:
            return ()
        self._decisions[event.id] = len(self._decisions), event
        self._of_reviewer.setdefault(event.reviewer, []).append(event.id)
        for patch in event.patches:
            self._of_patch.setdefault(patch, {}).setdefault(event.reviewer, []).append(event.id)
        return event.patches

    def _undo(self, which: str, reviewer: str) -> Sequence[str]:
        _, event = self._decisions.get(which, (0, None))
        if event is None or event.reviewer != reviewer or which in self._undone:
            return ()
        self._undone.add(which)
        self._of_reviewer[reviewer].remove(which)
        for patch in event.patches:
            stacks = self._of_patch[patch]
            stacks[reviewer] = [one for one in stacks[reviewer] if one != which]
            if not stacks[reviewer]:
                del stacks[reviewer]
            if not stacks:
                del self._of_patch[patch]
        return event.patches

    def last(self, reviewer: str) -> Decision | None:
        """A reviewer's last decision that was not undone."""
        standing = self._of_reviewer.get(reviewer)
        return self._decisions[standing[-1]][1] if standing else None

    def standing(self, patch: str) -> Mapping[str, Decision]:
        """Reviewer to their decision on a patch, the last one last."""
        stacks = self._of_patch.get(patch, {})
        found = sorted(self._decisions[stack[-1]] for stack in stacks.values())
        return {decision.reviewer: decision for _, decision in found}

    def verdict(self, patch: str) -> Verdict | None:
        """What holds for a patch; None where nobody decided."""
        standing = tuple(self.standing(patch).values())
        if not standing:
            return None
        kinds = {frozenset(decision.flags) for decision in standing}
        return Verdict(standing[-1].flags, standing[-1].reviewer, len(kinds) > 1)

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who has decisions that stand, sorted."""
        return tuple(sorted(name for name, events in self._of_reviewer.items() if events))

    def decided(self) -> Iterator[str]:
        """Every patch that somebody decided."""
        return iter(self._of_patch)

    def decisions(self, reviewer: str) -> Iterator[Decision]:
        """A reviewer's decisions that were not undone, the last first."""
        return (self._decisions[one][1] for one in reversed(self._of_reviewer.get(reviewer, [])))
