"""Which patches to show: varied ones, without chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benforge.core.record import PatchRecord
from benforge.statistics import examples


def choose_varied(records: Sequence[PatchRecord], count: int) -> list[int]:
    """Positions of up to `count` records that together show as many classes as possible.

    Each next one adds the most classes that were not shown, then has the most classes; once all
    are shown it starts anew. Equal ones are taken in their order.
    """
    codes = sorted({code for record in records for code in record.classes})
    hot = np.array([[code in record.classes for code in codes] for record in records], np.bool_)
    return examples.choose_varied(hot.reshape(len(records), len(codes)), count)
