"""A sheet as CSV for programs, as Markdown and as LaTeX for papers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping

from benforge.statistics.sheet import Sheet

WIDEST = 46
"""Letters of a column of text from which LaTeX breaks its lines."""

_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "–": "--",
    "×": r"$\times$",
    "·": r"\textperiodcentered{}",
}


def as_csv(sheet: Sheet, name: str) -> bytes:
    """Names of columns, then values in full precision; empty where one is missing.

    Of a simulated archive, the last column is `simulated_archive`, "true" in every row.
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    head, mark = (["simulated_archive"], ["true"]) if sheet.simulated else ([], [])
    writer.writerow([*sheet.table.column_names, *head])
    writer.writerows([*row.values(), *mark] for row in sheet.table.to_pylist())
    return sink.getvalue().encode()


def as_markdown(sheet: Sheet, name: str) -> bytes:
    """A title, a table with numbers to the right, and the note."""
    rules = ["---:" if number else "---" for number in sheet.numeric]
    lines = [sheet.headings, rules, *sheet.lines()]
    rows = ["| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines]
    parts = [f"**{sheet.title}**", "\n".join(rows), sheet.note]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def as_latex(sheet: Sheet, name: str) -> bytes:
    """A `table` with booktabs, its title and note as the caption, `tab:<name>` as the label."""
    kinds = [_alignment(sheet, i) for i in range(len(sheet.headings))]
    heads, *body = (
        " & ".join(map(escape_latex, line)) + r" \\" for line in [sheet.headings, *sheet.lines()]
    )
    caption = ". ".join(part for part in (sheet.title, sheet.note) if part)
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{escape_latex(caption)}}}",
        f"  \\label{{tab:{name}}}",
        f"  \\begin{{tabular}}{{{''.join(kinds)}}}",
        r"    \toprule",
        f"    {heads}",
        r"    \midrule",
        *(f"    {line}" for line in body),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _alignment(sheet: Sheet, column: int) -> str:
    if sheet.numeric[column]:
        return "r"
    longest = max((len(line[column]) for line in sheet.lines()), default=0)
    return "l" if longest <= WIDEST else r"p{0.45\linewidth}"


def escape_latex(text: str) -> str:
    """The text as LaTeX sets it."""
    return "".join(_LATEX.get(sign, sign) for sign in text)


FORMATS: Mapping[str, Callable[[Sheet, str], bytes]] = {
    "csv": as_csv,
    "md": as_markdown,
    "tex": as_latex,
}
"""Ending of a file to what writes it."""
