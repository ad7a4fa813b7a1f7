"""Which patches to show: varied ones, without chance."""

from __future__ import annotations

from collections.abc import Sequence

from benforge.core.record import PatchRecord


def choose_varied(records: Sequence[PatchRecord], count: int) -> list[int]:
    """Positions of up to `count` records that together show as many classes as possible.

    Each next one adds the most classes that were not shown, then has the most classes; once all
    are shown it starts anew. Equal ones are taken in their order.
    """
    left = list(range(len(records)))
    chosen: list[int] = []
    shown: set[int] = set()
    while left and len(chosen) < count:
        best = max(left, key=lambda i: _worth(records[i], shown))
        classes = set(records[best].classes)
        if shown and classes <= shown:
            shown = set()
            continue
        chosen.append(best)
        left.remove(best)
        shown |= classes
    return chosen


def _worth(record: PatchRecord, shown: set[int]) -> tuple[int, int]:
    return len(set(record.classes) - shown), len(record.classes)
