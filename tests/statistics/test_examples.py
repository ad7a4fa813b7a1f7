from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benforge.statistics.classes import labels_hot
from benforge.statistics.described import Described
from benforge.statistics.examples import MOST_LABELS, choose_examples, choose_varied, example_sheet

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
