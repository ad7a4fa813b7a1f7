"""The labels table of a recipe."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benforge.errors import RecipeError
from benforge.labels.recipe import LabelRecipe


def test_defaults_are_those_of_v2() -> None:
    recipe = LabelRecipe()
    assert (recipe.nomenclature, recipe.policy) == ("ben-19", "pixel-centre")
    assert recipe.max_unlabelled == 0.25


@pytest.mark.parametrize(
    "wrong",
    [
        {"policy": "guess"},
        {"max_unlabelled": 0},
        {"max_unlabelled": 1.5},
        {"policy": "minimum-share", "minimum_share": -0.1},
        {"policy": "minimum-share"},
        {"minimum_share": 0.1},
        {"nomenklatur": "ben-19"},
        {"countries": "Austria"},
    ],
)
def test_impossible_values(wrong: dict[str, Any]) -> None:
    with pytest.raises((msgspec.ValidationError, RecipeError)):
        msgspec.convert(wrong, LabelRecipe)


def test_shares_need_their_policy() -> None:
    with pytest.raises(RecipeError, match=r"does not go with minimum_share 0\.1"):
        LabelRecipe(minimum_share=0.1)


def test_survives_json() -> None:
    recipe = LabelRecipe(policy="minimum-share", minimum_share=0.01, countries=("Austria",))
    assert msgspec.json.decode(msgspec.json.encode(recipe), type=LabelRecipe) == recipe
