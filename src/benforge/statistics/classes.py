"""Patches of each class, in the nomenclature of the labels and others; classes that go together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.nomenclature import (
    Crosswalk,
    Nomenclature,
    load_crosswalk,
    load_nomenclature,
)
from benforge.errors import ArchiveError

LEVEL_3 = "clc-44"
"""What the column `classes` is in, and what every crosswalk starts from."""

Hot = npt.NDArray[np.bool_]
"""`patch class`, multi-hot, in the order of a nomenclature."""


def labels_hot(rows: pa.Table, nomenclature: Nomenclature) -> Hot:
    """The labels of patches; those of patches without labels known are all False.

    Raises:
        ArchiveError: a label that the nomenclature does not have.
    """
    known = {
        name: position
        for position, of in enumerate(nomenclature.classes)
        for name in (of.name, *of.aliases)
    }
    labels = rows["labels"].combine_chunks()
    flat = pc.list_flatten(labels).cast(pa.string())
    found = pc.index_in(flat, value_set=pa.array(list(known), pa.string()))
    if found.null_count:
        lost = flat.filter(pc.is_null(found))[0].as_py()
        raise ArchiveError(
            f"the label {lost!r} is no class of {nomenclature.name}",
            do="Look for more damage with ben check, then build or import again",
        )
    positions = np.array(list(known.values()), np.int64)[np.asarray(found)]
    return _hot(pc.list_parent_indices(labels), positions, len(rows), len(nomenclature))


def classes_hot(rows: pa.Table) -> Hot | None:
    """The CLC level-3 classes that occur in patches, in the order of clc-44.

    None where the rows do not tell them, or tell codes of another map.
    """
    if "classes" not in rows.column_names:
        return None
    codes, source = rows["classes"].combine_chunks(), load_nomenclature(LEVEL_3)
    flat = pc.list_flatten(codes)
    found = pc.index_in(flat, value_set=pa.array(source.codes, flat.type))
    if found.null_count or not len(flat):
        return None
    return _hot(pc.list_parent_indices(codes), np.asarray(found), len(rows), len(source))


def _hot(parents: pa.Array, positions: npt.NDArray[np.int64], patches: int, classes: int) -> Hot:
    hot = np.zeros((patches, classes), np.bool_)
    hot[np.asarray(parents), positions] = True
    return hot


def level_3_hot(rows: pa.Table, nomenclature: Nomenclature) -> Hot | None:
    """Patches in the order of clc-44: from their labels where these are classes of level 3.

    Else from the classes that occur in them; None where those are not known either.
    """
    source = load_nomenclature(LEVEL_3)
    if not set(nomenclature.codes) <= set(source.codes):
        return classes_hot(rows)
    positions = [source.codes.index(code) for code in nomenclature.codes]
    hot = np.zeros((len(rows), len(source)), np.bool_)
    hot[:, positions] = labels_hot(rows, nomenclature)
    return hot


def hot_through(hot: Hot, crosswalk: Crosswalk) -> Hot:
    """The same patches in another nomenclature: a class occurs if one of its members does."""
    targets = [crosswalk(code) for code in crosswalk.source.codes]
    columns = [
        hot[:, [target == code for target in targets]].any(axis=1)
        for code in crosswalk.target.codes
    ]
    return np.stack(columns, axis=1)


def way_to(target: str) -> Crosswalk:
    """The way from clc-44 to a shipped nomenclature, itself included."""
    if target != LEVEL_3:
        return load_crosswalk(target)
    source = load_nomenclature(LEVEL_3)
    return Crosswalk(source, source, {code: code for code in source.codes})


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
