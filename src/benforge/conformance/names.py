"""What v1 names tell of their products, and by how much their time was changed (fidelity 3, 4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.conformance.fact import Found, every

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MOST_COUNTED_UP = 3
"""Seconds that the time of a name was counted up at most: four tiles share a sensing time."""
DAY = 1_000_000
"""What a date is multiplied by to be followed by a time, HHMMSS."""

_NAME = r"^(?P<spacecraft>S2[A-Z])_MSIL2A_(?P<date>\d{8})T(?P<time>\d{1,6})_"
_PRODUCT = r"^(?P<spacecraft>S2[A-Z])_MSIL\d[AC]_(?P<date>\d{8})T(?P<time>\d{6})_"


@dataclass(frozen=True, slots=True, eq=False)
class NameTimes:
    """The times in names beside those of their products.

    Args:
        agree: name: whether spacecraft and date are those of its product.
        name_time: name: date and time as one number, seconds of 60 and more as they are.
        product_time: name: those of its product.
        spacecraft: name: "S2A" or "S2B", as its number.
    """

    agree: Mask
    name_time: Ints
    product_time: Ints
    spacecraft: Ints

    @classmethod
    def of(cls, names: pa.ChunkedArray | pa.Array, products: pa.ChunkedArray) -> NameTimes:
        """From v1 names and product ids, which must both be such."""
        craft, date, time = _parts(names, _NAME)
        product_craft, product_date, product_time = _parts(products.cast(pa.string()), _PRODUCT)
        agree = (craft == product_craft) & (date == product_date)
        return cls(agree, date * DAY + time, product_date * DAY + product_time, craft)

    @property
    def counted(self) -> Ints:
        """Name: how many were added to the time of its product."""
        return self.name_time - self.product_time

    @property
    def beyond_59(self) -> Mask:
        """Name: whether its seconds are 60 or more."""
        found: Mask = self.name_time % 100 >= 60
        return found


def _parts(texts: pa.ChunkedArray | pa.Array, pattern: str) -> tuple[Ints, Ints, Ints]:
    """Number of the spacecraft, date and time of each text."""
    coded = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    found = pc.extract_regex(coded, pattern)
    letter = pc.utf8_slice_codeunits(found.field("spacecraft"), 2, 3)
    craft = pc.index_in(letter, pa.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
    date, time = (found.field(name).cast(pa.int64()) for name in ("date", "time"))
    return np.asarray(craft, np.int64), np.asarray(date), np.asarray(time)


def hold_counting_up(times: NameTimes, place: Ints) -> Found:
    """Whether the names of one sensing time at one column and row count up 0, 1, 2 without a gap.

    Those whose time was set back, by no known rule, are not asked.

    Args:
        times: of the names.
        place: name: a number that names of equal column and row share, below 10,000.
    """
    asked = times.counted >= 0
    key = (times.spacecraft[asked] * 10**14 + times.product_time[asked]) * 10**4 + place[asked]
    counted = times.counted[asked]
    order = np.lexsort((counted, key))
    key, counted = key[order], counted[order]
    first = np.r_[True, key[1:] != key[:-1]] if len(key) else np.zeros(0, np.bool_)
    starts = np.flatnonzero(first)
    rank = np.arange(len(key)) - np.repeat(starts, np.diff(np.r_[starts, len(key)]))
    return every(rank == counted)


def hold_name_alone(times: NameTimes, products: pa.ChunkedArray) -> Found:
    """Whether the names that fit one product by spacecraft, date and time alone are of it.

    A name fits a product whose time it has, or counts up by at most `MOST_COUNTED_UP`.

    Args:
        times: of the names.
        products: the product of each name.
    """
    craft_and_time = times.spacecraft * 10**14
    product = products.cast(pa.string()).combine_chunks().dictionary_encode()
    of = np.asarray(product.indices, np.int64)
    _, first = np.unique(of, return_index=True)
    known = (craft_and_time + times.product_time)[first]
    at = Counter(known.tolist())
    wanted, which = np.unique(craft_and_time + times.name_time, return_inverse=True)
    steps = range(MOST_COUNTED_UP + 1)
    fitting = [[t - step for step in steps if t - step in at] for t in wanted.tolist()]
    alone = np.array([sum(at[t] for t in found) == 1 for found in fitting], np.bool_)
    meant = np.array([found[0] if found else -1 for found in fitting], np.int64)
    asked = alone[which]
    own = (craft_and_time + times.product_time)[asked]
    return every(meant[which][asked] == own)
