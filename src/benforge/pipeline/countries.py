"""Countries as people write them: found whatever their case, the nearest told where none is."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from importlib.resources import as_file, files

import pyogrio.raw

from benforge.errors import InputError
from benforge.labels.countries import SOURCE


def countries_called(words: Sequence[str]) -> tuple[str, ...]:
    """The map's names of countries.

    Args:
        words: English names in any case.

    Raises:
        InputError: no country is called so; tells which names are near.
    """
    return tuple(dict.fromkeys(map(_called, words)))


def _called(word: str) -> str:
    known = _names()
    if word.lower() in known:
        return known[word.lower()]
    near = [known[name] for name in get_close_matches(word.lower(), known)]
    raise InputError(
        f"no country is called {word}",
        where="--countries",
        do=f"Did you mean {' or '.join(near)}?"
        if near
        else f"Names look like {', '.join(sorted(known.values())[:3])}",
    )


@cache
def _names() -> dict[str, str]:
    """Names in small letters to names."""
    with as_file(files("benforge.labels") / SOURCE) as path:
        _, _, _, (names,) = pyogrio.raw.read(
            path, columns=["name"], layer="countries", read_geometry=False
        )
    return {str(name).lower(): str(name) for name in names}
