"""What reviewers decided, row by row, so that a filter goes through it at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benforge.quality.ledger import Verdict
from benforge.quality.screening import FLAGS

UNDECIDED = -1


def bits_of(flags: Iterable[str]) -> int:
    """Flags as one bit each, in the order of `FLAGS`; those of others are left out."""
    named = frozenset(flags)
    return sum(1 << bit for bit, flag in enumerate(FLAGS) if flag in named)


def flags_of(bits: int) -> list[str]:
    """The flags of these bits."""
    return [flag for bit, flag in enumerate(FLAGS) if bits >> bit & 1]


class Board:
    """The verdict on every patch of an archive; changed under the review's lock.

    Args:
        patches: how many the archive has.
    """

    def __init__(self, patches: int) -> None:
        self.bits = np.full(patches, UNDECIDED, np.int8)
        self.disputed = np.zeros(patches, np.bool_)
        self.by = np.full(patches, UNDECIDED, np.int16)
        self.reviewers: list[str] = []

    def clear(self) -> None:
        """Forget every verdict."""
        self.bits[:], self.disputed[:] = UNDECIDED, False

    def put(self, rows: Sequence[int], verdicts: Sequence[Verdict | None]) -> None:
        """Set the verdicts on these rows; None for a patch that nobody decided."""
        for row, verdict in zip(rows, verdicts, strict=True):
            self.bits[row] = UNDECIDED if verdict is None else bits_of(verdict.flags)
            self.disputed[row] = verdict is not None and verdict.disputed
            self.by[row] = UNDECIDED if verdict is None else self._code(verdict.by)

    def reviewer(self, row: int) -> str | None:
        """Whose decision on a patch counts; None where nobody decided."""
        code = int(self.by[row])
        return None if code == UNDECIDED else self.reviewers[code]

    def _code(self, reviewer: str) -> int:
        if reviewer not in self.reviewers:
            self.reviewers.append(reviewer)
        return self.reviewers.index(reviewer)
