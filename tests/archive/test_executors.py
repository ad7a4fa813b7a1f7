from pathlib import Path

import pytest
from distributed import LocalCluster

from benforge.archive.archive import Archive
from benforge.archive.build import build_archive
from benforge.archive.executors import open_executor
from benforge.errors import InputError
from benforge.recipe.load import load_recipe
from benforge.testing.products import GRID, write_small_map, write_small_product


def test_processes_do_the_work() -> None:
    with open_executor(2) as executor:
        assert list(executor.map(abs, [-1, 2])) == [1, 2]


def test_nobody_is_refused() -> None:
    with (
        pytest.raises(InputError, match="no dask scheduler"),
        open_executor(cluster="tcp://127.0.0.1:9"),
    ):
        pass


def test_a_cluster_builds_the_same_bytes(tmp_path: Path) -> None:
    products = [write_small_product(tmp_path)]
    east = type(GRID)(GRID.crs, GRID.ulx + 5400, GRID.uly, 10, *GRID.shape)
    products.append(write_small_product(tmp_path, grid=east, tile="33UVP"))
    both = type(GRID)(GRID.crs, GRID.ulx, GRID.uly, 10, GRID.height, 2 * GRID.width)
    land_cover = write_small_map(tmp_path / "map.gpkg", both)
    recipe = load_recipe("custom")
    build_archive(products, land_cover, tmp_path / "here", recipe)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        address = cluster.scheduler_address
        build_archive(products, land_cover, tmp_path / "there", recipe, cluster=address)
    here, there = Archive.open(tmp_path / "here"), Archive.open(tmp_path / "there")
    assert here.meta == there.meta
    assert here.index.equals(there.index)
