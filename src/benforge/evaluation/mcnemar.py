"""McNemar's test: of the decisions that one method alone got right, whose are more."""

from __future__ import annotations

import math
import sys

import msgspec

from benforge.evaluation.pair import Pair

EXACT_BELOW = 1_000
"""Decisions that differ, below which the binomial distribution is summed."""


class McNemar(msgspec.Struct, frozen=True, kw_only=True):
    """The test over all pairs of a patch and a class.

    Args:
        a_alone: decisions that the first method alone got right.
        b_alone: likewise the second.
        exact: whether the binomial distribution was summed, else chi squared with one degree of
            freedom and Edwards' correction.
        p: two-sided; 1 where no decision differs, never below the smallest float.
        p_holm: corrected where several methods are compared, else None.
    """

    a_alone: int
    b_alone: int
    exact: bool
    p: float
    p_holm: float | None = None


def mcnemar(pair: Pair) -> McNemar:
    """Test two methods on every decision (McNemar 1947).

    It takes decisions as independent. Those of one patch and of neighbours are not, so its p is
    too small: of a patch archive, the clustered randomisation is the test to report.
    """
    right_a, right_b = pair.a == pair.targets, pair.b == pair.targets
    a, b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    exact = a + b < EXACT_BELOW
    p = _binomial(a, b) if exact else _chi_squared(a, b)
    return McNemar(a_alone=a, b_alone=b, exact=exact, p=max(p, sys.float_info.min))


def _binomial(a: int, b: int) -> float:
    """Both tails of `min(a, b)` or fewer of `a + b` throws of a fair coin."""
    tail = sum(math.comb(a + b, k) for k in range(min(a, b) + 1))
    return min(1.0, float(2 * tail / (1 << (a + b))))


def _chi_squared(a: int, b: int) -> float:
    return math.erfc(max(abs(a - b) - 1, 0) / math.sqrt(2 * (a + b)))
