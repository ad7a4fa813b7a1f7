"""From a profile, a file and `table.key=value` words to one checked recipe."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from benforge.archive.build_recipe import BuildRecipe
from benforge.errors import MissingError, RecipeError

PROFILES = ("ben-v1", "ben-v2", "custom")

Table = dict[str, Any]


def load_recipe(
    profile: str | None = None, file: Path | None = None, overrides: Sequence[str] = ()
) -> BuildRecipe:
    """The recipe of a profile, changed by a TOML file, then by `table.key=value` words.

    The profile is the one named, else the file's `profile`, else ben-v1. Rules that differ from
    their profile's make the recipe `custom`: an archive never bears the name of rules that it
    does not follow. How pixels are stored is no such rule.

    Raises:
        MissingError: the file is not there.
        RecipeError: an unknown profile, table or key, or a value of the wrong kind.
    """
    changes = read_toml(file) if file else {}
    name = profile or changes.pop("profile", None) or PROFILES[0]
    changes.pop("profile", None)
    for word in overrides:
        changes = merge(changes, parse_override(word))
    base = _profile(name)
    recipe = _convert(merge(base, changes), str(file or "--set"))
    if name != "custom" and _rules(recipe) != _rules(_convert(base, name)):
        return msgspec.structs.replace(recipe, profile="custom")
    return recipe


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Table:
    """`base` with the values of `changes`, table by table."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def parse_override(word: str) -> Table:
    """`labels.minimum_share=0.01` as a nested table; a value that is no TOML is text.

    Raises:
        RecipeError: the word is not of this form.
    """
    path, equals, text = word.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys) or len(keys) < 2:
        raise RecipeError(
            "not of the form table.key=value",
            where=word,
            do="Try labels.policy=pixel-centre for a build, train.epochs=20 for a training",
        )
    value: Any = _value(text.strip())
    for key in reversed(keys):
        value = {key: value}
    found: Table = value
    return found


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def read_tables(words: Sequence[str], known: Sequence[str], file: Path | None = None) -> Table:
    """The tables of a TOML file, changed by `table.key=value` words; only `known` ones.

    Raises:
        MissingError: the file is not there.
        RecipeError: it is no TOML, a word is not of this form, or a table is none of these.
    """
    tables = read_toml(file) if file else {}
    _check_known(tables, known, str(file))
    for word in words:
        tables = merge(tables, parse_override(word))
    _check_known(tables, known, "--set")
    return tables


def _check_known(tables: Table, known: Sequence[str], where: str) -> None:
    if strangers := sorted(set(tables) - set(known)):
        raise RecipeError(
            f"there is no table {strangers[0]!r}",
            where=where,
            do="Use " + " or ".join(f"{table}.key=value" for table in known),
        )


def read_toml(file: Path) -> Table:
    """The tables of a TOML file.

    Raises:
        MissingError: the file is not there.
        RecipeError: it is no TOML.
    """
    if not file.is_file():
        raise MissingError("there is no such recipe", where=file)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"not a TOML file: {error}", where=file) from error


def _profile(name: str) -> Table:
    if name not in PROFILES:
        raise RecipeError(
            f"no profile is called {name!r}", do=f"Profiles are {', '.join(PROFILES)}"
        )
    source = files("benforge.recipe") / "profiles" / f"{name}.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _convert(table: Mapping[str, Any], where: str) -> BuildRecipe:
    try:
        return msgspec.convert(table, BuildRecipe)
    except msgspec.ValidationError as error:
        raise RecipeError(str(error), where=where, do="See docs/recipes.md") from error


def _rules(recipe: BuildRecipe) -> BuildRecipe:
    """The recipe without what changes no number."""
    return msgspec.structs.replace(recipe, storage=BuildRecipe().storage)
