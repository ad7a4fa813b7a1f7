from __future__ import annotations

import pytest

from benforge.errors import RecipeError
from benforge.quality.recipe import ScreenRecipe, change_screening


def test_every_threshold_says_what_it_is():
    for name in ScreenRecipe.__struct_fields__:
        assert f"        {name}: " in (ScreenRecipe.__doc__ or "")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snow_ndsi": 2}, "snow_ndsi"),
        ({"minimum_snow": 0}, "minimum_snow"),
        ({"snow": 0.5}, "unknown field `snow`"),
        ({"classes_cloud": [8, 11]}, "class 11 is named twice"),
        ({"classes_cloud": [12]}, "classes_cloud"),
    ],
)
def test_what_is_no_recipe_is_told(changes, message):
    with pytest.raises(RecipeError, match=message):
        change_screening(ScreenRecipe(), changes)


def test_a_recipe_is_changed():
    assert change_screening(ScreenRecipe(), {"classes_cloud": [9]}).classes_cloud == (9,)
