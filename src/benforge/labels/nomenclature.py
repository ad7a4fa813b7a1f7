"""Nomenclatures by name or from a file of yours, and the way to them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from benforge.core.nomenclature import (
    Crosswalk,
    Nomenclature,
    load_crosswalk,
    load_nomenclature,
    parse_crosswalk,
    parse_nomenclature,
)
from benforge.errors import MissingError, RecipeError, errors_at

SOURCE = "clc-44"
"""What land-cover maps are in, unless they say otherwise."""

_Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]


def read_nomenclature(name: str) -> Nomenclature:
    """A shipped nomenclature, or that of a TOML file.

    Raises:
        InputError: none is shipped under this name.
        MissingError: there is no such file.
        RecipeError: the file does not describe a nomenclature.
    """
    if not name.endswith(".toml"):
        return load_nomenclature(name)
    return _parse(_read(Path(name)), name)


def read_crosswalk(target: str, source: str = SOURCE) -> Crosswalk:
    """The way from a map's nomenclature to that of the labels.

    Args:
        target: a shipped nomenclature, or a TOML file whose classes name their `members`, the
            source codes merged into each (a class without members stands for its own code).
            Source codes that no class names are dropped.
        source: a shipped nomenclature or a TOML file.

    Raises:
        InputError: none is shipped under this name, or a member is not a source code or stands
            in two classes.
        MissingError: there is no such file.
        RecipeError: the file does not describe a nomenclature.
    """
    if target == source:
        same = read_nomenclature(source)
        return Crosswalk(same, same, {code: code for code in same.codes})
    if source == SOURCE and not target.endswith(".toml"):
        return load_crosswalk(target)
    facts = _read(Path(target))
    _parse(facts, target)
    return parse_crosswalk(facts, read_nomenclature(source))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingError("there is no nomenclature", where=path, do="Check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"not a TOML file: {error}", where=path) from error


class _Class(msgspec.Struct, forbid_unknown_fields=True):
    """What a file may say of a class."""

    code: int
    name: str
    color: tuple[_Byte, _Byte, _Byte]
    aliases: list[str] = []
    members: list[int] = []


class _File(msgspec.Struct, rename={"classes": "class"}, forbid_unknown_fields=True):
    """What a file may say."""

    name: str
    classes: Annotated[list[_Class], msgspec.Meta(min_length=1)]


def _parse(facts: Mapping[str, Any], where: str) -> Nomenclature:
    try:
        msgspec.convert(facts, _File)
    except msgspec.ValidationError as error:
        raise RecipeError(
            f"not a nomenclature: {error}",
            where=where,
            do="It needs a name, and for each [[class]] code, name, color and members",
        ) from error
    with errors_at(where):
        return parse_nomenclature(facts)
