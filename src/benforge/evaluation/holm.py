"""Holm's correction: what several tests show together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Each p as if it had been the only test, in the order given; never above 1.

    The k-th smallest of m counts m - k + 1 times, and no less than any smaller one (Holm 1979).
    """
    corrected = [0.0] * len(p_values)
    least = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[i]))
        corrected[i] = least
    return tuple(corrected)
