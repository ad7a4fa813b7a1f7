from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import zarr

from benforge.archive.archive import Archive
from benforge.archive.layout import BUILD, scene_names, scene_path
from benforge.archive.storage import StorageRecipe
from benforge.core.identity import ProductId
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, BenError, ConflictError, GridError, MissingError
from benforge.layouts.port import ImportOptions
from benforge.layouts.v1_import import import_v1
from benforge.layouts.v1_names import V1Name
from benforge.layouts.v1_read import list_v1_patches, read_v1_bands, read_v1_patch
from tests.layouts.v1_patches import json_path, make_patch

NAME = "S2A_MSIL2A_20190613T101031_26_57"
SCENE = "S2A_MSIL1C_20190613T101031_N0207_R022_T33UUP"
SENSOR = load_sensor()


@pytest.fixture
def sample(v1_sample):
    return v1_sample


@pytest.fixture
def archive(imported_sample):
    return imported_sample


def test_all_real_patches_are_there(archive, sample):
    names = [path.name for path in list_v1_patches(sample)]
    assert sorted(archive.index["v1_name"].to_pylist()) == names
    assert len(names) == 66
    assert archive.meta.profile == "ben-v1"
    assert archive.meta.nomenclature.name == "clc-43"


def test_real_pixels_are_those_of_the_files(archive, sample):
    for position, record in enumerate(archive.records()):
        files = read_v1_bands(read_v1_patch(sample / record.v1_name, SENSOR), SENSOR)
        patch = archive[position]
        assert all(np.array_equal(patch.band(band.name), pixels) for band, pixels in files)


def test_real_rows_are_those_of_the_json(archive, sample):
    for record in archive.records():
        facts = json.loads(json_path(sample / record.v1_name).read_text())
        assert list(record.labels) == facts["labels"]
        assert (record.ulx, record.uly) == (
            facts["coordinates"]["ulx"],
            facts["coordinates"]["uly"],
        )
        counted = V1Name.parse(record.v1_name).counted(ProductId.parse(record.product))
        if counted == 0:
            assert f"{record.sensing_time:%Y-%m-%d %H:%M:%S}" == facts["acquisition_date"]
        else:
            assert f"{record.sensing_time:%Y%m%dT%H%M%S}" == record.product.split("_")[2]
        assert record.v1_name.split("_")[-2:] == [str(record.column), str(record.row)]
        assert record.crs.removeprefix("EPSG:") == facts["projection"].split('"')[-2]
        assert record.shares is None
        assert record.nodata == 0


def test_places_and_countries_are_the_published_ones(archive, shared_data):
    """The geometry and country of all 590,326 patches, derived and checked elsewhere."""
    path = shared_data / "bigearthnet" / "metadata" / "patch_geometry.parquet"
    names = archive.index["v1_name"].to_pylist()
    known = {
        row["name"]: row for row in pq.read_table(path, filters=[("name", "in", names)]).to_pylist()
    }
    assert set(known) == set(names)
    for record in archive.records():
        published = known[record.v1_name]
        assert record.tile == published["tile"]
        assert record.crs == f"EPSG:{published['epsg']}"
        assert (record.ulx, record.uly) == (published["ulx"], published["uly"])
        assert record.country == published["country"]


def test_malformed_times_lead_to_one_scene(archive):
    """Two published texts of one product, T93020 and T93021, were both counted up."""
    scene = "S2B_MSIL1C_20170924T093019_N0205_R136_T35VPK"
    found = archive.filter(pc.field("scene") == scene)
    assert sorted(found.index["v1_name"].to_pylist()) == [
        "S2B_MSIL2A_20170924T93020_69_24",
        "S2B_MSIL2A_20170924T93021_41_29",
    ]


def test_a_scene_opens_as_a_full_tile(archive):
    scene = scene_names(archive.root)[0]
    group = zarr.open_group(scene_path(archive.root, scene), mode="r")
    assert group["r10m"].shape == (4, 10_920, 10_920)


def test_two_scenes_two_patches_and_storage(tmp_path):
    source = tmp_path / "layout"
    make_patch(source, NAME, seed=1)
    make_patch(source, "S2A_MSIL2A_20190613T101031_0_90", seed=2)
    make_patch(
        source,
        "S2A_MSIL2A_20190713T101031_26_57",
        seed=3,
        tile_source="S2A_MSIL1C_20190713T101031_N0208_R022_T33UUP_20190713T101608.SAFE",
    )
    told = []
    summary = import_v1(
        source,
        tmp_path / "archive",
        ImportOptions(storage=StorageRecipe(compression="blosc")),
        lambda message, done=0, total=0: told.append((done, total)),
    )
    assert (summary.new_scenes, summary.new_patches, summary.patches) == (2, 3, 3)
    assert told[-1] == (3, 3)
    archive = Archive.open(tmp_path / "archive")
    assert archive.index["patch_id"].to_pylist()[:2] == [f"{SCENE}_26_57", f"{SCENE}_00_90"]
    assert len(list(archive)) == 3


def test_an_import_that_stopped_goes_on(tmp_path):
    source, out = tmp_path / "layout", tmp_path / "archive"
    make_patch(source, NAME)
    later = make_patch(
        source,
        "S2A_MSIL2A_20190713T101031_26_57",
        tile_source="S2A_MSIL1C_20190713T101031_N0208_R022_T33UUP_20190713T101608.SAFE",
    )
    band = later / f"{later.name}_B02.tif"
    whole = band.read_bytes()
    band.write_bytes(whole[: len(whole) // 2].ljust(len(whole), b"\0")[:-9_000])
    with pytest.raises(ArchiveError, match=band.name):
        import_v1(source, out)
    assert scene_names(out) == (SCENE,)
    assert not (out / BUILD).exists()
    assert len(Archive.open(out)) == 1
    band.write_bytes(whole)
    summary = import_v1(source, out)
    assert (summary.held_scenes, summary.new_scenes) == (1, 1)


def test_bad_metadata_stop_an_import_before_anything_is_written(tmp_path):
    source = tmp_path / "layout"
    make_patch(source, NAME)
    json_path(make_patch(source, "S2A_MSIL2A_20190613T101031_27_57")).unlink()
    with pytest.raises(MissingError):
        import_v1(source, tmp_path / "archive")
    assert not (tmp_path / "archive").exists()


def test_a_patch_off_its_tile_s_grid_is_named(tmp_path):
    source = tmp_path / "layout"
    for column in (1, 2):
        make_patch(source, f"S2A_MSIL2A_20190613T101031_{column}_0")
    box = {"ulx": 300_060, "uly": 5_400_000, "lrx": 301_260, "lry": 5_398_800}
    make_patch(source, "S2A_MSIL2A_20190613T101031_0_0", coordinates=box)
    with pytest.raises(GridError, match=r"T101031_0_0: its tile would begin at EPSG:32633 300060"):
        import_v1(source, tmp_path / "archive")


def test_two_patches_at_one_place_are_named(tmp_path):
    source = tmp_path / "layout"
    make_patch(source, NAME)
    make_patch(source, "S2A_MSIL2A_20190613T101032_26_57")
    with pytest.raises(ConflictError, match=f"T101032_26_57: the same place of {SCENE} as {NAME}"):
        import_v1(source, tmp_path / "archive")


@pytest.mark.parametrize("change", ["a patch more", "other labels"])
def test_a_scene_from_other_patches_is_refused(tmp_path, change):
    source, out = tmp_path / "layout", tmp_path / "archive"
    make_patch(source, NAME)
    import_v1(source, out)
    if change == "a patch more":
        make_patch(source, "S2A_MSIL2A_20190613T101031_0_90")
    else:
        shutil.rmtree(source / NAME)
        make_patch(source, NAME, labels=["Pastures"])
    with pytest.raises(ConflictError, match=f"the archive holds {SCENE} already"):
        import_v1(source, out)


def test_only_an_archive_that_was_imported_alike_is_added_to(tmp_path):
    source, out = tmp_path / "layout", tmp_path / "archive"
    make_patch(source, NAME)
    import_v1(source, out)
    with pytest.raises(ConflictError, match="with another compression"):
        import_v1(source, out, ImportOptions(storage=StorageRecipe(compression="zstd")))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(BenError, match="not an archive"):
        import_v1(source, tmp_path / "photos")


def test_nothing_is_imported_into_its_source(tmp_path, monkeypatch):
    source = tmp_path / "layout"
    make_patch(source, NAME)
    monkeypatch.chdir(source)
    for out in (source, source / "sub", Path("sub")):
        with pytest.raises(ConflictError, match="would lie in the folder that is imported"):
            import_v1(source, out)
    assert [path.name for path in source.iterdir()] == [NAME]


def test_a_scene_that_was_removed_is_imported_anew(tmp_path):
    source, other, out = tmp_path / "layout", tmp_path / "other", tmp_path / "archive"
    make_patch(source, NAME)
    import_v1(source, out)
    before = (out / "archive.json").read_bytes()
    shutil.rmtree(scene_path(out, SCENE))
    make_patch(
        other,
        "S2A_MSIL2A_20190713T101031_26_57",
        tile_source="S2A_MSIL1C_20190713T101031_N0208_R022_T33UUP_20190713T101608.SAFE",
    )
    with pytest.raises(ArchiveError, match=rf"{SCENE}\.zarr: the scene is missing"):
        import_v1(other, out)
    assert (out / "archive.json").read_bytes() == before
    assert import_v1(source, out).new_scenes == 1
    assert (out / "archive.json").read_bytes() == before


def test_half_a_download_is_left_out_and_listed(tmp_path):
    """An incomplete last folder, leavings of a download, a cut file: nothing else is lost."""
    source, prefix = tmp_path / "layout", "S2A_MSIL2A_20190613T101031"
    for column in range(5):
        make_patch(source, f"{prefix}_{column}_0", seed=column)
    for path in sorted((source / f"{prefix}_4_0").iterdir())[5:]:
        path.unlink()
    (source / f"{prefix}_5_0.part").mkdir()
    band = source / f"{prefix}_3_0" / f"{prefix}_3_0_B02.tif"
    band.write_bytes(band.read_bytes()[:20_000])
    band = source / f"{prefix}_2_0" / f"{prefix}_2_0_B02.tif"
    band.rename(f"{band}.tmp")
    with pytest.raises(BenError) as caught:
        import_v1(source, tmp_path / "archive")
    assert "\n" not in str(caught.value)
    summary = import_v1(source, tmp_path / "archive", ImportOptions(skip_bad=True))
    assert summary.new_patches == 2
    reasons = {one.patch: one.reason for one in summary.skipped}
    for name, words in {
        f"{prefix}_2_0": "B02.tif.tmp is there",
        f"{prefix}_3_0": "B02.tif: the GeoTIFF is corrupt",
        f"{prefix}_4_0": "the file is missing",
        f"{prefix}_5_0.part": "a download that did not end",
    }.items():
        assert words in reasons.pop(name)
    assert not reasons


@pytest.mark.parametrize("where", ["within", "beside", "elsewhere"])
def test_the_list_of_names_tells_the_product(tmp_path, where):
    source, lists = tmp_path / "unpacked" / "layout", tmp_path / "lists"
    make_patch(source, NAME)
    lists.mkdir()
    folder = {"within": source, "beside": source.parent, "elsewhere": lists}[where]
    product = "S2A_MSIL1C_20190613T101029_N0207_R022_T33UUP"
    line = f"{NAME},{product}_20190613T101608.SAFE,\n"
    (folder / "tile_names_and_links.csv").write_text(line)
    options = ImportOptions(metadata=lists) if where == "elsewhere" else None
    import_v1(source, tmp_path / "archive", options)
    record = Archive.open(tmp_path / "archive").record(0)
    assert record.product == product
    assert f"{record.sensing_time:%H%M%S}" == "101029"
