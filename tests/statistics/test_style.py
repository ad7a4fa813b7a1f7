from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.textpath import TextPath

from benforge.statistics.style import HEAD, HEAD_LINE, as_svg, lay_out, new_figure, styled, wrap_to

NAMES = st.text("abc WM", min_size=1, max_size=120)


@settings(max_examples=30)
@given(NAMES)
def test_lines_are_no_wider_than_told_and_lose_no_letter(text):
    lines = wrap_to(text, 1.5, 7.5)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(TextPath((0, 0), x, 7.5).get_extents().width <= 1.5 * 72 for x in lines if x.strip())


def test_a_long_subtitle_takes_lines_and_the_axes_keep_their_room():
    name = "an-archive-with-a-very-long-name-" * 4
    with styled():
        figure = new_figure(f"What · {name} · 66 patches, simulated", 3.5, 2.0)
        lay_out(figure)
        _, of = figure.texts
        lines = of.get_text().splitlines()
        assert "".join(lines).replace(" ", "").endswith("66patches,simulated")
        assert of.get_window_extent().x1 <= figure.bbox.x1
        height = figure.get_size_inches()[1]
        assert height == pytest.approx(2.0 + HEAD + HEAD_LINE * (len(lines) - 1))


def test_text_is_as_wide_in_a_png_as_in_an_svg():
    """Places are found once for both; hinted letters would be narrower than their outlines."""
    text = "Moors, heathland and sclerophyllous vegetation"
    with styled():
        figure = new_figure("x", 3.5, 1)
        artist = figure.text(0.1, 0.5, text, size=6.6)
        lay_out(figure)
        width = artist.get_window_extent().width * 72 / figure.dpi
        assert width == pytest.approx(TextPath((0, 0), text, 6.6).get_extents().width, rel=0.01)
        assert as_svg(figure)
