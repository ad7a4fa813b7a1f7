from __future__ import annotations

import json
from pathlib import Path

import _duckdb
import duckdb
import geopandas
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from benforge.archive.index import encode_rows, merge_rows, read_rows, same_rows, write_index
from benforge.archive.layout import scene_path
from benforge.archive.storage import StorageRecipe
from benforge.core.record import SCHEMA
from benforge.errors import ArchiveError
from benforge.testing.archives import (
    PRODUCT,
    make_scene,
    scene_records,
    small_frame,
    small_meta,
    write_archive,
    write_scene,
)

OTHER = PRODUCT.replace("20170613", "20180108")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(
        tmp_path_factory.mktemp("archive"),
        make_scene(small_frame(4, 3), product=OTHER, kept=0.6),
        make_scene(small_frame(4, 3)),
    )


def test_the_index_is_the_scenes_rows_in_order(root: Path) -> None:
    table = read_rows(root / "patches.parquet")
    assert table.schema.equals(SCHEMA)
    keys = list(zip(*(table[k].to_pylist() for k in ("scene", "row", "column")), strict=True))
    assert keys == sorted(keys)
    rows = [read_rows(scene_path(root, name) / "patches.parquet") for name in (PRODUCT, OTHER)]
    assert same_rows(table, merge_rows(rows))


def test_the_bytes_do_not_depend_on_the_order_of_work(tmp_path: Path, root: Path) -> None:
    write_archive(
        tmp_path,
        make_scene(small_frame(4, 3)),
        make_scene(small_frame(4, 3), product=OTHER, kept=0.6),
    )
    for name in ("patches.parquet", "archive.json"):
        assert (tmp_path / name).read_bytes() == (root / name).read_bytes()
    records = scene_records(make_scene(small_frame(4, 3)))
    assert encode_rows(records) == encode_rows(records.take(list(range(11, -1, -1))))


def test_the_list_of_scenes_is_made_from_the_scenes(root: Path) -> None:
    meta = write_index(root, small_meta())
    assert [(s.name, s.product, s.source) for s in meta.scenes] == [(PRODUCT,) * 3, (OTHER,) * 3]
    assert [s.patches for s in meta.scenes] == [12, len(read_rows(root / "patches.parquet")) - 12]


def test_geopandas_reads_it(root: Path) -> None:
    frame = geopandas.read_parquet(root / "patches.parquet")
    assert frame.crs == "OGC:CRS84"
    assert frame.patch_id[0] == f"{PRODUCT}_00_00"
    back = frame.iloc[[0]].to_crs(32633).total_bounds
    assert np.allclose(back, (300000, 5399880, 300120, 5400000), atol=1e-3)


def test_duckdb_reads_it(root: Path) -> None:
    query = f"""select season, count(*) from '{root / "patches.parquet"}'
        where list_contains(labels, 'Coniferous forest') group by season order by season"""
    table = read_rows(root / "patches.parquet")
    winter = table["season"].to_pylist().count("winter")
    assert duckdb.sql(query).fetchall() == [("summer", 12), ("winter", winter)]


def test_gdal_reads_it(root: Path) -> None:
    """GDAL's wheels have no Parquet driver; its ADBC driver reads through DuckDB's library."""
    if "ADBC" not in pyogrio.list_drivers():
        pytest.skip("this GDAL has no ADBC driver")
    frame = pyogrio.read_dataframe(
        f"ADBC:{root / 'patches.parquet'}",
        columns=["patch_id", "season"],
        ADBC_DRIVER=_duckdb.__file__,
    )
    table = read_rows(root / "patches.parquet")
    assert frame.patch_id.tolist() == table["patch_id"].to_pylist()
    assert shapely.to_wkb(frame.geometry.to_numpy()).tolist() == table["geometry"].to_pylist()


def test_the_geoparquet_metadata(root: Path) -> None:
    geo = json.loads(pq.read_schema(root / "patches.parquet").metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Polygon"])
    shapes = shapely.from_wkb(read_rows(root / "patches.parquet")["geometry"].to_numpy())
    assert column["bbox"] == list(shapely.total_bounds(shapes))


def test_an_archive_without_patches(tmp_path: Path) -> None:
    write_index(tmp_path, small_meta())
    assert len(read_rows(tmp_path / "patches.parquet")) == 0
    write_archive(tmp_path, make_scene(kept=0))
    assert geopandas.read_parquet(tmp_path / "patches.parquet").empty


@pytest.mark.parametrize("damage", ["missing", "truncated", "columns"])
def test_an_index_that_cannot_be_read_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "patches.parquet"
    rows = scene_records(make_scene())
    if damage == "truncated":
        path.write_bytes(encode_rows(rows)[:300])
    if damage == "columns":
        pq.write_table(rows.drop_columns(["season"]), path)
    with pytest.raises(ArchiveError, match=r"patches\.parquet: the index cannot be read"):
        read_rows(path)


def test_a_scene_without_its_product_is_named(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    group = scene_path(tmp_path, PRODUCT) / "zarr.json"
    group.write_text('{"attributes": {}}')
    with pytest.raises(ArchiveError, match="does not say its product"):
        write_index(tmp_path, small_meta())
    group.write_text("")
    with pytest.raises(ArchiveError, match=r"zarr\.json: the scene's metadata cannot be read"):
        write_index(tmp_path, small_meta())
