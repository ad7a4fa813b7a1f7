from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive.layout import SceneFrame, parse_frame, plan_arrays, scene_names, scene_path
from benforge.core.grid import Grid
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, GridError, InputError
from benforge.testing.archives import small_frame


@given(st.integers(1, 40), st.integers(1, 40))
def test_shards_hold_every_patch_once(columns: int, rows: int) -> None:
    frame = small_frame(columns, rows, 6)
    found = []
    for shard in frame.shards():
        down, across = frame.shard_patches(*shard)
        found += [
            (r, c) for r in range(*down.indices(rows)) for c in range(*across.indices(columns))
        ]
    assert sorted(found) == [(r, c) for r in range(rows) for c in range(columns)]


def test_a_full_tile_has_49_shards_of_13_x_13() -> None:
    frame = small_frame(91, 91, 120)
    assert frame.shard_shape == (13, 13)
    assert len(list(frame.shards())) == 49
    assert [frame.patch_edge(size) for size in (10, 20, 60)] == [120, 60, 20]


def test_the_ground_of_a_patch() -> None:
    grid = small_frame(3, 2, 12).patch_grid(2, 1)
    assert (grid.ulx, grid.uly, grid.shape) == (300000 + 2 * 120, 5400000 - 120, (12, 12))


def test_a_frame_is_whole_patches() -> None:
    with pytest.raises(GridError, match="2 x 3 patches of 12"):
        SceneFrame(Grid("EPSG:32633", 0, 0, 10, 24, 35), 3, 2, 12)
    with pytest.raises(GridError, match="not a whole number of pixels of 60 m"):
        small_frame(3, 2, 10).patch_edge(60)
    with pytest.raises(GridError, match="no shard"):
        small_frame(3, 2, 12).shard_patches(0, 1)


def test_a_frame_survives_json(tmp_path: Path) -> None:
    frame = small_frame()
    assert parse_frame({"frame": asdict(frame)}, tmp_path) == frame
    with pytest.raises(ArchiveError, match="frame cannot be read"):
        parse_frame({"frame": {**asdict(frame), "columns": 5}}, tmp_path)
    with pytest.raises(ArchiveError, match="frame cannot be read"):
        parse_frame({}, tmp_path)


def test_the_arrays_of_a_sentinel_2_scene() -> None:
    shapes = {p.name: (p.shape(60, 60), p.dtype) for p in plan_arrays(load_sensor()).values()}
    assert shapes == {
        "r10m": ((4, 60, 60), "uint16"),
        "r20m": ((6, 60, 60), "uint16"),
        "r60m": ((2, 60, 60), "uint16"),
        "land_cover": ((60, 60), "uint16"),
        "scene_classification": ((60, 60), "uint8"),
    }


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "ä"])
def test_a_scene_has_a_name_that_any_file_system_takes(name: str) -> None:
    with pytest.raises(InputError, match="not a name"):
        scene_path(Path(), name)


def test_a_file_is_not_a_scene(tmp_path: Path) -> None:
    (tmp_path / "scenes" / "a.zarr").mkdir(parents=True)
    (tmp_path / "scenes" / "b.zarr").touch()
    assert scene_names(tmp_path) == ("a",)
