"""Patches of each class, in the nomenclature of the labels and others; classes that go together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from benforge.core.nomenclature import Nomenclature, load_nomenclature
from benforge.labels.hot import Hot


def count_classes(
    hot: Hot, nomenclature: Nomenclature, patches: int, published: Mapping[str, int] | None = None
) -> pa.Table:
    """Patches of each class, most first: `code`, `class`, `patches`, `share`.

    Args:
        hot: `patch class`.
        nomenclature: the classes; those that do not occur are counted as 0.
        patches: how many have any class told, what a share is of.
        published: class name to the patches published for it, a column more; None for none.
    """
    counts = hot.sum(axis=0)
    order = np.argsort(-counts, kind="stable")
    classes = [nomenclature.classes[i] for i in order]
    columns = {
        "code": pa.array([c.code for c in classes], pa.int32()),
        "class": pa.array([c.name for c in classes], pa.string()),
        "patches": pa.array(counts[order], pa.int64()),
        "share": pa.array(counts[order] / max(1, patches), pa.float64()),
    }
    if published:
        known = [
            next((published[n] for n in (c.name, *c.aliases) if n in published), None)
            for c in classes
        ]
        columns["published_in_2019"] = pa.array(known, pa.int64())
    return pa.table(columns)


def count_published(published: Mapping[str, int], patches: int) -> pa.Table:
    """Table 2 of the 2019 paper as it was published: `code`, `class`, `patches`, `share`."""
    nomenclature = load_nomenclature("clc-43")
    pairs = [(nomenclature.by_name(name), count) for name, count in published.items()]
    ranked = sorted(pairs, key=lambda pair: (-pair[1], pair[0].code))
    return pa.table(
        {
            "code": pa.array([c.code for c, _ in ranked], pa.int32()),
            "class": pa.array([c.name for c, _ in ranked], pa.string()),
            "patches": pa.array([count for _, count in ranked], pa.int64()),
            "share": pa.array([count / patches for _, count in ranked], pa.float64()),
        }
    )


def count_partners(hot: Hot, nomenclature: Nomenclature, most: int = 3) -> pa.Table:
    """The classes that most patches of each class have too: `code`, `class`, `patches`, `with`.

    Args:
        hot: `patch class`.
        nomenclature: the classes; those that do not occur are left out.
        most: how many others to name, with their share.
    """
    table = count_together(hot, nomenclature)
    codes, names = table["code"].to_pylist(), table["class"].to_pylist()
    told = []
    for row in table.to_pylist():
        pairs = [(row[str(c)], n) for c, n in zip(codes, names, strict=True) if c != row["code"]]
        ranked = [pair for pair in sorted(pairs, key=lambda pair: -pair[0]) if pair[0]][:most]
        told.append("; ".join(f"{name} {100 * share:.1f} %" for share, name in ranked))
    return table.select(["code", "class", "patches"]).append_column(
        "with", pa.array(told, pa.string())
    )


def count_together(hot: Hot, nomenclature: Nomenclature) -> pa.Table:
    """How often classes go together: of the patches with a row's class, the share with a column's.

    Rows and columns are the classes that occur, in the nomenclature's order, which in CLC is that
    of the codes: `code`, `class`, `patches`, then one column a class, named by its code.
    """
    values = hot.astype(np.float32)
    together = (values.T @ values).astype(np.int64)  # exact below 2^24 patches
    there = np.flatnonzero(together.diagonal())
    classes = [nomenclature.classes[i] for i in there]
    counts = together[np.ix_(there, there)]
    shares = counts / np.maximum(1, counts.diagonal())[:, None]
    return pa.table(
        {
            "code": pa.array([c.code for c in classes], pa.int32()),
            "class": pa.array([c.name for c in classes], pa.string()),
            "patches": pa.array(counts.diagonal(), pa.int64()),
            **{str(c.code): pa.array(shares[:, i]) for i, c in enumerate(classes)},
        }
    )
