from __future__ import annotations

import pytest

from benforge.reports.words import Words, counted, figure_text, listed, p_text, range_text
from tests.reports.made import made_experiment


@pytest.mark.parametrize(
    ("p", "text"),
    [(1.0, "1"), (0.0341, "0.0341"), (1 / 10_001, "0.0001"), (3e-16, "3e-16"), (None, "–")],
)
def test_p_values(p: float | None, text: str):
    assert p_text(p) == text


def test_figures_are_printed_as_in_the_paper():
    assert figure_text("precision", 0.69934) == "69.93"
    assert figure_text("f1", 0.7098) == "0.7098"
    assert figure_text("f1", -0.01, sign=True) == "−0.0100"
    assert figure_text("recall", 0.026, sign=True) == "+2.60"
    assert range_text("f2", (0.1, 0.25)) == "0.1000 to 0.2500"


def test_many_names_are_cut_and_counted():
    assert listed(["a", "b", "c"], 2) == "a; b and 1 more"
    assert counted(1, "patch", "patches") == "1 patch"
    assert counted(1200, "seed") == "1,200 seeds"


def test_titles_say_of_what_they_are():
    words = Words(made_experiment())
    assert words.title("Table 4", "level2") == (
        "Table 4 · Simulated archive made-up, split by-tile, classes of CLC level 2"
    )
    real = Words(made_experiment(simulated=False))
    assert real.title("Recipe") == "Recipe · Archive made-up, split by-tile"
