"""A table that is meant to be read: its title, its rows, what it leaves open."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

MISSING = "–"
"""What stands where a value is not known here."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table with words around it; columns whose name begins with "share" are 0 to 1.

    Args:
        title: what it shows.
        table: the values; an underscore in a column's name is read as a blank.
        note: how it was counted and what is not in it.
        wide: too wide for a page; not shown in the report.
        decimals: column to digits behind the point, where that is not 2, or 1 of a share's percent.
        simulated: whether it tells of a simulated archive, which CSV says to programs.
    """

    title: str
    table: pa.Table
    note: str = ""
    wide: bool = False
    decimals: Mapping[str, int] = field(default_factory=dict)
    simulated: bool = False

    @property
    def headings(self) -> list[str]:
        """The columns' names as a reader wants them: "Patches", "Share of patches"."""
        words = (name.replace("_", " ") for name in self.table.column_names)
        return [word[:1].upper() + word[1:] for word in words]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers, to be aligned right."""
        kinds = self.table.schema.types
        return [pt.is_integer(kind) or pt.is_floating(kind) for kind in kinds]

    def lines(self) -> list[list[str]]:
        """The rows as text, rounded for reading."""
        names = self.table.column_names
        return [[self._shown(name, row[name]) for name in names] for row in self.table.to_pylist()]

    def _shown(self, column: str, value: object) -> str:
        """A value as its column has it: a code is a name, not a number."""
        if column == "code":
            return str(value)
        share = column.startswith("share")
        return format_value(value, share=share, decimals=self.decimals.get(column))


def format_value(value: object, *, share: bool = False, decimals: int | None = None) -> str:
    """A value as a reader wants it: 590,326 · 12.3 % · 2017-06-13 · a word."""
    if value is None:
        return MISSING
    if isinstance(value, float):
        if share:
            return f"{100 * value:.{1 if decimals is None else decimals}f} %"
        return f"{value:,.{2 if decimals is None else decimals}f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    return str(value)


def table_of(columns: Mapping[str, Sequence[Any]], **types: pa.DataType) -> pa.Table:
    """A table of these columns; give the types of columns that may be empty or all missing."""
    arrays = {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    return pa.table(arrays)
