"""Codes as maps write them: which field holds them, and which class each means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benforge.core.nomenclature import Nomenclature
from benforge.errors import LandCoverError

CODE_FIELD = re.compile(
    r"(clc_?)?code(_?\d{2}|_?\d{4})?|clc_?(\d{2}|\d{4})(_?code)?|grid_?code", re.IGNORECASE
)
"""Names of code fields: Code_18, code_24, CODE_12, clc_code, CLC2018, gridcode …"""

NO_CLASS = frozenset({0, 48, 49, 50, 128, 255, 990, 995, 999})
"""Codes that mean "no class": those of the CLC rasters' empty cells, and 990, 995, 999 of its
unclassified land, sea and ground outside (CLC legend)."""

LAST_GRID_CODE = 50
"""CLC rasters number the classes 1 to 44 in the legend's order; 45 to 50 are none."""


def code_fields(fields: Sequence[str]) -> list[str]:
    """The fields that look like one of land-cover codes."""
    return [field for field in fields if CODE_FIELD.fullmatch(field)]


def number_classes(values: Sequence[object], nomenclature: Nomenclature, where: str) -> list[int]:
    """The class that each code means.

    Args:
        values: the different codes of a map: text or numbers; codes of the nomenclature, or all
            of them grid codes, which count its classes from 1.
        nomenclature: the map's.
        where: file and field, for the error.

    Returns:
        For each value the position among the nomenclature's ascending codes, -1 for no class.

    Raises:
        LandCoverError: a code that is none of these.
    """
    codes = sorted(nomenclature.codes)
    numbers = [_parse(value) for value in values]
    used = {n for n in numbers if n is not None and (n in nomenclature or n not in NO_CLASS)}
    meaning = {code: number for number, code in enumerate(codes)}
    if used and max(used) <= LAST_GRID_CODE and not used <= meaning.keys():
        meaning = {n: codes.index(code) for n, code in enumerate(nomenclature.codes, start=1)}
    meaning = dict.fromkeys(NO_CLASS, -1) | meaning
    unknown = [v for v, n in zip(values, numbers, strict=True) if n not in meaning]
    if unknown:
        raise LandCoverError(
            f"{len(unknown)} unknown land-cover codes: {', '.join(map(repr, unknown[:5]))}",
            where=where,
            do=f"Use codes of {nomenclature.name}, grid codes 1 to {len(codes)}, or 999 for none",
        )
    return [meaning[n] for n in numbers if n is not None]


def _parse(value: object) -> int | None:
    """The code as a number, None where it is not a whole one."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return None
