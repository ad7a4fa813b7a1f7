"""The page of `ben report`: one file that needs no other."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from itertools import count

import jinja2

from benforge import __version__
from benforge.reports.folder import Folder
from benforge.reports.part import Section
from benforge.reports.provenance import facts_sheet
from benforge.statistics.page import Shown, inline_svg

SHOWN_WRONG = 5
"""Wrong classes of a patch and method that are shown; the page folds the others."""


def page_title(folder: Folder) -> str:
    """The page's title; says so where all is simulated."""
    kind = "Simulated: the" if folder.experiment.simulated else "The"
    return f"{kind} experiment of the BigEarthNet paper on {folder.experiment.archive}"


def render_page(folder: Folder, sections: Sequence[Section]) -> str:
    """The page as HTML; it asks for nothing and runs no script."""
    source = files("benforge.reports") / "page.html"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    numbers = count()

    def svg(shown: Shown) -> str:
        return inline_svg(shown.svg, f"f{next(numbers)}", shown.alt)

    return environment.from_string(source.read_text(encoding="utf-8")).render(
        version=__version__,
        title=page_title(folder),
        simulated=folder.experiment.simulated,
        facts=facts_sheet(folder),
        missing=folder.missing(),
        sections=sections,
        svg=svg,
        shown_wrong=SHOWN_WRONG,
    )
