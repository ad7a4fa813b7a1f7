"""Class systems and the ways between them."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from benforge.errors import InputError


@dataclass(frozen=True, slots=True)
class LandCoverClass:
    """One class of a nomenclature.

    Args:
        code: its number, 312 in CLC; unique in the nomenclature.
        name: as printed in tables and label lists.
        color: red, green, blue, 0 to 255.
        aliases: other spellings that published archives use for the same class.
    """

    code: int
    name: str
    color: tuple[int, int, int]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nomenclature:
    """An ordered set of classes; the order is the order of every multi-hot vector.

    Args:
        name: "clc-43", "ben-19", "clc-level-2" or "clc-level-1"; yours, if from your file.
        classes: the classes in order.

    Raises:
        InputError: two classes share a code or a name.

    Example:
        >>> nomenclature = ben.open("archive").meta.nomenclature
        >>> nomenclature.by_name("Pastures").code, nomenclature.by_code(312).name
        (231, 'Coniferous forest')
    """

    name: str
    classes: tuple[LandCoverClass, ...]

    def __post_init__(self) -> None:
        codes = [c.code for c in self.classes]
        names = [n for c in self.classes for n in (c.name, *c.aliases)]
        if len(set(codes)) < len(codes) or len(set(names)) < len(names):
            raise InputError("two classes share a code or a name", where=self.name)

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def codes(self) -> tuple[int, ...]:
        """The codes in order."""
        return tuple(c.code for c in self.classes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(c.name for c in self.classes)

    @cached_property
    def _by_code(self) -> Mapping[int, LandCoverClass]:
        return {c.code: c for c in self.classes}

    @cached_property
    def _by_name(self) -> Mapping[str, LandCoverClass]:
        return {name: c for c in self.classes for name in (c.name, *c.aliases)}

    def __contains__(self, code: int) -> bool:
        return code in self._by_code

    def by_code(self, code: int) -> LandCoverClass:
        """The class with this code.

        Raises:
            InputError: there is none.
        """
        if code not in self._by_code:
            raise InputError(f"no class has the code {code}", where=self.name)
        return self._by_code[code]

    def by_name(self, name: str) -> LandCoverClass:
        """The class with this name or alias.

        Raises:
            InputError: there is none; names the nearest that is known.
        """
        if name not in self._by_name:
            raise InputError(
                f"no class is called {name!r}", where=self.name, do=self._nearest(name)
            )
        return self._by_name[name]

    def _nearest(self, name: str) -> str:
        """A hint that names the class which a name looks most like."""
        known = {spelling.casefold(): c.name for spelling, c in self._by_name.items()}
        (nearest,) = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0)
        return f"The nearest that is known: {known[nearest]!r}"


@dataclass(frozen=True)
class Crosswalk:
    """A many-to-one way from one nomenclature to another; what has no target is dropped.

    Args:
        source: codes come from here; every one is covered.
        target: codes lead here.
        mapping: source code to target code, or None for dropped.

    Raises:
        InputError: a source code is not covered, or a code is unknown to its nomenclature.
    """

    source: Nomenclature
    target: Nomenclature
    mapping: Mapping[int, int | None]

    def __post_init__(self) -> None:
        where = f"{self.source.name} -> {self.target.name}"
        if missing := sorted(set(self.source.codes) - set(self.mapping)):
            raise InputError(f"codes {missing} lead nowhere", where=where, do="Map or drop them")
        if unknown := sorted(set(self.mapping) - set(self.source.codes)):
            raise InputError(f"codes {unknown} are not of the source", where=where)
        targets = {code for code in self.mapping.values() if code is not None}
        if unknown := sorted(targets - set(self.target.codes)):
            raise InputError(f"codes {unknown} are not of the target", where=where)

    def __call__(self, code: int) -> int | None:
        """The target code, or None where the class is dropped.

        Raises:
            InputError: the code is not of the source.
        """
        if code not in self.mapping:
            raise InputError(f"no class has the code {code}", where=self.source.name)
        return self.mapping[code]

    @property
    def dropped(self) -> tuple[int, ...]:
        """The source codes without a target."""
        return tuple(code for code in self.source.codes if self.mapping[code] is None)


def parse_nomenclature(facts: Mapping[str, Any]) -> Nomenclature:
    """The nomenclature that a TOML document describes (see `core/facts/clc-44.toml`)."""
    classes = tuple(
        LandCoverClass(c["code"], c["name"], tuple(c["color"]), tuple(c.get("aliases", ())))
        for c in facts["class"]
    )
    return Nomenclature(facts["name"], classes)


def _facts(name: str) -> Mapping[str, Any]:
    source = files("benforge.core") / "facts" / f"{name}.toml"
    if not source.is_file():
        raise InputError(
            f"no nomenclature is called {name!r}",
            do="Use clc-44, clc-43, ben-19, clc-level-2 or clc-level-1",
        )
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def load_nomenclature(name: str) -> Nomenclature:
    """A nomenclature that ships with benforge.

    `clc-44` all CLC level-3 classes · `clc-43` those of BigEarthNet v1, without glaciers ·
    `ben-19` · `clc-level-2` · `clc-level-1`.

    Raises:
        InputError: there is none of this name.
    """
    return parse_nomenclature(_facts(name))


def parse_crosswalk(facts: Mapping[str, Any], source: Nomenclature) -> Crosswalk:
    """The way to the nomenclature that a TOML document describes.

    Args:
        facts: each class names its `members`, the source codes merged into it; a class without
            members stands for its own code. Source codes that no class names are dropped.
        source: what the members are codes of.

    Raises:
        InputError: a member that is no source code, or stands in two classes.
    """
    target = parse_nomenclature(facts)
    pairs = [(m, c["code"]) for c in facts["class"] for m in c.get("members", [c["code"]])]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError("a member stands in two classes", where=target.name)
    return Crosswalk(source, target, dict.fromkeys(source.codes) | found)


@cache
def load_crosswalk(target: str) -> Crosswalk:
    """The way from `clc-44` to another shipped nomenclature.

    Raises:
        InputError: there is none of this name.
    """
    return parse_crosswalk(_facts(target), load_nomenclature("clc-44"))
