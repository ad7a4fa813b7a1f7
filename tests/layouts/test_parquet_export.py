from __future__ import annotations

import json

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.archive import executors
from benforge.archive.archive import Archive
from benforge.core.split import Split
from benforge.errors import ConflictError
from benforge.layouts.parquet_export import export_parquet
from benforge.layouts.port import ExportOptions
from benforge.testing.archives import make_scene, small_frame, write_archive

ONE = ExportOptions(workers=1)


@pytest.fixture
def small(tmp_path):
    return Archive.open(write_archive(tmp_path / "archive", make_scene(small_frame(4, 3))))


def _names(out):
    return sorted(path.name for path in (out / "data").iterdir())


def test_every_patch_is_one_row(small, tmp_path):
    out = tmp_path / "out"
    summary = export_parquet(small, out, ONE, shard_patches=5)
    assert _names(out) == [f"patches-0000{n}-of-00003.parquet" for n in range(3)]
    rows = [row for name in _names(out) for row in pq.read_table(out / "data" / name).to_pylist()]
    assert len(rows) == summary.new_patches == 12
    classes = small.meta.nomenclature.names
    for position, row in enumerate(rows):
        record = small.record(position)
        assert row["patch_id"] == record.patch_id
        assert [classes[place] for place in row["labels"]] == record.labels
        assert row["date"] == "2017-06-13T10:10:31Z"
        for size, pixels in small[position].arrays.items():
            assert np.array_equal(np.array(row[f"r{size}m"]), pixels)
        assert np.array_equal(np.array(row["land_cover"]), small.land_cover(position))


def test_duckdb_reads_it_too(small, tmp_path):
    """A reader that knows nothing of Arrow: nested lists of small numbers."""
    export_parquet(small, tmp_path / "out", ONE)
    query = "select patch_id, r60m, len(r10m), len(r10m[1]) from read_parquet(?)"
    rows = duckdb.execute(query, [str(tmp_path / "out" / "data" / "*.parquet")]).fetchall()
    for position, (name, r60m, bands, height) in enumerate(rows):
        patch = small[position]
        assert name == str(patch.id)
        assert np.array_equal(np.array(r60m), patch.arrays[60])
        assert (bands, height) == patch.arrays[10].shape[:2]


def test_a_file_tells_datasets_its_classes_and_shapes(small, tmp_path):
    export_parquet(small, tmp_path / "out", ONE)
    path = tmp_path / "out" / "data" / "patches-00000-of-00001.parquet"
    schema = pq.read_schema(path)
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names
    assert features["labels"]["feature"]["names"] == list(small.meta.nomenclature.names)
    assert features["r10m"] == {"shape": [4, 12, 12], "dtype": "uint16", "_type": "Array3D"}
    assert features["land_cover"] == {"shape": [12, 12], "dtype": "uint16", "_type": "Array2D"}
    told = {key.decode(): value.decode() for key, value in schema.field("r10m").metadata.items()}
    assert told["ARROW:extension:name"] == "datasets.features.features.Array3DExtensionType"
    assert json.loads(told["ARROW:extension:metadata"]) == [[4, 12, 12], "uint16"]


def test_real_patches_in_row_groups_that_can_be_streamed(imported_sample, tmp_path):
    out = tmp_path / "out"
    twice = imported_sample.index.take(pa.array([*range(66)] * 2))
    export_parquet(
        type(imported_sample)(
            imported_sample.root, imported_sample.meta, twice, imported_sample.pixels
        ),
        out,
        ONE,
    )
    file = pq.ParquetFile(out / "data" / "patches-00000-of-00001.parquet")
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert groups == [100, 32]
    table = file.read_row_group(1, columns=["patch_id", "r10m", "r60m"])
    assert "land_cover" not in file.schema_arrow.names
    for place, row in enumerate(table.to_pylist(), 100 - 66):
        patch = imported_sample[place]
        assert row["patch_id"] == str(patch.id)
        assert np.array_equal(np.array(row["r10m"]), patch.arrays[10])
        assert np.array_equal(np.array(row["r60m"]), patch.arrays[60])


def test_a_patch_without_a_map_has_none(small, tmp_path):
    """One scene of two has reference maps."""
    bare = make_scene(product="S2B_MSIL2A_20170913T101031_N0205_R022_T33UUP", seed=1)
    del bare.mosaics["land_cover"]
    root = write_archive(tmp_path / "two", make_scene(), bare)
    archive = Archive.open(root)
    export_parquet(archive, tmp_path / "out", ONE)
    (name,) = _names(tmp_path / "out")
    maps = pq.read_table(tmp_path / "out" / "data" / name)["land_cover"]
    expected = [archive.land_cover(position) is None for position in range(len(archive))]
    assert maps.is_null().to_pylist() == expected
    assert sum(expected) == 6


def test_a_split_names_the_files_and_the_card_says_so(small, tmp_path):
    ids = small.index["patch_id"]
    split = Split.of("mine", "by-tile", ids, pa.array(["train"] * 6 + ["test"] * 4 + [None] * 2))
    out = tmp_path / "out"
    export_parquet(small, out, ExportOptions(split=split, workers=1), shard_patches=4)
    assert _names(out) == [
        "test-00000-of-00001.parquet",
        "train-00000-of-00002.parquet",
        "train-00001-of-00002.parquet",
    ]
    card = (out / "README.md").read_text()
    front = card.split("---")[1]
    assert '- split: train\n    path: "data/train-*.parquet"' in front
    assert "validation" not in front
    assert all(f". {name}" in card for name in small.meta.nomenclature.names)
    assert "simulated" in card


def test_the_bytes_are_the_same_with_more_workers_and_after_a_cut(small, tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "SMALL", 0)
    first, second = tmp_path / "first", tmp_path / "second"
    export_parquet(small, first, ONE, shard_patches=5)
    export_parquet(small, second, ExportOptions(workers=2), shard_patches=5)
    (second / "data" / _names(first)[1]).unlink()
    again = export_parquet(small, second, ONE, shard_patches=5)
    assert (again.new_patches, again.held_patches) == (5, 7)
    files = {path.name: path.read_bytes() for path in first.rglob("*.*")}
    assert files == {path.name: path.read_bytes() for path in second.rglob("*.*")}


def test_another_export_is_not_mixed_in(small, tmp_path):
    export_parquet(small, tmp_path / "out", ONE)
    with pytest.raises(ConflictError, match="another export is there"):
        export_parquet(small.filter(np.arange(12) < 3), tmp_path / "out", ONE)
