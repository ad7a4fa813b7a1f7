from __future__ import annotations

import pickle
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio

from benforge.archive.archive import Archive
from benforge.archive.index import read_provenance
from benforge.archive.layout import scene_path
from benforge.archive.sidecars import read_flags, read_split
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, ConflictError, InputError, MissingError
from benforge.layouts.port import ImportOptions
from benforge.layouts.registry import LAYOUTS
from benforge.layouts.v2_layout import V2Folders, is_v2
from benforge.layouts.v2_source import V2Source, import_v2
from benforge.published.lists import find_lists
from benforge.testing.layouts import LayoutContract
from tests.layouts.v2_patches import (
    CORNERS,
    OTHER,
    PRODUCT,
    make_layout,
    make_patch,
    metadata_row,
    write_map,
    write_metadata,
    write_tiff,
)

NAME = f"{PRODUCT}_26_57"


class TestV2(LayoutContract):
    @pytest.fixture
    def layout(self):
        return LAYOUTS["v2"]

    @pytest.fixture
    def source(self, tmp_path):
        return make_layout(tmp_path / "layout")


class TestV2WithoutMetadata(LayoutContract):
    """Labels out of the reference maps."""

    @pytest.fixture
    def layout(self):
        return LAYOUTS["v2"]

    @pytest.fixture
    def source(self, tmp_path):
        make_patch(tmp_path / "layout", NAME, codes=[211, 999, 335])
        make_patch(tmp_path / "layout", f"{OTHER}_00_90", codes=[512])
        return tmp_path / "layout"


@pytest.fixture
def one(tmp_path):
    make_patch(tmp_path / "v2", NAME)
    write_metadata(tmp_path / "v2", metadata_row(NAME))
    return tmp_path / "v2"


def _import(source, tmp_path, **options):
    import_v2(source, tmp_path / "archive", ImportOptions(workers=1, **options))
    return Archive.open(tmp_path / "archive")


def _band(root, name, band):
    return root / "BigEarthNet-S2" / name[:-6] / name / f"{name}_{band}.tif"


def _map(root, name):
    return root / "Reference_Maps" / name[:-6] / name / f"{name}_reference_map.tif"


def test_rows_pixels_and_lists_come_along(tmp_path):
    source = make_layout(tmp_path / "v2")
    archive = _import(source, tmp_path)
    tables = [pd.read_parquet(path).to_dict("records") for path in source.glob("meta*.parquet")]
    rows = {row["patch_id"]: row for table in tables for row in table}
    assert sorted(rows) == sorted(archive.index["patch_id"].to_pylist())
    for position, record in enumerate(archive.records()):
        row = rows[record.patch_id]
        assert list(record.labels) == list(row["labels"])
        assert record.country == row["country"]
        assert record.v1_name == (row["s2v1_name"] if pd.notna(row["s2v1_name"]) else None)
        assert record.product == record.source == record.patch_id[:-6]
        assert (list(record.classes), list(record.pixels)) == ([211, 312], [7200, 7200])
        with rasterio.open(_map(source, record.patch_id)) as file:
            assert np.array_equal(archive.land_cover(position), file.read(1))
            assert (record.ulx, record.uly) == (file.transform.c, file.transform.f)
        for band in load_sensor().patch_bands:
            with rasterio.open(_band(source, record.patch_id, band.name)) as file:
                assert np.array_equal(archive[position].band(band.name), file.read(1))
    split, flags = read_split(archive.root, "published"), read_flags(archive.root, "published")
    ids = archive.index["patch_id"]
    assert dict(zip(ids.to_pylist(), split.assign(ids).to_pylist(), strict=True)) == {
        name: row["split"] if pd.notna(row["split"]) else None for name, row in rows.items()
    }
    assert flags.marked(ids, ["seasonal_snow"]).tolist() == [
        rows[name]["contains_seasonal_snow"] for name in ids.to_pylist()
    ]


def test_the_name_of_the_sentinel_1_patch_is_kept(one, tmp_path):
    archive = _import(one, tmp_path)
    (kept,) = read_provenance(scene_path(archive.root, PRODUCT))["kept"]
    assert kept == {
        "key": "s1_name",
        "value": metadata_row(NAME)["s1_name"],
        "patches": [NAME],
    }


def test_the_folder_of_sentinel_2_is_enough_of_a_path(one, tmp_path):
    assert is_v2(one / "BigEarthNet-S2")
    assert len(_import(one / "BigEarthNet-S2", tmp_path)) == 1


@pytest.mark.parametrize(
    "folder",
    [
        "S2A_MSIL2A_20170613T101031_26_57",
        f"{PRODUCT}_20170613T101608.SAFE/GRANULE",
        f"{PRODUCT}/notes",
        "BigEarthNet-S2",
    ],
)
def test_other_folders_are_not_taken_for_v2(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True)
    assert not is_v2(tmp_path)


def test_sentinel_1_is_passed_over(one, tmp_path):
    (one / "BigEarthNet-S1" / "S1A_IW_GRDH_1SDV_20170613T165043").mkdir(parents=True)
    assert len(_import(one, tmp_path)) == 1


def test_metadata_may_lie_elsewhere(one, tmp_path):
    (tmp_path / "lists").mkdir()
    for path in one.glob("*.parquet"):
        path.rename(tmp_path / "lists" / path.name)
    archive = _import(one, tmp_path, metadata=tmp_path / "lists")
    assert archive.record(0).country == "Austria"


def test_a_folder_without_metadata_is_not_named_in_vain(one, tmp_path):
    with pytest.raises(MissingError, match=r"nowhere: there is no such folder"):
        _import(one, tmp_path, metadata=tmp_path / "nowhere")
    (tmp_path / "lists").mkdir()
    with pytest.raises(MissingError, match=r"lists: holds no published list"):
        _import(one, tmp_path, metadata=tmp_path / "lists")
    (tmp_path / "lists" / "train.csv").write_text("S2A_MSIL2A_20170613T101031_0_45\n")
    with pytest.raises(MissingError, match=r"lists: holds no metadata.parquet"):
        _import(one, tmp_path, metadata=tmp_path / "lists")


def test_without_reference_maps_there_is_no_land_cover(one, tmp_path):
    shutil.rmtree(one / "Reference_Maps")
    archive = _import(one, tmp_path)
    record = archive.record(0)
    assert (list(record.classes), record.pixels, archive.land_cover(0)) == ([], None, None)
    assert list(record.labels) == ["Arable land", "Coniferous forest"]


def test_without_metadata_labels_follow_the_maps(tmp_path):
    make_patch(tmp_path / "v2", NAME, codes=[312, 211, 213, 999, 335])
    archive = _import(tmp_path / "v2", tmp_path)
    assert list(archive.record(0).labels) == ["Arable land", "Coniferous forest"]
    assert list(archive.record(0).classes) == [211, 213, 312, 335]


def test_without_maps_and_metadata_the_option_is_named(tmp_path):
    make_patch(tmp_path / "v2", NAME, codes=[])
    with pytest.raises(MissingError, match=r"no labels.*--metadata"):
        _import(tmp_path / "v2", tmp_path)
    assert not (tmp_path / "archive").exists()


def test_a_patch_that_the_metadata_does_not_name(one, tmp_path):
    make_patch(one, f"{PRODUCT}_27_57")
    with pytest.raises(InputError, match=r"does not name the patch .*_27_57.*both"):
        _import(one, tmp_path)
    summary = import_v2(one, tmp_path / "archive", ImportOptions(skip_bad=True))
    assert (summary.new_patches, [s.patch for s in summary.skipped]) == (1, [f"{PRODUCT}_27_57"])


def _cut(root):
    path = _band(root, NAME, "B05")
    path.write_bytes(path.read_bytes()[:-100])


def _rewrite(pixels, uly=5_331_600):
    return lambda root: write_tiff(_band(root, NAME, "B05"), pixels, (32633, 331_200, uly))


def _unknown_classes(root):
    write_map(root, NAME, np.full((120, 120), 777, np.uint16), (32633, 331_200, 5_331_600))


DAMAGES = {
    "a band is missing": lambda root: _band(root, NAME, "B05").unlink(),
    "a band is cut off": _cut,
    "a band is no GeoTIFF": lambda root: _band(root, NAME, "B05").write_bytes(b"nothing"),
    "a band of another place": _rewrite(np.ones((60, 60), np.uint16), uly=5_331_620),
    "a band of floats": _rewrite(np.ones((60, 60), np.float32)),
    "a map is missing": lambda root: _map(root, NAME).unlink(),
    "a map of unknown classes": _unknown_classes,
    "a stranger among products": lambda root: (root / "BigEarthNet-S2" / "notes").mkdir(),
    "a stranger among patches": lambda root: (
        root / "BigEarthNet-S2" / PRODUCT / f"{OTHER}_00_00"
    ).mkdir(),
    "a place outside the tile": lambda root: make_patch(root, f"{PRODUCT}_91_00"),
    "an unknown label": lambda root: write_metadata(root, metadata_row(NAME, labels=["Glaciers"])),
    "metadata is no Parquet": lambda root: (root / "metadata.parquet").write_bytes(b"PAR1 no more"),
}


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("a band is missing", MissingError, "_B05.tif: the file is missing"),
        ("a band is cut off", ArchiveError, "_B05.tif: the GeoTIFF is corrupt"),
        ("a band is no GeoTIFF", ArchiveError, "_B05.tif: the GeoTIFF is corrupt"),
        ("a band of another place", ArchiveError, "_B05.tif: lies at EPSG:32633 331200 5331620"),
        ("a band of floats", ArchiveError, "_B05.tif: 1 band.s. of float32"),
        ("a map is missing", MissingError, "_reference_map.tif: the reference map is missing"),
        ("a map of unknown classes", ArchiveError, "holds 777, which is no CLC class"),
        ("a stranger among products", InputError, "notes: not named like a product"),
        ("a stranger among patches", InputError, "_00_00: not named like a patch of its product"),
        ("a place outside the tile", InputError, "_91_00: a tile has 91 x 91 patches"),
        ("an unknown label", InputError, "no class is called 'Glaciers'"),
        ("metadata is no Parquet", InputError, "metadata.*cannot be read"),
    ],
)
def test_what_is_wrong_is_said(one, tmp_path, kind, error, words):
    DAMAGES[kind](one)
    with pytest.raises(error, match=words):
        _import(one, tmp_path)
    assert not list((tmp_path / "archive").glob("scenes/*"))


def test_a_tile_that_is_not_bigearthnets_is_found_in_the_files(tmp_path):
    name = f"{PRODUCT[:-5]}31TDH_03_04"
    make_patch(tmp_path / "v2", name, codes=[211])
    archive = _import(tmp_path / "v2", tmp_path)
    _, ulx, uly = CORNERS["33UUP"]
    assert (archive.record(0).ulx, archive.record(0).uly) == (ulx + 3600, uly - 4800)


def test_an_archive_is_not_made_among_the_patches(one):
    with pytest.raises(ConflictError, match="would lie in the folder"):
        import_v2(one, one / "BigEarthNet-S2" / "archive")


def test_a_source_is_cheap_to_send(published_metadata, tmp_path):
    """Half a million rows are read anew by each process, not sent to it."""
    make_patch(tmp_path / "v2", NAME)
    source = V2Source(V2Folders.find(tmp_path / "v2"), find_lists(published_metadata))
    assert "S1B_IW" in source.describe(NAME).kept["s1_name"]
    assert len(pickle.dumps(source)) < 4096


@pytest.fixture(scope="module")
def real(shared_data, tmp_path_factory):
    """The real v2 patch without a map, and the real map with its patch's v1 pixels."""
    root = tmp_path_factory.mktemp("real")
    sample = shared_data / "bigearthnet" / "v2-sample"
    shutil.copytree(sample / "BigEarthNet-S2", root / "plain" / "BigEarthNet-S2")
    shutil.copytree(sample / "Reference_Maps", root / "mapped" / "Reference_Maps")
    v1 = shared_data / "bigearthnet" / "v1-sample" / "S2A_MSIL2A_20170613T101031_26_57"
    folder = root / "mapped" / "BigEarthNet-S2" / PRODUCT / NAME
    folder.mkdir(parents=True)
    for path in v1.glob("*.tif"):
        shutil.copy(path, folder / f"{NAME}_{path.name.rpartition('_')[2]}")
    return root


@pytest.mark.parametrize(("kind", "place"), [("plain", "75_43"), ("mapped", "26_57")])
def test_real_patches_come_with_published_labels(real, published_metadata, tmp_path, kind, place):
    own = [("patch_id", "==", f"{PRODUCT}_{place}")]
    table = pq.read_table(published_metadata / "metadata.parquet", filters=own)
    (tmp_path / "lists").mkdir()
    pq.write_table(table, tmp_path / "lists" / "metadata.parquet")
    archive = _import(real / kind, tmp_path, metadata=tmp_path / "lists")
    record, patch, told = archive.record(0), archive[0], table.to_pylist()[0]
    assert list(record.labels) == told["labels"]
    assert (record.country, record.v1_name) == (told["country"], told["s2v1_name"])
    part = read_split(archive.root, "published").assign(archive.index["patch_id"])
    assert part.to_pylist() == [told["split"]]
    for band in load_sensor().patch_bands:
        with rasterio.open(_band(real / kind, record.patch_id, band.name)) as file:
            assert np.array_equal(patch.band(band.name), file.read(1))
            assert tuple(file.transform)[2:6:3] == (record.ulx, record.uly)


def test_the_real_map_gives_the_published_labels(real, published_metadata, tmp_path):
    """By v2's rule, without looking into the metadata."""
    record = _import(real / "mapped", tmp_path).record(0)
    file = published_metadata / "metadata.parquet"
    told = pd.read_parquet(file, filters=[("patch_id", "==", NAME)])
    assert list(record.labels) == list(told["labels"][0])
    assert dict(zip(record.classes, record.pixels, strict=True)) == {
        211: 7075,
        231: 1154,
        311: 4131,
        313: 2040,
    }
