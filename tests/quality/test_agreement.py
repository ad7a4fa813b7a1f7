from __future__ import annotations

import math
import warnings
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from benforge.quality.agreement import agreements, cohen_kappa
from benforge.quality.events import Decision
from benforge.quality.ledger import Ledger

ANSWERS = st.sampled_from(["snow", "cloud", "both", "clear"])


@given(st.lists(st.tuples(ANSWERS, ANSWERS), min_size=1))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an undefined kappa, where ours is None
        theirs = float(cohen_kappa_score(*zip(*pairs, strict=True)))
    ours = cohen_kappa(pairs)
    if ours is None:
        assert math.isnan(theirs)
    else:
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_kappa_of_nothing_is_not_defined() -> None:
    assert cohen_kappa([]) is None


def test_two_who_share_no_patch_are_not_compared() -> None:
    ledger, now = Ledger(), datetime.now(UTC)
    for event, (reviewer, patches, flags) in enumerate(
        [
            ("Ada", ("p", "q"), ("seasonal_snow",)),
            ("Bob", ("p",), ("seasonal_snow",)),
            ("Bob", ("q",), ()),
            ("Cy", ("z",), ()),
        ]
    ):
        ledger.apply(
            Decision(id=str(event), time=now, reviewer=reviewer, flags=flags, patches=patches)
        )
    (found,) = agreements(ledger)
    assert (found.a, found.b, found.patches, found.kappa) == ("Ada", "Bob", 2, 0.0)
