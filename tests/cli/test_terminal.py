"""What people are told: truth in words, numbers to four digits, lists in a line."""

from __future__ import annotations

import pytest

from benforge.cli.terminal import print_facts


def test_facts_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"simulated": True, "other_tiles": False, "best": 0.13333333333, "notes": (), "k": 3}
    print_facts("Told", facts)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["Told"],
        ["simulated", "yes"],
        ["other", "tiles", "no"],
        ["best", "0.1333"],
        ["notes", "none"],
        ["k", "3"],
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (("All lay in memory.", "The archive is simulated."), "All lay in memory. The archive"),
        (["flag-1", "flag-2"], "flag-1, flag-2"),
        ((), "none"),
        ("text", "text"),
    ],
)
def test_lists(value: object, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_facts("Title", {"notes": value})
    assert capsys.readouterr().out.splitlines()[1].startswith(f"  notes  {shown}")
