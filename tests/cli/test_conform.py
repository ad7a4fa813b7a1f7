"""`ben conform`: its table, its JSON, its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.cli.main import run


def test_table(imported_sample: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["conform", str(imported_sample.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "Grid and names" in lines[1]
    assert any("✓ holds" in line for line in lines)
    assert lines[-1].endswith("not available here")
    assert " 0 differ, " in lines[-1]


def test_json(imported_sample: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["conform", str(imported_sample.root), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {"fact", "published", "found", "equal"} <= set(facts[0])
    assert {fact["equal"] for fact in facts} <= {True, None}


def test_a_difference_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "S2A_MSIL2A_20170613T101031_26_57"
    product = "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE"
    (tmp_path / "tile_names_and_links.csv").write_text(f"{name},{product},link\n")
    assert run(["conform", "--metadata", str(tmp_path)]) == 1
    assert "✗ differs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status"), [([], 2), (["nowhere"], 1), (["--metadata", "no"], 1)]
)
def test_wrong_input(words: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["conform", *words]) == status
    assert "Traceback" not in capsys.readouterr().err


def test_no_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["conform", "--metadata", str(tmp_path)]) == 1
    assert "no published list" in capsys.readouterr().err
