"""What people read on the terminal."""

from __future__ import annotations

import pytest

from benforge.cli.terminal import print_facts


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
