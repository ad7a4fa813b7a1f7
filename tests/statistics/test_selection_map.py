from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from benforge.errors import InputError
from benforge.statistics.selection_map import draw_selection, write_selection_map
from benforge.statistics.style import SEASON_COLORS, styled
from benforge.tiles.named import named_selection
from benforge.tiles.selection import Selection


@pytest.fixture(scope="module")
def chosen() -> Selection:
    return named_selection("bigearthnet-2019")


def test_a_quarter_of_a_tile_is_coloured_for_each_product(chosen: Selection) -> None:
    with styled():
        figure = draw_selection(chosen, "Chosen")
    quarters = [
        drawn
        for drawn in figure.axes[0].collections
        if isinstance(drawn, PolyCollection) and len(drawn.get_paths()) == 4 * 56
    ]
    (parts,) = quarters
    colors = [to_hex(color) for color in parts.get_facecolors()]
    for season, count in chosen.seasons.items():
        assert colors.count(SEASON_COLORS[season]) == count
    assert colors.count("#ffffff") == 4 * 56 - 125


def test_what_is_simulated_says_so(chosen: Selection) -> None:
    entries = (replace(chosen.entries[0], simulated=True),)
    with styled():
        told = [text.get_text() for text in draw_selection(Selection(entries), "Chosen").texts]
    assert any(text.startswith("simulated, 1 products of 1 tiles") for text in told)


def test_the_same_selection_gives_the_same_file(chosen: Selection, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        write_selection_map(chosen, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_other_formats_are_refused(chosen: Selection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a map is a \.png or an \.svg"):
        write_selection_map(chosen, tmp_path / "a.pdf")
