from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from benforge.demo.choose import choose_varied


@dataclass(frozen=True)
class Classes:
    classes: tuple[int, ...]


def test_new_classes_come_first():
    records = [Classes((1,)), Classes((1, 2)), Classes((3,)), Classes((1, 2, 4))]
    assert choose_varied(records, 3) == [3, 2, 1]


@given(st.lists(st.lists(st.integers(1, 5), unique=True), max_size=12), st.integers(0, 15))
def test_as_many_as_asked_each_once(classes, count):
    records = [Classes(tuple(c)) for c in classes]
    chosen = choose_varied(records, count)
    assert len(chosen) == len(set(chosen)) == min(count, len(records))


@given(st.lists(st.lists(st.integers(1, 5), unique=True), min_size=5, max_size=12))
def test_five_choices_show_all_of_five_classes(classes):
    records = [Classes(tuple(c)) for c in classes]
    shown = {code for i in choose_varied(records, 5) for code in records[i].classes}
    assert shown == {code for record in records for code in record.classes}
