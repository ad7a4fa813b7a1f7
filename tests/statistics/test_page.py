from __future__ import annotations

import re
from pathlib import Path

import pytest

from benforge.statistics.describe import write_statistics
from benforge.statistics.described import Described


@pytest.fixture(scope="module")
def page(sample: Described, tmp_path_factory: pytest.TempPathFactory) -> str:
    out: Path = tmp_path_factory.mktemp("page")
    write_statistics(sample, out, page=True)
    return (out / "statistics.html").read_text()


def test_figures_fit_any_width(page: str):
    """Nothing of a figure has a least width, and none lies in what scrolls."""
    rules = dict(re.findall(r"^\s*([^{}@\n]+?) \{ ([^}]*) \}", page, re.MULTILINE))
    for selector, rule in rules.items():
        assert "svg" not in selector or "min-width" not in rule
    assert "width: 100%" in rules["svg"]
    for figure in re.findall(r"<figure .*?</figure>", page, re.DOTALL):
        assert 'class="scroll"' not in figure
        assert not re.search(r'<svg [^>]*\bwidth="', figure)


def test_each_figure_leads_to_the_table_that_it_shows(page: str):
    figures = re.findall(r"<figure .*?</figure>", page, re.DOTALL)
    assert len(figures) == page.count("<svg ")
    for figure in figures:
        (link,) = re.findall(r'<a href="#([^"]+)"', figure)
        assert f'<div id="{link}">' in page


def test_the_alternative_shows_where_a_wide_figure_is_small(page: str):
    wide, _, narrow = page.partition("@media (max-width: 720px)")
    assert ".small { display: none; }" in wide
    assert "svg.wide ~ .small { display: block; }" in narrow
