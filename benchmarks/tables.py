"""Markdown tables read back: what of them can be drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DRAWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "Root mean square": (("both, 6S", "both, nothing"),),
    "Packing patches": (("of none",), ("unpack, MB/s",)),
    "Training, from": (("patches/s, from the archive", "from memory (floor)"),),
}
"""Tables, by how their titles begin, and the columns that are drawn together."""
_LIKED = re.compile(r"^(patches/s|ratio|value|seconds?|ms|median|bytes)$|^of ")
_NUMBER = re.compile(r"^-?[\d,]*\.?\d+(e[-+]\d+)?(?![\d.])")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page.

    Args:
        title: its heading.
        heads: of its columns.
        rows: its cells.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def numbers(self, head: str) -> list[float] | None:
        """A column's numbers, without their units; None where a cell has none."""
        column = self.heads.index(head)
        found = [_NUMBER.match(row[column]) for row in self.rows]
        if not all(found):
            return None
        return [float(match[0].replace(",", "")) for match in found if match]

    def labels(self) -> list[str]:
        """What each row is about: its cells that are words."""
        words = [h for n, h in enumerate(self.heads) if n == 0 or self.numbers(h) is None]
        known = [self.heads.index(h) for h in words if not _LIKED.match(h)][:2] or [0]
        if self.title.startswith("Packing"):
            known = [0]
        return [" ".join(row[n] for n in known).strip() for row in self.rows]

    def drawn(self) -> tuple[tuple[str, ...], ...]:
        """The columns of each chart: those that are named, or the first that compares."""
        for title, columns in DRAWN.items():
            if self.title.startswith(title):
                return tuple(some for some in columns if set(some) <= set(self.heads))
        able = [h for h in self.heads[1:] if self.numbers(h) is not None]
        liked = [h for h in able if _LIKED.match(h)] or able
        return ((liked[0],),) if liked and len(self.rows) > 1 else ()


def parse_tables(markdown: str) -> Iterator[Table]:
    """The tables of a page, each with the heading over it."""
    title, lines = "", list[list[str]]()
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            lines.append([cell.strip() for cell in line.strip().strip("|").split("|")])
            continue
        if lines:
            yield Table(title, lines[0], lines[2:])
            lines = []
        if line.startswith("### "):
            title = line[4:]
