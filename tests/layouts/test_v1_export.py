from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
import rasterio

from benforge.archive.archive import Archive
from benforge.archive.index import read_provenance
from benforge.archive.layout import scene_path
from benforge.archive.v1_export import encode_geotiff, export_v1, name_patches
from benforge.archive.v1_import import import_v1
from benforge.core.grid import Grid
from benforge.core.nomenclature import load_nomenclature
from benforge.core.record import PatchRecord
from benforge.errors import ConflictError, GridError, InputError
from benforge.testing.archives import make_scene, write_archive
from tests.archive.v1_patches import json_path, make_patch

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


def test_a_geotiff_has_a_small_head():
    """Published ones of 120 x 120 pixels have 29,192 bytes, 28,800 of them pixels."""
    grid = Grid("EPSG:32633", 331_200, 5_331_600, 10, 120, 120)
    assert abs(len(encode_geotiff(np.ones((120, 120), np.uint16), grid)) - 29_192) < 300


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
    del told["imported"], told["v1_differences"]
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


def _record(product: str, column: int, v1_name: str | None = None) -> PatchRecord:
    return PatchRecord(
        patch_id=f"{product}_{column:02d}_05",
        scene=product,
        product=product,
        tile=product[-5:],
        column=column,
        row=5,
        crs="EPSG:32633",
        ulx=300_000,
        uly=5_400_000,
        sensing_time=datetime(2019, 6, 13, 9, 40, 31, tzinfo=UTC),
        season="summer",
        country=None,
        source=product,
        v1_name=v1_name,
        classes=(),
        shares=None,
        pixels=None,
        labels=(),
        nodata=0,
        geometry=b"",
    )


PRODUCT = "S2A_MSIL2A_20190613T094031_N0207_R022_T33UUP"


def test_a_patch_without_a_name_gets_one_from_its_time():
    records = [_record(PRODUCT, 3), _record(PRODUCT, 4, "S2A_MSIL2A_20190613T94099_4_5")]
    assert name_patches(records) == [
        "S2A_MSIL2A_20190613T94031_3_5",
        "S2A_MSIL2A_20190613T94099_4_5",
    ]


def test_two_tiles_of_one_time_are_both_named():
    neighbour = PRODUCT.replace("T33UUP", "T33UVP")
    with pytest.raises(ConflictError) as caught:
        name_patches([_record(PRODUCT, 3), _record(neighbour, 3)])
    assert all(f"{product}_03_05" in str(caught.value) for product in (PRODUCT, neighbour))


def test_l1c_is_not_passed_off_as_l2a():
    with pytest.raises(InputError, match="publishes L2A, and this is L1C"):
        name_patches([_record(PRODUCT.replace("L2A", "L1C"), 3)])


def test_a_name_that_would_leave_the_folder_is_refused():
    with pytest.raises(InputError, match="not the name of a BigEarthNet v1 patch"):
        name_patches([_record(PRODUCT, 3, "../../S2A_MSIL2A_20190613T94031_3_5")])
