import csv
import gzip
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.grid import Grid
from benforge.errors import GridError, RecipeError
from benforge.patches.plan import PatchRecipe, plan_patches

TILE = Grid("EPSG:32633", 300000, 5400000, 10, 10980, 10980)


def test_a_full_tile_is_91_by_91_and_leaves_600_m_out() -> None:
    plan = plan_patches(TILE)
    assert (plan.columns, plan.rows, len(plan)) == (91, 91, 8281)
    assert plan.grid.bounds.right == TILE.bounds.right - 600
    assert plan.grid.bounds.bottom == TILE.bounds.bottom + 600
    assert [plan.patch_pixels(size) for size in (10, 20, 60)] == [120, 60, 20]


def test_too_small_a_tile_holds_no_patch() -> None:
    with pytest.raises(GridError, match="holds no patch"):
        plan_patches(TILE.crop(0, 0, 119, 500))


@pytest.mark.parametrize("edge", [0, -60, 100, 1210])
def test_an_edge_is_a_multiple_of_60_m(edge: int) -> None:
    with pytest.raises(RecipeError, match=r"patches\.edge"):
        PatchRecipe(edge=edge)


@given(
    st.integers(2, 9).map(lambda n: 60 * n),
    st.integers(20, 60),
    st.integers(20, 60),
    st.sampled_from([10, 20, 60]),
)
def test_windows_cover_every_pixel_once(edge: int, high: int, wide: int, size: int) -> None:
    tile = Grid("EPSG:32633", 0, 0, 10, high * 6, wide * 6)
    if min(tile.shape) * 10 < edge:
        return
    plan = plan_patches(tile, PatchRecipe(edge=edge))
    seen = np.zeros(plan.mosaic_shape(size), int)
    for column, row in plan:
        seen[plan.window(column, row, size)] += 1
    assert (seen == 1).all()
    columns, rows = plan.positions()
    assert list(zip(columns.tolist(), rows.tolist(), strict=True)) == list(plan)


def test_published_corners_are_those_of_the_plan(shared_data: Path) -> None:
    with gzip.open(shared_data / "grids/sentinel2_tiles.csv.gz", "rt") as lines:
        tiles = {row["tile"]: row for row in csv.DictReader(lines)}
    table = pq.read_table(shared_data / "bigearthnet/metadata/patch_geometry.parquet")
    plans = {
        name: plan_patches(
            Grid(f"EPSG:{t['epsg']}", int(t["ulx"]), int(t["uly"]), 10, 10980, 10980)
        )
        for name in set(table["tile"].to_pylist())
        for t in [tiles[name]]
    }
    assert len(plans) == 56
    for patch in table.take(list(range(0, table.num_rows, 59))).to_pylist():
        column, row = (int(n) for n in patch["name"].split("_")[-2:])
        grid = plans[patch["tile"]].patch_grid(column, row)
        assert (grid.crs, grid.ulx, grid.uly) == (
            f"EPSG:{patch['epsg']}",
            patch["ulx"],
            patch["uly"],
        )
