"""From a file and the words of a command line to how patches are screened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benforge.errors import RecipeError
from benforge.quality.recipe import ScreenRecipe, change_screening
from benforge.recipe.load import read_tables


def screening_from_words(file: Path | None = None, words: Sequence[str] = ()) -> ScreenRecipe:
    """The defaults, changed by the table `screen` of a TOML file, then by `screen.key=value` words.

    Raises:
        MissingError: the file is not there.
        RecipeError: another table, an unknown key, or a value of the wrong kind.
    """
    table = read_tables(words, ("screen",), file).get("screen", {})
    if not isinstance(table, dict):
        raise RecipeError("screen is a table", where=str(file), do="Write [screen], then its keys")
    return change_screening(ScreenRecipe(), table)
