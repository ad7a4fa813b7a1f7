"""What failed of several products, as one line."""

from __future__ import annotations

from pathlib import Path

from benforge.errors import InputError, ProductError
from benforge.scenes.several import failure_of


def test_the_only_product_s_error_is_its_own() -> None:
    error = InputError("no B10", where="a.SAFE")
    assert failure_of({Path("a.SAFE"): error}, 1, "the others are mapped") is error


def test_one_of_several_is_counted() -> None:
    found = failure_of(
        {Path("a.SAFE"): InputError("no B10", where="a.SAFE")}, 3, "the rest is made"
    )
    assert isinstance(found, ProductError)
    assert found.what == "1 of 3 products failed, the rest is made. First: a.SAFE: no B10"


def test_the_first_is_told_and_five_more_are_named() -> None:
    failed = {Path(f"{n}.SAFE"): InputError("broken", where=f"{n}.SAFE") for n in range(8)}
    told = str(failure_of(failed, 9, "the others are mapped"))
    assert "8 of 9 products failed" in told
    assert "also 1.SAFE, 2.SAFE, 3.SAFE, 4.SAFE, 5.SAFE" in told
    assert "6.SAFE" not in told
