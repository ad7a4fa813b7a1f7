"""What a page is made of: sections of words, tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from benforge.statistics.page import Shown
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import as_svg, lay_out, styled


@dataclass(frozen=True, slots=True)
class GridRow:
    """A line of Table 4's numbers: what they are, then one cell a figure."""

    name: str
    cells: Sequence[str]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class GridGroup:
    """The lines of one method; `first_below` is the first under the rule."""

    method: str
    note: str
    rows: Sequence[GridRow]
    first_below: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Table 4: groups of lines under one heading."""

    title: str
    headings: Sequence[str]
    groups: Sequence[GridGroup]
    note: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one method says of a patch."""

    method: str
    right: Sequence[str]
    wrong: Sequence[str]
    missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class Card:
    """A patch of Table 3: its picture as a data URI, what is true and what is said."""

    patch_id: str
    taken: str
    picture: str
    true: Sequence[str]
    said: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture on a board: what it shows as a data URI, its heading, and what is said of it.

    `lines` are words and what they stand before: "true labels" and the labels.
    """

    picture: str
    head: str
    note: str
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A part of a section, of one set of labels where there are several.

    Args:
        title: shown where there are several blocks.
        words: paragraphs.
        grids: tables as Table 4.
        figures: drawn.
        sheets: name to table.
        cards: patches.
        caption: over the cards.
        board: pictures side by side, under the figures.
        board_caption: over them.
    """

    title: str = ""
    words: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    figures: Sequence[Shown] = ()
    sheets: Mapping[str, Sheet] | None = None
    cards: Sequence[Card] = ()
    caption: str = ""
    board: Sequence[Seen] = ()
    board_caption: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """One heading of the page.

    Args:
        name: its anchor.
        title: its heading.
        words: paragraphs under it.
        blocks: of it.
    """

    name: str
    title: str
    words: Sequence[str]
    blocks: Sequence[Block]


def draw(name: str, table: str, title: str, caption: str, make: Callable[[], Figure]) -> Shown:
    """A figure in the house's style, as SVG for a page.

    Args:
        name: its anchor.
        table: name of the sheet with its numbers.
        title: of it, for who does not see it.
        caption: under it.
        make: draws it.
    """
    with styled():
        figure = make()
        lay_out(figure)
        return Shown(name, table, caption, as_svg(figure), title)
