from pathlib import Path

import pytest

from benforge.errors import BenError, MissingError, RecipeError
from benforge.recipe.load import PROFILES, load_recipe, merge, parse_override


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_a_recipe_of_its_name(profile: str) -> None:
    assert load_recipe(profile).profile == profile


def test_the_rules_of_the_two_published_archives() -> None:
    v1, v2 = load_recipe("ben-v1"), load_recipe("ben-v2")
    assert (v1.labels.nomenclature, v2.labels.nomenclature) == ("clc-43", "ben-19")
    assert (v1.labels.policy, v2.labels.policy) == ("presence", "pixel-centre")
    assert (v1.labels.max_unlabelled, v2.labels.max_unlabelled) == (1.0, 0.25)
    assert (v1.patches.drop_nodata, v2.patches.drop_nodata) == (False, True)
    assert (v1.products.drop_failed, v2.products.drop_failed) == (False, True)
    assert len(v1.labels.countries) == len(v2.labels.countries) == 10


def test_words_win_over_the_file_and_the_file_over_the_profile(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('profile = "ben-v2"\n[labels]\npolicy = "presence"\nmax_unlabelled = 0.5\n')
    recipe = load_recipe(file=file, overrides=["labels.max_unlabelled=0.75"])
    assert recipe.labels.policy == "presence"
    assert recipe.labels.max_unlabelled == 0.75
    assert recipe.labels.nomenclature == "ben-19"
    assert load_recipe("ben-v1", file).labels.nomenclature == "clc-43"


def test_a_changed_profile_loses_its_name_but_storage_is_no_rule() -> None:
    assert load_recipe("ben-v2", overrides=["labels.policy=presence"]).profile == "custom"
    assert load_recipe("ben-v2", overrides=["storage.compression=zstd"]).profile == "ben-v2"
    assert load_recipe("ben-v2", overrides=["patches.edge=1200"]).profile == "ben-v2"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["labels"], "table.key=value"),
        (["policy=presence"], "table.key=value"),
        (["labels.polcy=presence"], "polcy"),
        (["lables.policy=presence"], "lables"),
        (["patches.edge=twelve"], "edge"),
        (["patches.edge=100"], "60 m"),
        (["labels.policy=guess"], "guess|policy"),
        (["storage.compression=rar"], "rar|compression"),
    ],
)
def test_a_wrong_word_is_one_clear_error(words: list[str], message: str) -> None:
    with pytest.raises(BenError, match=message):
        load_recipe(overrides=words)


def test_a_wrong_profile_or_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="ben-v1, ben-v2, custom"):
        load_recipe("ben-v3")
    with pytest.raises(MissingError, match="no such recipe"):
        load_recipe(file=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[labels\n")
    with pytest.raises(RecipeError, match="not a TOML file"):
        load_recipe(file=tmp_path / "bad.toml")


def test_values_are_toml_or_else_text() -> None:
    assert parse_override("a.b=1") == {"a": {"b": 1}}
    assert parse_override("a.b=true") == {"a": {"b": True}}
    assert parse_override('a.b=["x", "y"]') == {"a": {"b": ["x", "y"]}}
    assert parse_override("a.b=EPSG:3035") == {"a": {"b": "EPSG:3035"}}


def test_merge_goes_table_by_table() -> None:
    assert merge({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 5}}) == {
        "a": {"x": 1, "y": 5},
        "b": 3,
    }
