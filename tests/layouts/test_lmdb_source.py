from __future__ import annotations

import pickle
import shutil

import lmdb
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.sensor import load_sensor
from benforge.errors import ArchiveError, BenError, InputError, MissingError
from benforge.layouts.lmdb_read import is_lmdb, open_lmdb, parse_tensors, read_tensor
from benforge.layouts.lmdb_source import LmdbSource, import_lmdb
from benforge.layouts.port import ExportOptions, ImportOptions
from benforge.layouts.registry import LAYOUTS
from benforge.layouts.v2_source import import_v2
from benforge.published.lists import find_lists
from benforge.testing.layouts import LayoutContract
from tests.layouts.v1_patches import PIXELS
from tests.layouts.v2_patches import OTHER, PRODUCT, make_layout, metadata_row, write_metadata

NAME = f"{PRODUCT}_26_57"
V1_NAME = "S2A_MSIL2A_20170613T101031_26_57"


def _tensors(seed=0):
    rng = np.random.default_rng(seed)
    return {b: rng.integers(1, 10_000, (n, n), np.uint16) for b, n in PIXELS.items()}


def _cover(*codes):
    return {"Data": np.resize(np.array(codes, np.uint16), (120, 120))}


def _write(folder, **values):
    """Write values, bytes or tensors, as rico-hdl does."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = lmdb.open(str(folder), map_size=1 << 26)
    with environment.begin(write=True) as transaction:
        for key, value in values.items():
            data = value if isinstance(value, bytes) else safetensors.numpy.save(value)
            transaction.put(key.encode(), data)
    environment.close()
    return folder


@pytest.fixture
def small(tmp_path):
    """Two patches with maps, a Sentinel-1 patch between, and their metadata."""
    other = f"{OTHER}_75_43"
    radar = {"VV": np.ones((120, 120), np.float32), "VH": np.ones((120, 120), np.float32)}
    folder = _write(
        tmp_path / "lmdb",
        **{
            NAME: _tensors(1),
            other: _tensors(2),
            f"{NAME}_reference_map": _cover(211, 312),
            f"{other}_reference_map": _cover(512, 999),
            "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48": radar,
        },
    )
    write_metadata(
        folder,
        metadata_row(NAME, s2v1_name=V1_NAME),
        metadata_row(other, split="train", contains_seasonal_snow=True, country="Finland"),
    )
    return folder


class TestLmdb(LayoutContract):
    @pytest.fixture
    def layout(self):
        return LAYOUTS["lmdb"]

    @pytest.fixture
    def source(self, small):
        return small


def _import(source, tmp_path, **options):
    import_lmdb(source, tmp_path / "archive", ImportOptions(workers=1, **options))
    return Archive.open(tmp_path / "archive")


def test_pixels_maps_and_metadata_come_together(small, tmp_path):
    archive = _import(small, tmp_path)
    record, patch = archive.record(0), archive[0]
    assert record.patch_id == NAME
    for band, pixels in _tensors(1).items():
        assert np.array_equal(patch.band(band), pixels)
    assert np.array_equal(archive.land_cover(0), _cover(211, 312)["Data"])
    assert list(record.labels) == ["Arable land", "Coniferous forest"]
    assert (record.crs, record.ulx, record.uly) == ("EPSG:32633", 331_200, 5_331_600)
    assert record.v1_name == V1_NAME
    parts = read_split(archive.root, "published").assign(archive.index["patch_id"])
    assert parts.to_pylist() == ["test", "train"]


def test_what_the_folders_give_the_lmdb_of_them_gives_too(tmp_path):
    """V2 folders to an archive; exported as LMDB; imported again: equal rows."""
    import_v2(make_layout(tmp_path / "v2"), tmp_path / "first")
    archive = Archive.open(tmp_path / "first")
    LAYOUTS["lmdb"].exporter(archive, tmp_path / "lmdb", ExportOptions(), lambda *_: None)
    again = _import(tmp_path / "lmdb", tmp_path)
    assert again.index.equals(archive.index)
    for position in range(len(archive)):
        assert np.array_equal(again.land_cover(position), archive.land_cover(position))


def test_v1_names_are_looked_up_in_the_metadata(tmp_path):
    folder = _write(tmp_path / "lmdb", **{V1_NAME: _tensors()})
    write_metadata(folder, metadata_row(NAME, s2v1_name=V1_NAME))
    record = _import(folder, tmp_path).record(0)
    assert (record.patch_id, record.v1_name) == (NAME, V1_NAME)
    assert list(record.labels) == ["Arable land", "Coniferous forest"]


def test_the_published_list_tells_the_product_of_a_v1_name(tmp_path):
    folder = _write(tmp_path / "lmdb", **{V1_NAME: _tensors()})
    write_metadata(folder, metadata_row(NAME, s2v1_name=V1_NAME))
    source = "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608"
    line = f"{V1_NAME},{source}.SAFE,https://example.org\n"
    (folder / "tile_names_and_links.csv").write_text(line)
    record = _import(folder, tmp_path).record(0)
    assert record.patch_id == "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_26_57"


def test_without_metadata_labels_follow_the_maps(small, tmp_path):
    for path in small.glob("*.parquet"):
        path.unlink()
    labels = _import(small, tmp_path).index["labels"].to_pylist()
    assert labels == [["Arable land", "Coniferous forest"], ["Inland waters"]]


def test_an_lmdb_may_be_one_file(tmp_path, small):
    shutil.copy(small / "data.mdb", tmp_path / "ben.lmdb")
    for path in small.glob("*.parquet"):
        shutil.copy(path, tmp_path / path.name)
    assert is_lmdb(tmp_path / "ben.lmdb")
    assert len(_import(tmp_path / "ben.lmdb", tmp_path)) == 2


def test_the_lmdb_is_left_as_it_was_and_free(small, tmp_path):
    before = {path.name: path.read_bytes() for path in small.iterdir()}
    _import(small, tmp_path)
    assert {path.name: path.read_bytes() for path in small.iterdir()} == before
    lmdb.open(str(small)).close()


@pytest.mark.slow
def test_processes_read_it_too(small, tmp_path):
    import_lmdb(small, tmp_path / "archive", ImportOptions(workers=2))
    assert len(Archive.open(tmp_path / "archive")) == 2


def _without(band):
    return {name: pixels for name, pixels in _tensors().items() if name != band}


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (_without("B05"), ArchiveError, "_26_57: the value has no B05"),
        (
            _tensors() | {"B01": np.ones((30, 30), np.uint16)},
            ArchiveError,
            "_26_57: B01 is U16 of 30 x 30",
        ),
        (
            _tensors() | {"B02": np.ones((120, 120), np.float32)},
            ArchiveError,
            "_26_57: B02 is F32 of 120 x 120",
        ),
        (safetensors.numpy.save(_tensors())[:-2], ArchiveError, "_26_57: the value is no safe"),
        (b"", ArchiveError, "_26_57: the value is no safetensors"),
        (b"\xff" * 100, ArchiveError, "header is longer than the value"),
        (pickle.dumps({"B01": 1}), InputError, "is a pickle, which may run any code"),
        (pickle.dumps(_tensors(), protocol=2), InputError, "is a pickle, which may run any"),
    ],
)
def test_a_bad_value_names_its_key(tmp_path, value, error, words):
    folder = _write(tmp_path / "lmdb", **{NAME: value})
    write_metadata(folder, metadata_row(NAME))
    with pytest.raises(error, match=words):
        _import(folder, tmp_path)


def test_bad_values_may_be_left_out(small, tmp_path):
    _write(small, **{f"{PRODUCT}_27_57": b"nothing here", f"{PRODUCT}_28_57": _tensors()})
    summary = import_lmdb(small, tmp_path / "archive", ImportOptions(skip_bad=True))
    assert summary.new_patches == 2
    assert [one.patch for one in summary.skipped] == [f"{PRODUCT}_27_57", f"{PRODUCT}_28_57"]


def test_a_missing_map_is_said(small, tmp_path):
    environment = lmdb.open(str(small), map_size=1 << 26)
    with environment, environment.begin(write=True) as transaction:
        transaction.delete(f"{NAME}_reference_map".encode())
    with pytest.raises(MissingError, match=r"_26_57_reference_map: the reference map is missing"):
        _import(small, tmp_path)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["AnnualCrop_1"], "'AnnualCrop_1' is not the name of a BigEarthNet patch"),
        (["S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48"], "holds no Sentinel-2 patch"),
        ([], "holds no Sentinel-2 patch"),
    ],
)
def test_an_lmdb_of_something_else_is_refused(tmp_path, keys, words):
    folder = _write(tmp_path / "lmdb", **{key: _tensors() for key in keys})
    write_metadata(folder, metadata_row(NAME))
    with pytest.raises(InputError, match=words):
        _import(folder, tmp_path)


def test_labels_from_nowhere_name_the_option(tmp_path):
    folder = _write(tmp_path / "lmdb", **{NAME: _tensors()})
    with pytest.raises(MissingError, match=r"there are no labels.*--metadata"):
        _import(folder, tmp_path)
    write_metadata(folder, metadata_row(f"{PRODUCT}_00_00"))
    with pytest.raises(InputError, match=r"metadata.parquet does not name the patch"):
        _import(folder, tmp_path)


def test_an_unknown_tile_cannot_be_placed(tmp_path):
    name = f"{PRODUCT[:-5]}31TDH_03_04"
    folder = _write(tmp_path / "lmdb", **{name: _tensors()})
    write_metadata(folder, metadata_row(name))
    with pytest.raises(InputError, match=r"where the tile 31TDH begins is not known"):
        _import(folder, tmp_path)


def test_what_is_no_lmdb_is_told_from_its_first_bytes(small, tmp_path):
    assert is_lmdb(small)
    assert not is_lmdb(tmp_path)
    (tmp_path / "data.mdb").write_bytes(b"\0" * 4096)
    assert not is_lmdb(tmp_path)
    assert not is_lmdb(tmp_path / "nowhere")


def test_an_lmdb_that_is_cut_off_is_refused_before_it_is_mapped(small, tmp_path):
    data = (small / "data.mdb").read_bytes()
    (small / "data.mdb").write_bytes(data[: len(data) // 2 // 4096 * 4096])
    with pytest.raises(ArchiveError, match="the LMDB is cut off"):
        _import(small, tmp_path)
    with pytest.raises(MissingError, match="there is no LMDB"):
        open_lmdb(tmp_path / "nowhere")


def test_a_source_is_cheap_to_send(small):
    source = LmdbSource(small, find_lists(small), maps=True)
    source.describe(NAME)
    assert len(pickle.dumps(source)) < 4096


def test_the_format_is_rico_hdls(shared_data, tmp_path):
    """Values encoded by rico-hdl's rule from the real v2 patch: each band as rasterio reads it."""
    rasterio = pytest.importorskip("rasterio")
    name = f"{PRODUCT}_75_43"
    folder = shared_data / "bigearthnet" / "v2-sample" / "BigEarthNet-S2" / PRODUCT / name
    tensors = {}
    for band in load_sensor().patch_bands:
        with rasterio.open(folder / f"{name}_{band.name}.tif") as file:
            tensors[band.name] = file.read(1)
    source = _write(tmp_path / "lmdb", **{name: tensors})
    write_metadata(source, metadata_row(name))
    patch = _import(source, tmp_path)[0]
    assert all(np.array_equal(patch.band(band), tensors[band]) for band in tensors)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
arrays = hnp.arrays(
    st.sampled_from([np.uint16, np.float32, np.uint8]),
    st.integers(0, 5).map(lambda edge: (edge, edge)),
)


@given(st.dictionaries(names.filter(lambda name: name != "__metadata__"), arrays, max_size=5))
def test_tensors_are_those_that_the_library_reads(tensors):
    value = safetensors.numpy.save(tensors)
    plan, start = parse_tensors(memoryview(value), "key")
    assert set(plan) == set(tensors)
    for name, array in tensors.items():
        if array.dtype == np.uint16:
            read = read_tensor(memoryview(value), plan, start, name, len(array), "key")
            assert np.array_equal(read, array)


@given(st.data())
def test_no_damage_is_read_that_the_library_refuses(data):
    """Bytes changed, cut off or added: our own error, or the very tensors of the library."""
    value = bytearray(safetensors.numpy.save({"B01": np.arange(9, dtype=np.uint16).reshape(3, 3)}))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(value[: data.draw(st.integers(0, len(value)))])
    damaged += data.draw(st.binary(max_size=3))
    try:
        plan, start = parse_tensors(memoryview(damaged), "key")
        ours = read_tensor(memoryview(damaged), plan, start, "B01", 3, "key")
    except BenError:
        return
    assert np.array_equal(ours, safetensors.numpy.load(damaged)["B01"])
