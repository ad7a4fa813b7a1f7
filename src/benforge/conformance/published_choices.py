"""What the published lists must show of quality, labels, splits and the second version."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.conformance.fact import EVERY, Check, Found, every
from benforge.conformance.metadata import Metadata, codes, lengths, positions, texts
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.core.split import PARTS
from benforge.published.index import parse_places
from benforge.splits.rules import ben_v2_parts

FACTS = load_bigearthnet()
V1, V2 = FACTS.v1, FACTS.v2
TABLE_2 = 1_750_375
"""Labels of all patches of the paper: the sum of its Table 2."""
CLC_GAP = 999
"""What v2's reference maps write where the land-cover map says nothing."""

QUALITY, LABELS, SPLITS, SECOND = "Quality", "Labels", "Splits", "BigEarthNet v2"


def _flagged(kind: str, m: Metadata) -> int:
    return int(m.flags[kind].sum())


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


def _v2_label_names(m: Metadata) -> Found:
    known = pa.array(load_nomenclature("ben-19").names)
    return every(np.asarray(pc.is_in(pc.list_flatten(m.v2["labels"]), known)))


def _same_on_all_dates(m: Metadata) -> Found:
    """Whether all dates of a footprint have the same labels."""
    joined = pc.binary_join(m.v2["labels"], "|")
    return _one_value_each(m.footprint[m.v2_rows], codes(joined))


def _one_value_each(group: np.ndarray, value: np.ndarray) -> Found:
    """Whether the members of each group share their value; one truth value a group."""
    order = np.lexsort((value, group))
    group, value = group[order], value[order]
    new_group = np.r_[True, group[1:] != group[:-1]]
    changed = np.r_[False, (value[1:] != value[:-1]) & ~new_group[1:]]
    return every(np.add.reduceat(changed, np.flatnonzero(new_group)) == 0)


def _v2_mean(m: Metadata) -> Found:
    mean = float(lengths(m.v2["labels"]).mean())
    return Found(round(mean, 4), round(mean, 2) == V2["labels_mean"])


def _table_2_mean(m: Metadata) -> Found:
    mean = sum(m.lists.class_counts().values()) / len(m.names)
    return Found(round(mean, 4), round(mean, 3) == V1["labels_mean"])


def _part_size(part: str, m: Metadata) -> int:
    return int(m.split[part].sum())


def _disjoint(m: Metadata) -> int:
    return int((np.sum(list(m.split.values()), axis=0) > 1).sum())


def _split_is_recommended(m: Metadata) -> Found:
    named = np.logical_or.reduce(list(m.split.values()))
    return every((named == _recommended(m))[named | _recommended(m)])


def _v2_split(m: Metadata) -> Found:
    column, row = parse_places(m.v2["patch_id"].combine_chunks())
    return every(np.asarray(ben_v2_parts(column, row) == texts(m.v2["split"]), np.bool_))


def _v2_ids(m: Metadata) -> Found:
    """V2's id, made from our rows, beside the published pair of names."""
    stem = pc.replace_substring_regex(
        m.index["patch_id"].combine_chunks(),
        r"^(S2.)_MSIL1C_(.{15})_N\d{4}_",
        r"\1_MSIL2A_\2_N9999_",
    )
    ours = stem.take(pa.array(np.maximum(m.v2_rows, 0)))
    same = np.asarray(pc.equal(ours, m.v2["patch_id"].combine_chunks()))
    return every(same & (m.v2_rows >= 0))


def _ten(m: Metadata) -> np.ndarray:
    """Row: whether it is of one of the ten products that v2 leaves out."""
    ten = pa.array(V2["products_left_out"])
    return np.asarray(pc.is_in(m.index["product"].cast(pa.string()), ten), np.bool_)


def _s1_names(m: Metadata) -> Found:
    places = positions(m.v2["s2v1_name"], m.listed["v1_name"])
    theirs = m.listed["s1_name"].combine_chunks().take(pa.array(np.maximum(places, 0)))
    return every(np.asarray(pc.equal(theirs, m.v2["s1_name"].combine_chunks())) & (places >= 0))


FLAGS = ("products", "seasonal_snow", "cloud_or_shadow")
SETS = (*FLAGS, "no_19_class")
PARTS_V1 = ("products", "train", "val", "test")
BOTH = ("products", "v2")
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
            partial(_flagged, kind),
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
        partial(_flagged, "no_19_class"),
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
        lambda m: sum(n > 0 for n in m.lists.class_counts().values()),
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
        Check(22, SPLITS, f"v1's {part}", V1["split"][part], partial(_part_size, part), PARTS_V1)
        for part in PARTS
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
        (*FLAGS, *PARTS_V1),
    ),
    Check(
        22,
        SPLITS,
        "full 2 x 2 block: 2 train, 1 validation, 1 test",
        EVERY,
        lambda m: m.blocks.hold_full(),
        (*FLAGS, *PARTS_V1),
    ),
    Check(
        22,
        SPLITS,
        "block of three: 2 train, 1 test; smaller: train",
        EVERY,
        lambda m: m.blocks.hold_others(),
        (*FLAGS, *PARTS_V1),
    ),
    Check(23, SPLITS, "v2's part is the rule of column and row", EVERY, _v2_split, ("v2",)),
    Check(19, SECOND, "patches of v2", V2["patches"], lambda m: len(m.v2), ("v2",)),
    Check(
        19,
        SECOND,
        "v1 patches of the ten products left out",
        V2["products_left_out_patches"],
        lambda m: int(_ten(m).sum()),
        BOTH,
    ),
    Check(19, SECOND, "of these, in v2", 0, lambda m: int((_ten(m) & m.in_v2).sum()), BOTH),
    Check(
        19,
        SECOND,
        "other v1 patches left out of v2",
        V2["left_out"],
        lambda m: int((~_ten(m) & ~m.in_v2).sum()),
        BOTH,
    ),
    Check(5, SECOND, "id made from product, column and row is v2's", EVERY, _v2_ids, BOTH),
    Check(
        5,
        SECOND,
        "Sentinel-1 name is that of v1's list",
        EVERY,
        _s1_names,
        ("v2", "countries_and_seasons"),
    ),
    Check(6, SECOND, "dates of a footprint have the same labels", EVERY, _same_on_all_dates, BOTH),
    Check(12, SECOND, "labels are of the 19 classes", EVERY, _v2_label_names, ("v2",)),
    Check(15, SECOND, "mean labels of a v2 patch", V2["labels_mean"], _v2_mean, ("v2",)),
    Check(
        15,
        SECOND,
        "most labels of a v2 patch",
        V2["labels_most"],
        lambda m: int(lengths(m.v2["labels"]).max()),
        ("v2",),
    ),
    Check(
        15,
        SECOND,
        "fewest labels of a v2 patch",
        1,
        lambda m: int(lengths(m.v2["labels"]).min()),
        ("v2",),
    ),
]
"""In the order of printing."""
