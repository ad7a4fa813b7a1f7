from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.split import PARTS, Split
from benforge.errors import InputError

assignments = st.dictionaries(
    st.text("abcXYZ_019", min_size=1), st.sampled_from([*PARTS, None]), max_size=20
)


def make(assignment: dict[str, str | None], name: str = "mine") -> Split:
    return Split.of(name, "by-hand", pa.array(assignment, pa.string()), [*assignment.values()])


@given(assignments, st.randoms())
def test_parts_are_disjoint_and_order_does_not_matter(assignment, random):
    split = make(assignment)
    parts = [set(split.part(part).to_pylist()) for part in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(split)
    assert split.sizes == {
        part: sum(given == part for given in assignment.values()) for part in PARTS
    }
    shuffled = list(assignment.items())
    random.shuffle(shuffled)
    assert make(dict(shuffled)).digest == split.digest


@given(assignments)
def test_assign_gives_back_what_was_given(assignment):
    names = ["stranger!", *assignment]
    assert make(assignment).assign(pa.array(names)).to_pylist() == [None, *assignment.values()]


def test_digest_is_that_of_the_sorted_lines():
    split = make({"b": "test", "a": "train", "c": None})
    assert split.digest == hashlib.sha256(b"a train\nb test\n").hexdigest()


def test_a_patch_twice_and_an_unknown_part_are_refused():
    with pytest.raises(InputError, match="a: the split mine names a patch twice"):
        Split.of("mine", "by-hand", pa.array(["a", "a"]), ["train", "test"])
    with pytest.raises(InputError, match=r"no part 'val'\. Use train, validation, test"):
        Split.of("mine", "by-hand", pa.array(["a"]), np.array(["val"], object))
