"""Which requests fetch some ranges of an object: near ones together, none too large. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 512 << 10
"""Bytes that nobody wants and that are read all the same, as another request costs more."""

SPAN = 4 << 20
"""Bytes of a request at most, unless one range alone is larger: several run side by side."""


@dataclass(frozen=True, slots=True)
class Request:
    """One range of an object.

    Args:
        start: first byte.
        length: bytes.
        parts: which of the ranges wanted lie in it, by their position.
    """

    start: int
    length: int
    parts: tuple[int, ...]


def plan_requests(ranges: Sequence[tuple[int, int]]) -> list[Request]:
    """Requests that together hold every range once, in the order of the object.

    Args:
        ranges: first byte and length of each; may overlap, stand twice, and come in any order.
    """
    found: list[Request] = []
    for part in sorted(range(len(ranges)), key=ranges.__getitem__):
        start, length = ranges[part]
        last = found[-1] if found else None
        if last and start - (last.start + last.length) <= GAP and _joined(last, ranges[part]):
            span = max(last.length, start + length - last.start)
            found[-1] = Request(last.start, span, (*last.parts, part))
        else:
            found.append(Request(start, length, (part,)))
    return found


def _joined(last: Request, more: tuple[int, int]) -> bool:
    """Whether a range may join: it lies within already, or the whole stays small enough."""
    span = sum(more) - last.start
    return span <= max(SPAN, last.length)
