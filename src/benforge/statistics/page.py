"""The page of `ben stats --html`: every figure and table in one file that needs no other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2

from benforge import __version__
from benforge.statistics.described import Described
from benforge.statistics.sheet import Sheet
from benforge.statistics.style import INK, LINE, SOFT

LONGEST = 60
"""Rows of a table that the page shows; the files hold them all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure on the page.

    Args:
        name: of its files.
        table: name of the table that it shows.
        caption: what stands under it.
        svg: the figure on a transparent ground.
        alt: what is to be seen, for those who do not see it.
    """

    name: str
    table: str
    caption: str
    svg: str
    alt: str


def render_page(described: Described, sheets: Mapping[str, Sheet], shown: Sequence[Shown]) -> str:
    """The page as HTML: facts, figures, tables; it asks for nothing and runs no script."""
    source = files("benforge.statistics") / "page.html"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    tables = {n: sheet for n, sheet in sheets.items() if n != "facts" and not sheet.wide}
    return environment.from_string(source.read_text(encoding="utf-8")).render(
        version=__version__,
        described=described,
        facts=sheets["facts"],
        figures=[
            {"told": one, "svg": inline_svg(one.svg, f"f{i}", one.alt)}
            for i, one in enumerate(shown)
        ],
        tables=tables,
        longest=LONGEST,
    )


def inline_svg(svg: str, prefix: str, alt: str) -> str:
    """An SVG file as part of a page: ids of its own, text in the colours of the page.

    Args:
        svg: a file as matplotlib writes it.
        prefix: of every id, so that figures do not share them.
        alt: its title, for screen readers.
    """
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'href="#', f'href="#{prefix}-', body)
    body = re.sub(r"url\(#", f"url(#{prefix}-", body)
    for color, variable in ((INK, "ink"), (SOFT, "soft"), (LINE, "line")):
        body = body.replace(color, f"var(--{variable})")
    width = float(re.findall(r'width="([\d.]+)pt"', body)[0])
    body = re.sub(r'(width|height)="[\d.]+pt"', "", body, count=2)
    style = f'style="max-width:{width / 72 * 1.5:.2f}in" role="img" aria-label="'
    label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    wide = "wide" if width > 300 else "narrow"
    return body.replace("<svg", f'<svg class="{wide}" {style}{label}"', 1)
