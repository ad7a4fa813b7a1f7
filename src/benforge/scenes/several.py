"""Several products worked on one by one: what failed, told as one error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benforge.errors import BenError, ProductError

_NAMED = 5
"""Products that are named besides the first."""


def failure_of(failed: Mapping[Path, BenError], count: int, others: str) -> BenError:
    """The one error, or a line that counts them, tells the first and names some more.

    Args:
        failed: product to why; not empty.
        count: of all products.
        others: what became of those that did not fail, "the others are mapped".
    """
    first = next(iter(failed.values()))
    if count == 1:
        return first
    names = ", ".join(path.name for path in list(failed)[1 : 1 + _NAMED])
    also = f"; also {names}" if names else ""
    return ProductError(
        f"{len(failed)} of {count} products failed, {others}. First: {first}{also}",
        do="Mend or leave those out and run the same command again: it goes on where it was",
    )
