"""A fact of BigEarthNet beside what was found, and the checks that find it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

Value: TypeAlias = int | float | str
Mask: TypeAlias = npt.NDArray[np.bool_]

NOT_HERE = "not available here"
EVERY = "every one"
"""What is published of a rule that has no exception."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact, held against what is at hand.

    Args:
        rule: number of the fidelity rule it belongs to.
        group: what it is about.
        fact: what is said.
        published: what the paper, the published lists or the published code say.
        found: what our rules give.
        equal: whether the two agree; None where that cannot be told here, which is no pass.
    """

    rule: int
    group: str
    fact: str
    published: Value
    found: Value
    equal: bool | None


class Found(NamedTuple):
    """A value that says itself whether it agrees, where equality would not do."""

    value: Value
    equal: bool | None


class Evidence(Protocol):
    """What checks look at."""

    def lacking(self, needs: Sequence[str]) -> str:
        """What is needed and not at hand, in words; empty where all is."""
        ...


E = TypeVar("E", bound=Evidence)


@dataclass(frozen=True, slots=True)
class Check(Generic[E]):
    """How one fact is found.

    Args:
        rule: its number.
        group: what it is about.
        fact: what is said.
        published: what is published.
        find: gives what our rules give; a plain value agrees where it equals `published`.
        needs: what must be at hand, in the words of the evidence.
    """

    rule: int
    group: str
    fact: str
    published: Value
    find: Callable[[E], Value | Found]
    needs: tuple[str, ...] = ()


def run_check(check: Check[E], evidence: E) -> Fact:
    """The fact with what the evidence shows, `equal` None where it lacks what is needed."""
    if lacking := evidence.lacking(check.needs):
        found = Found(f"{NOT_HERE}: needs {lacking}", None)
    else:
        value = check.find(evidence)
        found = value if isinstance(value, Found) else Found(value, value == check.published)
    return Fact(
        rule=check.rule,
        group=check.group,
        fact=check.fact,
        published=check.published,
        found=found.value,
        equal=found.equal,
    )


def run_checks(checks: Iterable[Check[E]], evidence: E) -> Iterator[Fact]:
    """The fact of each check, in order."""
    return (run_check(check, evidence) for check in checks)


def every(holds: Mask) -> Found:
    """Agrees where all hold; where there is none to ask, nothing can be told."""
    if not len(holds):
        return Found(f"{NOT_HERE}: none to ask", None)
    return Found(f"{int(holds.sum()):,} of {len(holds):,}", bool(holds.all()))


def at_least(holds: Mask, share: float) -> Found:
    """Agrees where this share holds, or more."""
    if not len(holds):
        return every(holds)
    text = f"{int(holds.sum()):,} of {len(holds):,} ({100 * holds.mean():.3f} %)"
    return Found(text, bool(holds.mean() >= share))


def tally(facts: Iterable[Fact]) -> tuple[int, int, int]:
    """How many hold, differ, and are not available."""
    told = [fact.equal for fact in facts]
    return told.count(True), told.count(False), told.count(None)
