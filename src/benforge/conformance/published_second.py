"""What the metadata of the second version must show."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benforge.conformance.fact import EVERY, Check, Found, every
from benforge.conformance.metadata import Metadata, codes, lengths, positions
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.nomenclature import load_nomenclature

V2 = load_bigearthnet().v2
SECOND = "BigEarthNet v2"


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


def _v2_labels(m: Metadata) -> str:
    """The start of the SHA-256 of each patch's id and labels, so that none can change places."""
    ids = m.v2["patch_id"].combine_chunks()
    labels = pc.binary_join(m.v2["labels"].combine_chunks(), "|")
    lines = pc.binary_join_element_wise(ids, labels, "\t").take(pc.sort_indices(ids))
    return hashlib.sha256("\n".join(lines.to_pylist()).encode()).hexdigest()[:16]


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


BOTH = ("products", "v2")

CHECKS: list[Check[Metadata]] = [
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
    Check(
        15,
        SECOND,
        "labels of all v2 patches",
        V2["labels"],
        lambda m: int(lengths(m.v2["labels"]).sum()),
        ("v2",),
    ),
    Check(
        15,
        SECOND,
        "labels of each v2 patch, by SHA-256",
        V2["labels_digest"],
        _v2_labels,
        ("v2",),
    ),
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
