"""Multi-hot labels: ones where the names say, and the same patches in other nomenclatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benforge.archive.archive import Archive
from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.errors import ArchiveError
from benforge.labels.hot import classes_hot, hot_through, labels_hot, level_3_hot, way_to
from benforge.testing.archives import make_scene, small_frame, write_archive

CLC_43 = load_nomenclature("clc-43")
TARGETS = ["clc-44", "clc-43", "ben-19", "clc-level-2", "clc-level-1"]


def hot_of(labels: list[list[str] | None]) -> np.ndarray:
    return labels_hot(pa.table({"labels": pa.array(labels, pa.list_(pa.string()))}), CLC_43)


@given(st.lists(st.none() | st.lists(st.sampled_from(CLC_43.names), unique=True), max_size=9))
def test_labels_become_ones_in_the_order_of_the_nomenclature(labels):
    found = [{CLC_43.names[i] for i in np.flatnonzero(row)} for row in hot_of(labels)]
    assert found == [set(names or ()) for names in labels]


def test_a_slice_and_chunks_do_not_shift_labels():
    column = pa.chunked_array([[["Airports"], None], [["Pastures", "Airports"], []]])
    rows = pa.table({"labels": column}).slice(1)
    hot = labels_hot(rows, CLC_43)
    assert hot.sum(axis=1).tolist() == [0, 2, 0]


def test_other_spellings_are_the_same_class():
    other = next(of for of in CLC_43.classes if of.aliases)
    assert (hot_of([[other.aliases[0]]]) == hot_of([[other.name]])).all()


def test_an_unknown_label_is_named():
    with pytest.raises(ArchiveError, match=r"'Moon dust' is no class of clc-43.*ben check"):
        hot_of([["Moon dust"]])


@pytest.mark.parametrize("target", TARGETS)
@given(hot=hnp.arrays(np.bool_, st.tuples(st.integers(1, 5), st.just(44))))
def test_a_class_occurs_if_one_of_its_members_does(target, hot):
    crosswalk = way_to(target)
    for patch, row in zip(hot, hot_through(hot, crosswalk), strict=True):
        codes = {crosswalk(crosswalk.source.codes[i]) for i in np.flatnonzero(patch)}
        assert {crosswalk.target.codes[i] for i in np.flatnonzero(row)} == codes - {None}


def test_level_3_comes_from_labels_or_from_the_classes_that_occur(tmp_path: Path):
    rows = Archive.open(write_archive(tmp_path / "small", make_scene(small_frame(6, 5)))).index
    from_labels, from_codes = level_3_hot(rows, CLC_43), classes_hot(rows)
    assert from_labels is not None
    assert (from_labels == from_codes).all()
    merged = level_3_hot(rows, load_nomenclature("ben-19"))
    assert merged is not None
    assert (merged == from_codes).all()
    assert level_3_hot(rows.drop_columns("classes"), load_nomenclature("ben-19")) is None


def test_the_19_classes_of_the_sample_are_the_crosswalks(imported_sample: Archive):
    hot = level_3_hot(imported_sample.index, CLC_43)
    assert hot is not None
    found = hot_through(hot, way_to("ben-19")).sum(axis=0)
    walk = load_crosswalk("ben-19")
    expected = [
        sum(
            any(walk(CLC_43.by_name(name).code) == code for name in names)
            for names in imported_sample.index["labels"].to_pylist()
        )
        for code in walk.target.codes
    ]
    assert found.tolist() == expected
