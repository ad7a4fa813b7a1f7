"""What agrees, what differs, and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from benforge.conformance.fact import Check, Found, Value, at_least, every, run_check, tally


@dataclass
class Shelf:
    """Evidence that has some things."""

    things: tuple[str, ...] = ()

    def lacking(self, needs: Sequence[str]) -> str:
        return next((need for need in needs if need not in self.things), "")


@pytest.mark.parametrize(
    ("value", "equal"),
    [(3, True), (4, False), (Found(3, False), False), (Found("3 of 3", True), True)],
)
def test_a_value_agrees_or_says_itself(value: Value | Found, equal: bool) -> None:
    fact = run_check(Check(1, "group", "fact", 3, lambda _: value), Shelf())
    assert fact.equal is equal


def test_what_is_lacking_is_no_pass() -> None:
    def fail(_: Shelf) -> int:
        raise AssertionError("asked without what it needs")

    fact = run_check(Check(1, "group", "fact", 3, fail, ("a", "b")), Shelf(("a",)))
    assert (fact.found, fact.equal) == ("not available here: needs b", None)
    assert tally([fact]) == (0, 0, 1)


def test_every_and_at_least() -> None:
    mask = np.array([True, True, True, False])
    assert every(mask) == ("3 of 4", False)
    assert every(mask[:3]) == ("3 of 3", True)
    assert every(mask[:0]).equal is None
    assert at_least(mask, 0.75).equal is True
    assert at_least(mask, 0.76).equal is False
    assert at_least(mask[:0], 0).equal is None
