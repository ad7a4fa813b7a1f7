from __future__ import annotations

import pytest

from benforge.errors import MissingError, RecipeError
from benforge.quality.recipe import ScreenRecipe
from benforge.recipe.screen import screening_from_words


def test_words_change_the_file_and_the_file_the_defaults(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[screen]\nminimum_snow = 0.9\nclasses_cloud = [8, 9]\n")
    found = screening_from_words(file, ["screen.minimum_snow=0.8"])
    assert found == ScreenRecipe(minimum_snow=0.8, classes_cloud=(8, 9))
    assert screening_from_words() == ScreenRecipe()


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("[train]\nepochs = 1\n", [], "there is no table 'train'"),
        ("", ["labels.policy=x"], "there is no table 'labels'"),
        ("", ["screen.snow=1"], "unknown field `snow`"),
        ("", ["screen.minimum_snow=much"], "minimum_snow"),
        ("screen = 3\n", [], "screen is a table"),
        ("[screen\n", [], "not a TOML file"),
        ("", ["minimum_snow=1"], "not of the form"),
    ],
)
def test_what_is_no_recipe_is_told(tmp_path, text, words, message):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=message):
        screening_from_words(file, words)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(MissingError, match="no such recipe"):
        screening_from_words(tmp_path / "none.toml")
