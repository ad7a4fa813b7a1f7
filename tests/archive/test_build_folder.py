"""An archive grows by the rules it was built by; one that came later has its default."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benforge.archive.build import build_archive
from benforge.errors import ArchiveError, ConflictError
from benforge.recipe.load import load_recipe
from benforge.testing.products import write_small_map, write_small_product


def test_a_rule_that_came_later_has_its_default(tmp_path: Path) -> None:
    """An archive of before `products.sensor` is one of Sentinel-2."""
    land, out, rules = (
        write_small_map(tmp_path / "map.gpkg"),
        tmp_path / "out",
        load_recipe("ben-v1"),
    )
    build_archive([write_small_product(tmp_path)], land, out, rules)
    meta = json.loads((out / "archive.json").read_text())
    assert meta["recipe"]["products"].pop("sensor") == "sentinel-2"
    (out / "archive.json").write_text(json.dumps(meta))
    later = write_small_product(tmp_path, date=datetime(2017, 9, 24, 10, 10, 31, tzinfo=UTC))
    assert build_archive([later], land, out, rules).scenes == 2
    other = load_recipe("ben-v1", overrides=["patches.edge=600"])
    with pytest.raises(ConflictError, match=r"other rules: patches\.edge was 1200, is 600"):
        build_archive([later], land, out, other)


@pytest.mark.parametrize(
    "left", [".archive.json.4711", ".archive.json.a-machine.4711", ".build-ab"]
)
def test_what_a_build_left_that_was_killed_in_its_first_instant_is_no_other_thing(
    tmp_path: Path, left: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / left).mkdir() if left.startswith(".build") else (out / left).write_bytes(b'{"form')
    land = write_small_map(tmp_path / "map.gpkg")
    rules = load_recipe("ben-v1")
    assert build_archive([write_small_product(tmp_path)], land, out, rules).scenes == 1
    assert not (out / left).exists()


def test_a_hidden_file_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".profile").write_text("mine")
    land, rules = write_small_map(tmp_path / "map.gpkg"), load_recipe("ben-v1")
    with pytest.raises(ArchiveError, match="holds other things"):
        build_archive([write_small_product(tmp_path)], land, tmp_path / "out", rules)
