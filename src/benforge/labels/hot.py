"""Labels of patches as multi-hot rows, in the order of their nomenclature and of others."""

from __future__ import annotations

from collections.abc import Sequence

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
    hot, start = _nothing(len(rows), of), 0
    for labels in rows["labels"].chunks:
        flat = pc.list_flatten(labels).cast(pa.string())
        found = pc.index_in(flat, value_set=names)
        if found.null_count:
            lost = flat.filter(pc.is_null(found))[0].as_py()
            raise ArchiveError(
                f"the label {lost!r} is no class of {nomenclature.name}",
                do="Look for more damage with ben check, then build or import again",
            )
        _mark(hot[start : start + len(labels)], labels, at[np.asarray(found)])
        start += len(labels)
    return hot


def _nothing(patches: int, classes: int) -> Hot:
    """No class in any patch; filled here, since np.zeros would meet each page of 4 KiB anew."""
    return np.full((patches, classes), False)


def _mark(hot: Hot, lists: pa.ListArray, columns: npt.NDArray[np.int64]) -> None:
    """Mark what lists hold, given the column of each of their values."""
    hot[np.asarray(pc.list_parent_indices(lists)), columns] = True


def classes_hot(rows: pa.Table) -> Hot | None:
    """The CLC level-3 classes that occur in patches, in the order of clc-44.

    None where the rows do not tell them, or tell codes of another map.
    """
    if "classes" not in rows.column_names:
        return None
    source = load_nomenclature(LEVEL_3)
    hot, start = _nothing(len(rows), len(source)), 0
    for codes in rows["classes"].chunks:
        flat = pc.list_flatten(codes)
        found = pc.index_in(flat, value_set=pa.array(source.codes, flat.type))
        if found.null_count:
            return None
        _mark(hot[start : start + len(codes)], codes, np.asarray(found))
        start += len(codes)
    return hot if hot.any() else None


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
