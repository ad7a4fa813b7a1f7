"""Which patches to show: few that together show as many classes as possible, without chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benforge.labels.hot import Hot, labels_hot
from benforge.statistics.described import Described
from benforge.statistics.sheet import Sheet

EXAMPLES = 12
MOST_LABELS = 5
"""Of an example, where enough patches have so few: what 95 % of BigEarthNet have."""

NO_LABELS = "no labels"
"""What stands for the labels of a patch that has none."""


def choose_varied(hot: Hot, count: int) -> list[int]:
    """Positions of up to `count` patches that together show as many classes as possible.

    Each next one adds the most classes that were not shown, then has the most classes; once all
    are shown it starts anew. Equal ones are taken in their order.

    Args:
        hot: `patch class`.
        count: how many to choose.
    """
    sizes = hot.sum(axis=1)
    left = np.ones(len(hot), np.bool_)
    shown = np.zeros(hot.shape[1], np.bool_)
    chosen: list[int] = []
    while left.any() and len(chosen) < count:
        added = hot[:, ~shown].sum(axis=1)
        worth = np.where(left, added * (hot.shape[1] + 1) + sizes, -1)
        best = int(worth.argmax())
        if shown.any() and not added[best]:
            shown[:] = False
            continue
        chosen.append(best)
        left[best] = False
        shown |= hot[best]
    return chosen


def choose_examples(rows: pa.Table, hot: Hot, count: int = EXAMPLES) -> npt.NDArray[np.int64]:
    """Rows to show: with labels, data everywhere and few labels, where enough patches are so."""
    labelled, whole = hot.any(axis=1), np.asarray(rows["nodata"]) == 0
    readable = labelled & whole & (hot.sum(axis=1) <= MOST_LABELS)
    for kept in (readable, labelled & whole, labelled, np.ones(len(rows), np.bool_)):
        if kept.sum() >= min(count, len(rows)):
            break
    positions = np.flatnonzero(kept)
    return positions[choose_varied(hot[kept], count)]


def example_sheet(described: Described) -> Sheet | None:
    """The patches of Fig. 1 and their labels; None without pixels."""
    if described.archive is None:
        return None
    hot = labels_hot(described.rows, described.nomenclature)
    rows = described.rows.take(choose_examples(described.rows, hot))
    labels = [", ".join(names) or NO_LABELS for names in rows["labels"].to_pylist()]
    table = pa.table(
        {
            "patch_id": rows["patch_id"],
            "date": rows["sensing_time"].cast(pa.timestamp("us")).cast(pa.date32()),
            "country": rows["country"].cast(pa.string()),
            "labels": pa.array(labels, pa.string()),
        }
    )
    note = (
        f"Chosen without chance so that {len(table)} patches show as many classes as possible; "
        f"patches without gaps and with at most {MOST_LABELS} labels come first."
    )
    of = f"{len(table)} of {described.all_patches}"
    return Sheet(described.title("Patches and their labels", of), table, note)
