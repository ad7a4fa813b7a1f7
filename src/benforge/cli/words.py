"""Words of the command line that mean more than themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from benforge.errors import InputError

if TYPE_CHECKING:
    from benforge.scenes.simulate import SimulateDate


def parse_date(word: str) -> SimulateDate:
    """`2018-02-25` or `2018-02-25:snow=0.5,cloud=0.2` as a date to simulate.

    Raises:
        InputError: no date, or an unknown condition.
    """
    from benforge.scenes.simulate import SimulateDate

    day, _, conditions = word.partition(":")
    pairs = [pair.partition("=") for pair in conditions.split(",") if pair]
    fields = {"date": day, **{name.strip(): value for name, _, value in pairs}}
    try:
        return msgspec.convert(fields, SimulateDate, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(
            f"not a date to simulate, {error}",
            where=word,
            do="Write it as 2018-02-25 or 2018-02-25:snow=0.5,cloud=0.2 (also haze, nodata)",
        ) from error


def split_words(words: Sequence[str] | None) -> tuple[str, ...]:
    """The words of an option that is given again for more, or with commas between them."""
    parts = [part.strip() for word in words or () for part in word.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))
