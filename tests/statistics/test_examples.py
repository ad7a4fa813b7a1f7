from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benforge.labels.hot import labels_hot
from benforge.statistics.described import Described
from benforge.statistics.example_chart import draw_examples
from benforge.statistics.examples import (
    MOST_LABELS,
    NO_LABELS,
    choose_examples,
    choose_varied,
    example_sheet,
)
from benforge.statistics.style import styled

hots = hnp.arrays(np.bool_, st.tuples(st.integers(0, 12), st.just(5)))


@given(hots, st.integers(0, 15))
def test_as_many_as_asked_each_once(hot, count):
    chosen = choose_varied(hot, count)
    assert len(chosen) == len(set(chosen)) == min(count, len(hot))


@given(hots)
def test_five_choices_show_all_of_five_classes(hot):
    assert (hot[choose_varied(hot, 5)].any(axis=0) == hot.any(axis=0)).all()


def test_new_classes_come_first():
    hot = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 1]], np.bool_)
    assert choose_varied(hot, 3) == [3, 2, 1]


def test_examples_are_whole_and_have_few_labels(sample: Described):
    hot = labels_hot(sample.rows, sample.nomenclature)
    chosen = choose_examples(sample.rows, hot)
    assert len(chosen) == len(set(chosen.tolist())) == 12
    assert hot[chosen].sum(axis=1).max() <= MOST_LABELS
    assert (np.asarray(sample.rows["nodata"])[chosen] == 0).all()
    sheet = example_sheet(sample)
    assert sheet is not None
    assert sheet.table["patch_id"].to_pylist() == sample.rows["patch_id"].take(chosen).to_pylist()


def test_a_patch_without_labels_is_an_example_last_and_says_so(partly_labelled: Described):
    rows = partly_labelled.rows
    hot = labels_hot(rows, partly_labelled.nomenclature)
    some = int(hot.any(axis=1).sum())
    assert hot[choose_examples(rows, hot, some)].any(axis=1).all()
    bare = replace(partly_labelled, rows=rows.filter(~hot.any(axis=1)))
    sheet = example_sheet(bare)
    assert sheet is not None
    assert set(sheet.table["labels"].to_pylist()) == {NO_LABELS}
    assert f"{len(sheet.table)} of {len(bare.rows)} patches" in sheet.title
    with styled():
        assert draw_examples(sheet, partly_labelled.archive)
