"""What the published lists must show of quality, labels and splits."""

from __future__ import annotations

from functools import partial

import numpy as np

from benforge.conformance.fact import EVERY, Check, Found, Value, every
from benforge.conformance.metadata import Metadata, texts
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.core.split import PARTS
from benforge.published.index import parse_places
from benforge.splits.rules import ben_v2_parts

FACTS = load_bigearthnet()
V1 = FACTS.v1
TABLE_2 = 1_750_375
"""Labels of all patches of the paper: the sum of its Table 2."""
CLC_GAP = 999
"""What v2's reference maps write where the land-cover map says nothing."""

QUALITY, LABELS, SPLITS = "Quality", "Labels", "Splits"


def _named(kind: str, m: Metadata) -> Value:
    """Lines of a list; says so where some name no v1 patch."""
    listed, known = len(m.listed_names[kind]), int(m.named(kind).sum())
    return listed if listed == known else f"{listed:,}, of which {known:,} are v1 patches"


def _both(m: Metadata) -> int:
    return int((m.flags["seasonal_snow"] & m.flags["cloud_or_shadow"]).sum())


def _recommended(m: Metadata) -> np.ndarray:
    """Row: unflagged, with a label of the 19 classes."""
    return np.asarray(m.unflagged & ~m.flags["no_19_class"], np.bool_)


def _v2_flags(m: Metadata) -> Found:
    columns = {
        "contains_seasonal_snow": "seasonal_snow",
        "contains_cloud_or_shadow": "cloud_or_shadow",
    }
    same = [np.asarray(m.v2[c]) == m.flags[kind][m.v2_rows] for c, kind in columns.items()]
    return every(np.logical_and.reduce([m.v2_rows >= 0, *same]))


def _crosswalk(m: Metadata) -> Found:
    ours, theirs = load_crosswalk("ben-19"), m.lists.crosswalk()
    names = {code: ours(code) for code in ours.source.codes}
    same = [
        theirs.get(c, "") == (ours.target.by_code(t).name if t else None) for c, t in names.items()
    ]
    return every(np.array([*same, set(theirs) == {*names, CLC_GAP}]))


def _classes(m: Metadata) -> Found:
    found = {name for name, count in m.lists.class_counts().items() if count}
    return Found(len(found), found == set(load_nomenclature("clc-43").names))


def _table_2(m: Metadata) -> Found:
    """The list's count of each class beside that of the paper."""
    found = m.lists.class_counts()
    return every(np.array([found.get(name) == count for name, count in FACTS.class_counts.items()]))


def _table_2_mean(m: Metadata) -> Found:
    mean = sum(m.lists.class_counts().values()) / len(m.names)
    return Found(round(mean, 4), round(mean, 3) == V1["labels_mean"])


def _disjoint(m: Metadata) -> int:
    return int((np.sum(list(m.split.values()), axis=0) > 1).sum())


def _split_is_recommended(m: Metadata) -> Found:
    named = np.logical_or.reduce(list(m.split.values()))
    return every((named == _recommended(m))[named | _recommended(m)])


def _v2_split(m: Metadata) -> Found:
    column, row = parse_places(m.v2["patch_id"].combine_chunks())
    return every(np.asarray(ben_v2_parts(column, row) == texts(m.v2["split"]), np.bool_))


FLAGS = ("products", "seasonal_snow", "cloud_or_shadow")
SETS = (*FLAGS, "no_19_class")
PARTS_V1 = ("products", "train", "val", "test")
ARCHIVE = ("an archive",)
LABELLED = ("an archive of v1's labels",)


def _never(m: Metadata) -> Found:
    raise AssertionError("asked without what it needs")


CHECKS: list[Check[Metadata]] = [
    *(
        Check(
            18,
            QUALITY,
            f"patches with {words}",
            V1["flags"][kind],
            partial(_named, kind),
            ("products", kind),
        )
        for kind, words in (
            ("seasonal_snow", "seasonal snow"),
            ("cloud_or_shadow", "cloud or shadow"),
        )
    ),
    Check(18, QUALITY, "patches with both", 0, _both, FLAGS),
    Check(18, QUALITY, "flagged in all", 70_987, lambda m: int((~m.unflagged).sum()), FLAGS),
    Check(18, QUALITY, "unflagged", 519_339, lambda m: int(m.unflagged.sum()), FLAGS),
    Check(
        18,
        QUALITY,
        "without a label of the 19 classes",
        V1["without_19_classes"],
        partial(_named, "no_19_class"),
        ("products", "no_19_class"),
    ),
    Check(
        18,
        QUALITY,
        "recommended: unflagged, with such a label",
        V1["recommended"],
        lambda m: int(_recommended(m).sum()),
        SETS,
    ),
    Check(18, QUALITY, "v2's flags are those of the lists", EVERY, _v2_flags, (*FLAGS, "v2")),
    Check(7, LABELS, "bands, in order; patch sizes", "12; 120, 60, 20", _never, ARCHIVE),
    Check(
        11,
        LABELS,
        "classes of Table 2, glaciers not among them",
        43,
        _classes,
        ("class_counts",),
    ),
    Check(
        11,
        LABELS,
        "Table 2, class by class",
        f"{len(FACTS.class_counts)} of {len(FACTS.class_counts)}",
        _table_2,
        ("class_counts",),
    ),
    Check(
        12, LABELS, "crosswalk to 19 classes, code by code", EVERY, _crosswalk, ("clc_metadata",)
    ),
    Check(
        15,
        LABELS,
        "sum of Table 2",
        TABLE_2,
        lambda m: sum(m.lists.class_counts().values()),
        ("class_counts",),
    ),
    Check(
        15,
        LABELS,
        "mean labels of a v1 patch, from Table 2",
        V1["labels_mean"],
        _table_2_mean,
        ("products", "class_counts"),
    ),
    Check(15, LABELS, "patches of each class of Table 2, counted", "43 classes", _never, LABELLED),
    Check(15, LABELS, "labels of a v1 patch", "1 to 12", _never, LABELLED),
    Check(15, LABELS, "v1 patches with at most 5 labels", "95 %", _never, LABELLED),
    Check(15, LABELS, "v1 patches with more than 9 labels", V1["labels_over_9"], _never, LABELLED),
    *(
        Check(
            22, SPLITS, f"v1's {part}", V1["split"][part], partial(_named, kind), ("products", kind)
        )
        for part, kind in zip(PARTS, PARTS_V1[1:], strict=True)
    ),
    Check(22, SPLITS, "patches in two parts of v1", 0, _disjoint, PARTS_V1),
    Check(
        22,
        SPLITS,
        "v1's parts together are the recommended set",
        EVERY,
        _split_is_recommended,
        (*SETS, *PARTS_V1),
    ),
    Check(
        22,
        SPLITS,
        "dates of a place share their part of v1",
        EVERY,
        lambda m: every(m.blocks.shared),
        (*SETS, *PARTS_V1),
    ),
    Check(
        22,
        SPLITS,
        "full 2 x 2 block: 2 train, 1 validation, 1 test",
        EVERY,
        lambda m: m.blocks.hold_full(),
        (*SETS, *PARTS_V1),
    ),
    Check(
        22,
        SPLITS,
        "block of three: 2 train, 1 test; smaller: train",
        EVERY,
        lambda m: m.blocks.hold_others(),
        (*SETS, *PARTS_V1),
    ),
    Check(23, SPLITS, "v2's part is the rule of column and row", EVERY, _v2_split, ("v2",)),
]
"""In the order of printing."""
