"""Words of the command line that mean more than themselves."""

from __future__ import annotations

import msgspec

from benforge.errors import InputError
from benforge.scenes.simulate import SimulateDate


def parse_date(word: str) -> SimulateDate:
    """`2018-02-25` or `2018-02-25:snow=0.5,cloud=0.2` as a date to simulate.

    Raises:
        InputError: no date, or an unknown condition.
    """
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
