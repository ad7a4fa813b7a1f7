"""Labels of patches as multi-hot rows, in the order of their nomenclature and of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.nomenclature import (
    Crosswalk,
    LandCoverClass,
    Nomenclature,
    load_crosswalk,
    load_nomenclature,
)
from benforge.errors import ArchiveError

LEVEL_3 = "clc-44"
"""What the column `classes` is in, and what every crosswalk starts from."""

Hot = npt.NDArray[np.bool_]
"""`patch class`, multi-hot, in the order of a nomenclature."""
Columns = npt.NDArray[np.integer]
"""Where values stand among the classes."""


def labels_hot(rows: pa.Table, nomenclature: Nomenclature) -> Hot:
    """The labels of patches; those of patches without labels known are all False.

    Raises:
        ArchiveError: a label that the nomenclature does not have.
    """
    return _labels_at(rows, nomenclature, range(len(nomenclature)), len(nomenclature))


def _labels_at(rows: pa.Table, nomenclature: Nomenclature, columns: Sequence[int], of: int) -> Hot:
    """The same, each class in its column among so many."""
    known = {
        name: column
        for column, one in zip(columns, nomenclature.classes, strict=True)
        for name in (one.name, *one.aliases)
    }
    names, at = pa.array(list(known), pa.string()), np.array(list(known.values()), np.int64)

    def find(labels: pa.Array) -> Columns:
        labels = labels.cast(pa.string())
        found = pc.index_in(labels, value_set=names)
        if found.null_count:
            lost = labels.filter(pc.is_null(found))[0].as_py()
            raise ArchiveError(
                f"the label {lost!r} is no class of {nomenclature.name}",
                do="Look for more damage with ben check, then build or import again",
            )
        return np.take(at, np.asarray(found))

    return _mark(rows["labels"], find, of)


def _mark(lists: pa.ChunkedArray, find: Callable[[pa.Array], Columns], of: int) -> Hot:
    """What lists hold, a chunk at a time, in the column that `find` gives each value."""
    hot, start = np.full((len(lists), of), False), 0  # np.zeros meets each page of 4 KiB anew
    for chunk in lists.chunks:
        owners = start + np.asarray(pc.list_parent_indices(chunk))
        hot[owners, find(pc.list_flatten(chunk))] = True
        start += len(chunk)
    return hot


def classes_hot(rows: pa.Table) -> Hot | None:
    """The CLC level-3 classes that occur in patches, in the order of clc-44.

    None where the rows do not tell them, or tell codes of another map.
    """
    if "classes" not in rows.column_names:
        return None
    source, flat = load_nomenclature(LEVEL_3), pc.list_flatten(rows["classes"])
    known = pa.array(source.codes, flat.type)
    if not len(flat) or not pc.all(pc.is_in(flat, known)).as_py():
        return None
    return _mark(rows["classes"], lambda codes: np.asarray(pc.index_in(codes, known)), len(source))


def level_3_hot(rows: pa.Table, nomenclature: Nomenclature) -> Hot | None:
    """Patches in the order of clc-44: from their labels where these are classes of level 3.

    Else from the classes that occur in them; None where those are not known either.
    """
    source = load_nomenclature(LEVEL_3)
    if not all(_is_of(source, one) for one in nomenclature.classes):
        return classes_hot(rows)
    positions = [source.codes.index(code) for code in nomenclature.codes]
    return _labels_at(rows, nomenclature, positions, len(source))


def _is_of(source: Nomenclature, one: LandCoverClass) -> bool:
    """Whether a nomenclature has this very class: a user's may give its code to another."""
    if one.code not in source:
        return False
    there = source.by_code(one.code)
    return not {there.name, *there.aliases}.isdisjoint({one.name, *one.aliases})


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
