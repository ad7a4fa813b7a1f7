"""A simulated archive of several tiles, split by tile."""

from __future__ import annotations

from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import InputError
from benforge.experiments.simulated import SPLIT, build_simulated
from benforge.recipe.load import load_recipe


@pytest.mark.slow
def test_tiles_and_their_split(tmp_path: Path) -> None:
    root = build_simulated(tmp_path, load_recipe(), tiles=5, patches=3)
    archive = Archive.open(root)
    assert archive.meta.simulated
    tiles = set(archive.index["tile"].to_pylist())
    assert tiles == set(sorted(load_bigearthnet().corners)[:5])
    assert len(archive) == 45
    parts = read_split(root, SPLIT).assign(archive.index["patch_id"]).to_pylist()
    of = {t: {p for p, x in zip(parts, archive.index["tile"].to_pylist(), strict=True) if x == t}
          for t in tiles}  # fmt: skip
    assert all(len(found) == 1 for found in of.values())
    before = (root / "archive.json").stat().st_mtime_ns
    assert build_simulated(tmp_path, load_recipe(), tiles=5, patches=3) == root
    assert (root / "archive.json").stat().st_mtime_ns == before


def test_more_tiles_than_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are 56 tiles, not 57"):
        build_simulated(tmp_path, load_recipe(), tiles=57)
