from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio

from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_split
from benforge.core.nomenclature import load_nomenclature
from benforge.core.split import Split
from benforge.errors import ArchiveError, ConflictError, GridError, InputError
from benforge.layouts import v2_write
from benforge.layouts.port import ExportOptions
from benforge.layouts.v2_export import export_v2
from benforge.layouts.v2_source import import_v2
from benforge.testing.archives import make_scene, write_archive
from tests.layouts.v2_patches import OTHER, PRODUCT, SCHEMA, make_layout

NAME = f"{PRODUCT}_26_57"
METADATA = "metadata.parquet"
FLAGGED = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four patches in the layout, and the archive made of them; only read."""
    root = tmp_path_factory.mktemp("made")
    import_v2(make_layout(root / "v2"), root / "archive")
    return root


@pytest.fixture
def archive(made):
    return Archive.open(made / "archive")


def _files(root: Path) -> list[Path]:
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


def test_folders_pixels_and_metadata_come_back_equal(made, archive, tmp_path):
    """Through rasterio and pandas, not our own readers."""
    source, out = made / "v2", tmp_path / "out"
    summary = export_v2(archive, out)
    assert (summary.new_patches, summary.notes) == (4, ())
    assert _files(out) == _files(source)
    assert len(_files(out)) == 4 * 13 + 2
    for path in _files(out):
        if path.suffix == ".tif":
            _check_same_tiff(source / path, out / path)
    for name in (METADATA, FLAGGED):
        first, second = (pd.read_parquet(root / name) for root in (source, out))
        first = first.sort_values("patch_id", ignore_index=True)
        pd.testing.assert_frame_equal(first, second)
        assert pq.read_schema(out / name).equals(SCHEMA)


def _check_same_tiff(expected: Path, path: Path) -> None:
    with rasterio.open(expected) as first, rasterio.open(path) as second:
        assert np.array_equal(first.read(), second.read())
        assert first.profile == second.profile
        assert first.tags(ns="IMAGE_STRUCTURE") == second.tags(ns="IMAGE_STRUCTURE")


def test_real_files_come_back_in_their_published_form(shared_data, published_metadata, tmp_path):
    sample = shared_data / "bigearthnet" / "v2-sample"
    shutil.copytree(sample / "BigEarthNet-S2", tmp_path / "v2" / "BigEarthNet-S2")
    name = f"{PRODUCT}_75_43"
    told = pq.read_table(published_metadata / METADATA, filters=[("patch_id", "==", name)])
    pq.write_table(told, tmp_path / "v2" / METADATA)
    import_v2(tmp_path / "v2", tmp_path / "archive")
    archive = Archive.open(tmp_path / "archive")
    export_v2(archive, tmp_path / "out")
    bands = list((tmp_path / "v2").rglob("*.tif"))
    assert len(bands) == 12
    for path in bands:
        ours = tmp_path / "out" / path.relative_to(tmp_path / "v2")
        _check_same_tiff(path, ours)
        assert abs(path.stat().st_size - ours.stat().st_size) <= 16
    ours = pd.read_parquet(tmp_path / "out" / METADATA)
    pd.testing.assert_frame_equal(ours, pd.read_parquet(tmp_path / "v2" / METADATA))


def test_the_real_reference_map_comes_back(shared_data, tmp_path):
    """Its form, deflated with differences, and its pixels; bands are those of v1."""
    (path,) = (shared_data / "bigearthnet" / "v2-sample" / "Reference_Maps").rglob("*.tif")
    maps = tmp_path / "v2" / "Reference_Maps" / PRODUCT / NAME
    bands = tmp_path / "v2" / "BigEarthNet-S2" / PRODUCT / NAME
    shutil.copytree(path.parent, maps)
    bands.mkdir(parents=True)
    v1 = shared_data / "bigearthnet" / "v1-sample" / "S2A_MSIL2A_20170613T101031_26_57"
    for band in v1.glob("*.tif"):
        shutil.copy(band, bands / f"{NAME}_{band.name.rpartition('_')[2]}")
    import_v2(tmp_path / "v2", tmp_path / "archive")
    export_v2(Archive.open(tmp_path / "archive"), tmp_path / "out")
    (ours,) = (tmp_path / "out" / "Reference_Maps").rglob("*.tif")
    assert ours.relative_to(tmp_path / "out") == (maps / path.name).relative_to(tmp_path / "v2")
    _check_same_tiff(path, ours)


def test_a_split_chooses_and_names_the_parts(archive, tmp_path):
    ids = archive.index["patch_id"].to_pylist()
    split = Split.of("mine", "by-tile", pa.array(ids[:2]), pa.array(["test", "train"]))
    summary = export_v2(archive, tmp_path / "out", ExportOptions(split=split))
    assert summary.new_patches == 2
    told = pd.concat(pd.read_parquet(tmp_path / "out" / name) for name in (METADATA, FLAGGED))
    assert dict(zip(told["patch_id"], told["split"], strict=True)) == {
        ids[0]: "test",
        ids[1]: "train",
    }


def test_an_export_that_stopped_goes_on(archive, tmp_path, monkeypatch):
    write, done = v2_write._write_folder, []

    def stop(folder, files):
        done.append(folder)
        if len(done) == 6:
            raise KeyboardInterrupt
        write(folder, files)

    monkeypatch.setattr(v2_write, "_write_folder", stop)
    with pytest.raises(KeyboardInterrupt):
        export_v2(archive, tmp_path / "out")
    assert not (tmp_path / "out" / METADATA).exists()
    monkeypatch.undo()
    summary = export_v2(archive, tmp_path / "out")
    assert (summary.new_patches, summary.held_patches) == (2, 2)
    whole = export_v2(archive, tmp_path / "whole")
    assert whole.held_patches == 0
    assert _files(tmp_path / "out") == _files(tmp_path / "whole")
    for path in _files(tmp_path / "out"):
        assert (tmp_path / "out" / path).read_bytes() == (tmp_path / "whole" / path).read_bytes()


def test_processes_write_what_one_writes(archive, tmp_path):
    export_v2(archive, tmp_path / "one", ExportOptions(workers=1))
    export_v2(archive, tmp_path / "two", ExportOptions(workers=2))
    for path in _files(tmp_path / "one"):
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_deflate_takes_less_room_for_the_same_pixels(archive, tmp_path):
    export_v2(archive, tmp_path / "out", ExportOptions(compression="deflate"))
    import_v2(tmp_path / "out", tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    for place in archive.places():
        first, second = archive.pixels.read(*place), again.pixels.read(*place)
        assert all(np.array_equal(first[size], second[size]) for size in first)
    with rasterio.open(next((tmp_path / "out").rglob("*_B02.tif"))) as file:
        assert file.compression.name == "deflate"


def test_other_pixels_of_the_same_name_are_not_overwritten(archive, tmp_path):
    export_v2(archive, tmp_path / "out")
    (band,) = (tmp_path / "out").rglob(f"{NAME}_B01.tif")
    band.write_bytes(b"another")
    with pytest.raises(ConflictError, match=r"_26_57: another patch of this name"):
        export_v2(archive, tmp_path / "out")
    assert band.read_bytes() == b"another"


def test_patches_of_another_archive_keep_their_metadata(archive, tmp_path):
    export_v2(archive, tmp_path / "out")
    here = archive.filter(np.array([True, True, False, False]))
    with pytest.raises(ConflictError, match=r"parquet: the folder holds other patches"):
        export_v2(here, tmp_path / "out")
    (tmp_path / "out" / METADATA).write_bytes(b"nothing")
    with pytest.raises(ArchiveError, match=r"parquet: cannot be read"):
        export_v2(archive, tmp_path / "out")


def test_more_patches_of_the_same_archive_may_follow(archive, tmp_path):
    export_v2(archive.filter(np.array([True, True, False, False])), tmp_path / "out")
    summary = export_v2(archive, tmp_path / "out")
    assert (summary.new_patches, summary.held_patches) == (2, 2)
    told = [len(pd.read_parquet(tmp_path / "out" / name)) for name in (METADATA, FLAGGED)]
    assert told == [3, 1]


def test_nothing_is_exported_into_an_archive(archive):
    for out in (archive.root, archive.root / "x"):
        with pytest.raises(ConflictError, match="is an archive or lies in one"):
            export_v2(archive, out)


def test_real_v1_patches_keep_ids_and_get_19_classes(imported_sample, tmp_path):
    some = imported_sample.filter(np.arange(len(imported_sample)) % 8 == 0)
    summary = export_v2(some, tmp_path / "out")
    assert summary.new_patches == len(some) == 9
    told = pd.read_parquet(tmp_path / "out" / METADATA)
    assert sorted(told["patch_id"]) == sorted(some.index["patch_id"].to_pylist())
    assert set(told["labels"].explode().dropna()) <= set(load_nomenclature("ben-19").names)
    assert told["s2v1_name"].notna().all()
    empty = int((told["labels"].map(len) == 0).sum())
    assert [f"{empty:,} patches have no label" in note for note in summary.notes].count(True) == (
        empty > 0
    )
    assert any("no land cover" in note for note in summary.notes)
    assert any("split is empty" in note for note in summary.notes)
    import_v2(tmp_path / "out", tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    for column in ("patch_id", "v1_name", "country", "sensing_time", "ulx", "uly", "geometry"):
        assert again.index[column].to_pylist() == some.index[column].to_pylist()


def test_an_unfinished_split_is_taken_from_the_archive(made, tmp_path):
    shutil.copytree(made / "archive", tmp_path / "archive")
    archive = Archive.open(tmp_path / "archive")
    ids = archive.index["patch_id"]
    parts = pa.array(["train", "train", "test", None])
    write_split(archive.root, Split.of("published", "published", ids, parts), replace=True)
    export_v2(archive, tmp_path / "out")
    told = pd.concat(pd.read_parquet(tmp_path / "out" / name) for name in (METADATA, FLAGGED))
    found = dict(zip(told["patch_id"], told["split"], strict=True))
    assert [found[name] for name in ids.to_pylist()[:3]] == ["train", "train", "test"]
    assert pd.isna(found[ids[3].as_py()])


def test_simulated_patches_stay_simulated(made, tmp_path):
    shutil.copytree(made / "archive", tmp_path / "archive")
    group = tmp_path / "archive" / "scenes" / f"{OTHER}.zarr" / "zarr.json"
    told = json.loads(group.read_text())
    told["attributes"]["provenance"]["simulated"] = True
    group.write_text(json.dumps(told))
    summary = export_v2(Archive.open(tmp_path / "archive"), tmp_path / "out")
    assert any("simulated" in note for note in summary.notes)
    import_v2(tmp_path / "out", tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    assert again.meta.simulated
    marked = [
        json.loads(path.read_text())["attributes"]["provenance"]["simulated"]
        for path in sorted((tmp_path / "again" / "scenes").glob("*/zarr.json"))
    ]
    assert marked == [False, True]


def test_l1c_is_not_passed_off_as_l2a(made, tmp_path):
    shutil.copytree(made / "archive", tmp_path / "archive")
    group = tmp_path / "archive" / "scenes" / f"{OTHER}.zarr" / "zarr.json"
    group.write_text(group.read_text().replace('"L2A"', '"L1C"'))
    with pytest.raises(InputError, match="publishes L2A, and this is L1C"):
        export_v2(Archive.open(tmp_path / "archive"), tmp_path / "out")


def test_patches_of_another_size_are_refused(tmp_path):
    write_archive(tmp_path / "archive", make_scene())
    with pytest.raises(GridError, match="patches of 1200 m, this has 120 m"):
        export_v2(Archive.open(tmp_path / "archive"), tmp_path / "out")


def test_labels_of_other_classes_are_told(archive, tmp_path):
    meta = msgspec.structs.replace(archive.meta, nomenclature=load_nomenclature("clc-level-1"))
    summary = export_v2(replace(archive, meta=meta), tmp_path / "out")
    assert any("Labels are of clc-level-1" in note for note in summary.notes)
