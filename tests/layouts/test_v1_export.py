from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import rasterio

from benforge.archive.archive import Archive
from benforge.archive.index import read_provenance
from benforge.archive.layout import scene_path
from benforge.archive.sidecars import read_flags, read_split, write_flags
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.nomenclature import load_nomenclature
from benforge.core.split import Split
from benforge.errors import ConflictError, GridError, InputError
from benforge.layouts.port import ExportOptions
from benforge.layouts.registry import export_layout
from benforge.layouts.v1_export import export_v1
from benforge.layouts.v1_import import import_v1
from benforge.testing.archives import make_scene, write_archive
from benforge.testing.layouts import bytes_of
from tests.layouts.v1_patches import json_path, make_patch

NAME = "S2A_MSIL2A_20190613T101031_26_57"


@pytest.fixture
def small(tmp_path):
    make_patch(tmp_path / "layout", NAME)
    import_v1(tmp_path / "layout", tmp_path / "archive")
    return Archive.open(tmp_path / "archive")


def test_66_real_patches_come_back_equal(v1_sample, imported_sample, tmp_path):
    """Pixels, geometry and JSON content, through rasterio and json: not our own readers."""
    source, out = v1_sample, tmp_path / "out"
    export_v1(imported_sample, out)
    files = sorted(path.relative_to(source) for path in source.glob("*/*"))
    assert files == sorted(path.relative_to(out) for path in out.glob("*/*"))
    assert len(files) == 66 * 13
    for path in files:
        if path.suffix == ".json":
            first, second = (json.loads((root / path).read_text()) for root in (source, out))
            assert first == second
            assert list(first) == list(second)
        else:
            _check_equal(source / path, out / path)


def _check_equal(expected, path):
    with rasterio.open(expected) as first, rasterio.open(path) as second:
        assert np.array_equal(first.read(), second.read())
        assert first.transform == second.transform
        assert first.crs == second.crs
        assert second.dtypes == ("uint16",)
        assert second.nodata is None
        assert second.compression is None


def test_an_export_that_stopped_goes_on(small, tmp_path):
    out = tmp_path / "out"
    unfinished = out / f".{NAME}"
    unfinished.mkdir(parents=True)
    (unfinished / "rest").touch()
    summary = export_v1(small, out)
    assert (summary.new_patches, summary.held_patches) == (1, 0)
    assert [path.name for path in out.iterdir()] == [NAME]
    assert not (out / NAME / "rest").exists()


def test_another_patch_of_the_same_name_is_not_overwritten(small, tmp_path):
    other = make_patch(tmp_path / "out", NAME, labels=["Pastures"])
    before = json_path(other).read_bytes()
    with pytest.raises(ConflictError, match="another patch of this name"):
        export_v1(small, tmp_path / "out")
    assert json_path(other).read_bytes() == before


def test_an_archive_is_not_exported_into(small):
    with pytest.raises(ConflictError, match="the folder is an archive"):
        export_v1(small, small.root)


def test_nothing_is_exported_into_the_archive(small, monkeypatch):
    monkeypatch.chdir(small.root)
    for out in (small.root / "x", Path("x"), small.root / "scenes" / ".." / "y"):
        with pytest.raises(ConflictError, match="lies in one"):
            export_v1(small, out)
    assert sorted(path.name for path in small.root.iterdir()) == [
        "archive.json",
        "patches.parquet",
        "scenes",
    ]


def test_simulated_patches_stay_simulated(tmp_path):
    """From an archive that was built, through the layout, and back out of what was imported."""
    make_patch(tmp_path / "layout", NAME)
    import_v1(tmp_path / "layout", tmp_path / "archive")
    archive = _as_built(tmp_path / "archive", simulated=True)
    export_v1(archive, tmp_path / "first")
    facts = json.loads(json_path(tmp_path / "first" / NAME).read_text())
    assert facts["simulated"] is True
    assert len(facts) == 6
    import_v1(tmp_path / "first", tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    (scene,) = again.meta.scenes
    assert again.meta.simulated
    assert read_provenance(scene_path(again.root, scene.name))["simulated"] is True
    export_v1(again, tmp_path / "second")
    assert json.loads(json_path(tmp_path / "second" / NAME).read_text()) == facts


def test_built_patches_that_are_real_have_the_five_published_keys(tmp_path):
    make_patch(tmp_path / "layout", NAME)
    import_v1(tmp_path / "layout", tmp_path / "archive")
    export_v1(_as_built(tmp_path / "archive", simulated=False), tmp_path / "out")
    assert len(json.loads(json_path(tmp_path / "out" / NAME).read_text())) == 5


def _as_built(root, *, simulated):
    """An imported archive, made to look as if its scene had been built."""
    path = next(root.glob("scenes/*/zarr.json"))
    group = json.loads(path.read_text())
    told = group["attributes"]["provenance"]
    told["simulated"] = simulated
    del told["imported"], told["kept"]
    path.write_text(json.dumps(group))
    return Archive.open(root)


def test_labels_of_other_classes_are_refused(small, tmp_path):
    meta = msgspec.structs.replace(small.meta, nomenclature=load_nomenclature("ben-19"))
    with pytest.raises(InputError, match="labels of clc-43, these are of ben-19"):
        export_v1(replace(small, meta=meta), tmp_path / "out")


def test_patches_of_another_size_are_refused(tmp_path):
    write_archive(tmp_path / "archive", make_scene())
    with pytest.raises(GridError, match="patches of 1200 m, this has 120 m"):
        export_v1(Archive.open(tmp_path / "archive"), tmp_path / "out")


def two_tiles(tmp_path):
    """An archive of two tiles sensed at one time, as if built: no patch has a v1 name."""
    source = tmp_path / "layout"
    tiles = {"T33UUP": "EPSG:32633", "T33UVP": "EPSG:32633"}
    for shift, tile in enumerate(tiles):
        product = f"S2A_MSIL2A_20190613T094059_N0207_R022_{tile}_20190613T101608"
        make_patch(
            source / tile,
            "S2A_MSIL2A_20190613T094059_26_57",
            seed=shift,
            tile_source=f"{product}.SAFE",
            acquisition_date="2019-06-13 09:40:59",
        )
        import_v1(source / tile, tmp_path / "archive")
    archive = Archive.open(tmp_path / "archive")
    return replace(archive, index=_without_names(archive.index))


def _without_names(index):
    at = index.schema.get_field_index("v1_name")
    return index.set_column(at, index.schema.field(at), pa.nulls(len(index), pa.string()))


def test_two_tiles_of_one_time_are_refused_or_counted_up_and_come_back(tmp_path):
    archive = two_tiles(tmp_path)
    with pytest.raises(ConflictError, match="would both be named"):
        export_v1(archive, tmp_path / "out")
    out = tmp_path / "out"
    summary = export_v1(archive, out, ExportOptions(count_up=True))
    assert summary.new_patches == 2
    assert summary.notes[0].startswith("1 names were counted up")
    counted = "S2A_MSIL2A_20190613T94060_26_57"
    assert sorted(path.name for path in out.iterdir()) == [
        "S2A_MSIL2A_20190613T094059_26_57",
        counted,
        "tile_names_and_links.csv",
    ]
    facts = json.loads(json_path(out / counted).read_text())
    assert facts["acquisition_date"] == "2019-06-13 09:41:00"
    assert "_20190613T94060_N0207_R022_T33UVP_" in facts["tile_source"]
    assert export_v1(archive, out, ExportOptions(count_up=True)).new_patches == 0
    import_v1(out, tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    assert _without_names(again.index).equals(archive.index)
    export_v1(again, tmp_path / "once more")
    assert bytes_of(tmp_path / "once more") == bytes_of(out)


@pytest.fixture
def several(tmp_path):
    """Eight patches of one scene."""
    for column in range(8):
        make_patch(tmp_path / "layout", f"S2A_MSIL2A_20190613T101031_{column}_57", seed=column)
    import_v1(tmp_path / "layout", tmp_path / "archive")
    return Archive.open(tmp_path / "archive")


def test_a_split_chooses_patches_and_is_written_as_published_lists(several, tmp_path):
    ids = several.index["patch_id"]
    parts = np.array(["train", "validation", "test", None] * 2, object)
    split = Split.of("mine", "paper-random", ids, parts)
    out = tmp_path / "out"
    summary = export_layout(several, out, "v1", ExportOptions(split=split))
    assert summary.new_patches == len(split) == 6
    assert summary.notes == ("2 of 8 patches are not of the split and were left out.",)
    named = dict(zip(ids.to_pylist(), several.index["v1_name"].to_pylist(), strict=True))
    for part, file in {"train": "train", "validation": "val", "test": "test"}.items():
        lines = (out / f"{file}.csv").read_text().splitlines()
        assert sorted(lines) == sorted(named[one] for one in split.part(part).to_pylist())
    assert len(list(out.glob("S2*"))) == 6
    assert import_v1(out, tmp_path / "again").splits == ("published",)
    again = read_split(tmp_path / "again", "published")
    assert again.table.equals(split.table)


def test_a_split_of_other_patches_is_an_error(small, tmp_path):
    split = Split.of("mine", "by-tile", pa.array(["x"]), np.array(["test"], object))
    with pytest.raises(InputError, match="the split mine names no patch of it"):
        export_v1(small, tmp_path / "out", ExportOptions(split=split))


def test_published_flags_come_back_and_lists_of_other_patches_stay(several, tmp_path):
    ids = several.index["patch_id"]
    snow, cloud = np.arange(8) % 3 == 0, np.arange(8) % 5 == 1
    marks = {SEASONAL_SNOW: snow, CLOUD_OR_SHADOW: cloud}
    write_flags(several.root, Flags.of("published", "a test", ids, marks))
    out = tmp_path / "out"
    out.mkdir()
    other = "S2A_MSIL2A_20170717T113321_28_87"
    (out / "patches_with_seasonal_snow.csv").write_text(f"{other}\n")
    export_v1(several, out)
    lines = (out / "patches_with_seasonal_snow.csv").read_text().splitlines()
    names = np.array(several.index["v1_name"].to_pylist(), object)
    assert lines == [other, *names[snow]]
    assert import_v1(out, tmp_path / "again").flags == ("published",)
    again = read_flags(tmp_path / "again", "published")
    assert again.marked(ids, (SEASONAL_SNOW,)).tolist() == snow.tolist()
    assert again.marked(ids, (CLOUD_OR_SHADOW,)).tolist() == cloud.tolist()


def test_deflated_patches_are_smaller_and_equal(imported_sample, tmp_path):
    few = imported_sample.filter(np.arange(66) % 8 == 0)
    out, plain = tmp_path / "out", tmp_path / "plain"
    export_v1(few, out, ExportOptions(compression="deflate"))
    export_v1(few, plain)
    sizes = [sum(p.stat().st_size for p in folder.glob("*/*.tif")) for folder in (out, plain)]
    assert sizes[0] < 0.8 * sizes[1]
    for path in sorted(plain.glob("*/*.tif")):
        with rasterio.open(path) as first, rasterio.open(out / path.relative_to(plain)) as second:
            assert np.array_equal(first.read(), second.read())
            assert (first.crs, first.transform) == (second.crs, second.transform)
            assert second.compression.name == "deflate"


def test_deflated_patches_are_imported_as_others(several, tmp_path):
    export_v1(several, tmp_path / "out", ExportOptions(compression="deflate"))
    import_v1(tmp_path / "out", tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    assert again.index.equals(several.index)
    for one, other in zip(again, several, strict=True):
        assert all(np.array_equal(one.arrays[s], other.arrays[s]) for s in one.arrays)


def test_processes_write_what_this_process_writes(imported_sample, tmp_path):
    export_v1(imported_sample, tmp_path / "one", ExportOptions(workers=1))
    told = []
    export_v1(
        imported_sample,
        tmp_path / "two",
        ExportOptions(workers=2),
        lambda message, done=0, total=0: told.append((done, total)),
    )
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert told[-1] == (66, 66)
