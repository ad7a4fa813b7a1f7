from __future__ import annotations

import json
import shutil
from pathlib import Path

import _duckdb
import duckdb
import geopandas
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from benforge.archive import index
from benforge.archive.index import (
    encode_rows,
    merge_rows,
    missing_scenes,
    read_rows,
    same_rows,
    write_index,
)
from benforge.archive.layout import scene_path
from benforge.archive.manifest import write_manifest
from benforge.archive.meta import read_meta
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


@pytest.mark.parametrize("group", [1, 5, 12])
def test_parts_of_any_size_give_one_index(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, group: int
) -> None:
    """The rows, their order, their extent and what DuckDB reads do not hang on the parts."""
    rows = read_rows(root / "patches.parquet")
    monkeypatch.setattr(index, "ROW_GROUP", group)
    shuffled = rows.take(np.random.default_rng(1).permutation(len(rows)))
    written = encode_rows(shuffled)
    assert written == encode_rows(rows)
    (tmp_path / "rows.parquet").write_bytes(written)
    file = pq.ParquetFile(tmp_path / "rows.parquet")
    assert file.num_row_groups == -(-len(rows) // group)
    assert same_rows(read_rows(tmp_path / "rows.parquet"), rows)
    assert not same_rows(rows.slice(1), rows.slice(0, len(rows) - 1))
    assert not same_rows(rows.slice(1), rows)
    box = json.loads(file.schema_arrow.metadata[b"geo"])["columns"]["geometry"]["bbox"]
    shapes = shapely.from_wkb(rows["geometry"].to_pylist())
    assert box == list(shapely.total_bounds(shapes))
    query = f"SELECT count(DISTINCT scene) FROM '{tmp_path}/rows.parquet'"
    assert duckdb.sql(query).fetchall() == [(2,)]


def test_rows_of_scenes_that_are_mixed_are_put_in_order(root: Path) -> None:
    rows = read_rows(root / "patches.parquet")
    mixed = [rows.take(list(range(start, len(rows), 3))) for start in (2, 0, 1)]
    assert same_rows(merge_rows(mixed), rows)
    assert len(merge_rows([])) == 0


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


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("missing", "the index is missing"),
        ("folder", "the index is a folder"),
        ("truncated", "the index cannot be read, Parquet magic bytes not found in footer"),
        ("columns", "the index has no column season"),
        ("nulls", "the index cannot be read, Casting field 'crs' with null values to non-nullable"),
    ],
)
def test_an_index_that_cannot_be_read_is_named(tmp_path: Path, damage: str, what: str) -> None:
    path = tmp_path / "patches.parquet"
    rows = scene_records(make_scene())
    if damage == "folder":
        path.mkdir()
    if damage == "truncated":
        path.write_bytes(encode_rows(rows)[:300])
    if damage == "columns":
        pq.write_table(rows.drop_columns(["season"]), path)
    if damage == "nulls":
        place = rows.column_names.index("crs")
        pq.write_table(rows.set_column(place, "crs", pa.nulls(len(rows), pa.string())), path)
    with pytest.raises(ArchiveError) as caught:
        read_rows(path)
    assert str(caught.value) == f"{path}: {what}. See more with: ben check"


PROVENANCE = {"product": PRODUCT, "source": PRODUCT}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "metadata cannot be read"),
        ("[]", "metadata cannot be read"),
        ("[" * 200_000, "metadata cannot be read"),
        ('{"attributes": null}', "metadata cannot be read"),
        ('{"attributes": {}}', "provenance cannot be read.*`product`"),
        ('{"attributes": {"provenance": []}}', "provenance cannot be read"),
        (
            json.dumps({"attributes": {"provenance": PROVENANCE | {"inputs": "x"}}}),
            "provenance cannot be read.*inputs",
        ),
        (
            json.dumps({"attributes": {"provenance": PROVENANCE | {"product": OTHER}}}),
            f"{PRODUCT}.zarr: the folder holds the scene {OTHER}",
        ),
    ],
)
def test_a_scene_that_does_not_say_what_it_is_is_named(
    tmp_path: Path, text: str, what: str
) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    (scene_path(tmp_path, PRODUCT) / "zarr.json").write_text(text)
    with pytest.raises(ArchiveError, match=what):
        write_index(tmp_path, small_meta())


def test_a_renamed_scene_is_not_taken_twice(tmp_path: Path) -> None:
    write_archive(tmp_path, make_scene())
    scene_path(tmp_path, PRODUCT).rename(scene_path(tmp_path, "foo"))
    with pytest.raises(ArchiveError, match=rf"foo\.zarr: the folder holds the scene {PRODUCT}"):
        write_index(tmp_path, small_meta())


def test_a_scene_without_checksums_is_named(tmp_path: Path) -> None:
    write_archive(tmp_path, make_scene())
    (scene_path(tmp_path, PRODUCT) / "manifest.sha256").unlink()
    with pytest.raises(ArchiveError, match="checksums cannot be read"):
        write_index(tmp_path, small_meta())


def test_rewritten_checksums_are_not_believed(tmp_path: Path) -> None:
    write_archive(tmp_path, make_scene())
    meta, before = read_meta(tmp_path), _top_files(tmp_path)
    shard = scene_path(tmp_path, PRODUCT) / "r10m" / "c" / "0" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    write_manifest(scene_path(tmp_path, PRODUCT))
    with pytest.raises(ArchiveError, match=r"not those recorded in archive\.json.*ben check"):
        write_index(tmp_path, meta)
    assert _top_files(tmp_path) == before


def _top_files(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in ("patches.parquet", "archive.json")}


def test_a_missing_scene_is_not_dropped_without_a_word(tmp_path: Path) -> None:
    root = write_archive(tmp_path, make_scene(), make_scene(product=OTHER))
    meta, before = read_meta(root), _top_files(root)
    shutil.rmtree(scene_path(root, OTHER))
    with pytest.raises(ArchiveError, match=rf"{OTHER}\.zarr: the scene is missing.*Restore"):
        missing_scenes(root, meta, [PRODUCT])
    with pytest.raises(ArchiveError, match=rf"{OTHER}\.zarr: the scene is missing"):
        write_index(root, meta)
    assert _top_files(root) == before


def test_a_removed_scene_is_built_anew(tmp_path: Path) -> None:
    root = write_archive(tmp_path, make_scene(), make_scene(product=OTHER))
    meta, before = read_meta(root), _top_files(root)
    shutil.rmtree(scene_path(root, OTHER))
    anew = missing_scenes(root, meta, [PRODUCT, OTHER])
    assert anew == {OTHER}
    write_scene(root, make_scene(product=OTHER), StorageRecipe())
    write_index(root, meta, anew)
    assert _top_files(root) == before
    shutil.rmtree(scene_path(root, OTHER))
    write_scene(root, make_scene(product=OTHER, seed=1), StorageRecipe())
    with pytest.raises(ArchiveError, match="not those recorded"):
        write_index(root, meta)
    assert len(write_index(root, meta, anew).scenes) == 2


def test_an_archive_is_simulated_if_a_scene_is(tmp_path: Path) -> None:
    write_scene(tmp_path, make_scene(), StorageRecipe())
    meta = msgspec.structs.replace(small_meta(), simulated=False)
    assert write_index(tmp_path, meta).simulated
