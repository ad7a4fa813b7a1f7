"""Tables on the terminal: columns aligned, nothing cut off."""

from __future__ import annotations

from collections.abc import Sequence

from benforge.cli.terminal import out


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A title, a header and rows on standard output."""
    out.print(title, style="bold", markup=False)
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        out.print(f"  {'  '.join(cells)}".rstrip(), markup=False)


def print_figures(
    headings: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[int] = ()
) -> None:
    """Numbers, to the right, after a name in the first column; `whole` columns never break."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for i, heading in enumerate(headings):
        table.add_column(heading, justify="right" if i else "left", no_wrap=i in whole)
    for row in rows:
        table.add_row(*map(Text, row))
    out.print(table, soft_wrap=False)
