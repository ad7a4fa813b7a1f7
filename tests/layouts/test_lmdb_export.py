from __future__ import annotations

import resource
import shutil
from dataclasses import replace
from types import SimpleNamespace

import lmdb
import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save

from benforge.archive.archive import Archive
from benforge.archive.index import read_rows
from benforge.archive.sidecars import write_flags
from benforge.core.flags import Flags
from benforge.core.nomenclature import load_nomenclature
from benforge.core.sensor import load_sensor
from benforge.core.split import Split
from benforge.errors import ConflictError, StorageError
from benforge.layouts import lmdb_export
from benforge.layouts.lmdb_export import export_lmdb
from benforge.layouts.lmdb_source import import_lmdb
from benforge.layouts.port import ExportOptions
from benforge.layouts.safetensors_encode import SafetensorsEncoder
from benforge.testing.archives import make_scene, small_frame, write_archive

BANDS = load_sensor().patch_bands


@pytest.fixture
def small(tmp_path):
    return Archive.open(write_archive(tmp_path / "archive", make_scene()))


def _read(out):
    """All that the environment holds, by its two libraries alone, as ConfigILM opens it."""
    opened = lmdb.open(str(out), readonly=True, lock=False)
    with opened as environment, environment.begin() as transaction:
        return {key.decode(): load(value) for key, value in transaction.cursor()}


def _check_equal(archive, held):
    ids = archive.index["patch_id"].to_pylist()
    assert set(held) == {*ids, *(f"{one}_reference_map" for one in ids)}
    for position, name in enumerate(ids):
        patch = archive[position]
        assert set(held[name]) == {band.name for band in BANDS}
        for band in BANDS:
            assert np.array_equal(held[name][band.name], patch.band(band.name))
            assert held[name][band.name].dtype == np.uint16
        cover = held[f"{name}_reference_map"]
        assert list(cover) == ["Data"]
        assert np.array_equal(cover["Data"], archive.land_cover(position))


def test_patches_are_read_by_lmdb_and_safetensors_alone(small, tmp_path):
    summary = export_lmdb(small, tmp_path / "out")
    _check_equal(small, _read(tmp_path / "out"))
    assert (summary.new_patches, summary.held_patches) == (6, 0)


def test_the_66_real_patches_come_back_equal(imported_sample, tmp_path):
    """As rico-hdl stores them: 160,832 bytes each, header included."""
    export_lmdb(imported_sample, tmp_path / "out")
    held = _read(tmp_path / "out")
    assert len(held) == 66
    for position, name in enumerate(imported_sample.index["patch_id"].to_pylist()):
        patch = imported_sample[position]
        assert all(np.array_equal(held[name][b.name], patch.band(b.name)) for b in BANDS)
        assert len(save(held[name])) == 160_832
    table = pd.read_parquet(tmp_path / "out" / "metadata.parquet")
    assert sorted(table["patch_id"]) == sorted(held)
    assert table["s2v1_name"].notna().all()


shapes = st.dictionaries(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=4),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    min_size=1,
    max_size=13,
)


@given(shapes, st.integers(1, 4), st.integers(0, 2**16))
def test_many_are_encoded_as_the_library_encodes_each(shapes, count, seed):
    random = np.random.default_rng(seed)
    tensors = {n: random.integers(0, 2**16, (count, *s), np.uint16) for n, s in shapes.items()}
    encoder = SafetensorsEncoder(shapes)
    rows = encoder(tensors, np.empty((count + 1, encoder.size), np.uint8))
    assert len(rows) == count
    for place, row in enumerate(rows):
        assert row.tobytes() == save({name: array[place] for name, array in tensors.items()})


def test_metadata_stand_in_the_published_two_files(small, tmp_path):
    """pandas, as ConfigILM reads them; both are there even where one is empty."""
    ids = small.index["patch_id"]
    snow = np.array([True] + [False] * 5)
    write_flags(
        small.root,
        Flags.of(
            "published", "a test", ids, {"seasonal_snow": snow, "cloud_or_shadow": ~snow & False}
        ),
    )
    split = Split.of("mine", "by-tile", ids, pa.array(["train"] * 3 + ["test"] * 2 + [None]))
    out = tmp_path / "out"
    export_lmdb(small, out, ExportOptions(split=split))
    plain = pd.read_parquet(out / "metadata.parquet")
    flagged = pd.read_parquet(out / "metadata_for_patches_with_snow_cloud_or_shadow.parquet")
    told = dict(zip(plain["patch_id"], plain["split"], strict=True))
    assert told == dict(zip(ids.to_pylist()[1:5], ["train", "train", "test", "test"], strict=True))
    assert list(told) == sorted(told)
    assert flagged["patch_id"].tolist() == ids.to_pylist()[:1]
    assert len(plain[~plain["contains_cloud_or_shadow"]]) == 4
    assert read_rows(out / "patches.parquet")["patch_id"].to_pylist() == ids.to_pylist()[:5]
    assert len(_read(out)) == 2 * 5


def test_what_is_there_is_left_and_the_rest_goes_on(small, tmp_path):
    out = tmp_path / "out"
    export_lmdb(small.filter(np.arange(6) < 2), out)
    second = export_lmdb(small, out)
    assert (second.new_patches, second.held_patches) == (4, 2)
    _check_equal(small, _read(out))
    third = export_lmdb(small, out)
    assert (third.new_patches, third.held_patches) == (0, 6)


def test_a_database_that_is_full_grows(small, tmp_path, monkeypatch):
    monkeypatch.setattr(lmdb_export, "_ROOM", 4 * 4096)
    export_lmdb(small, tmp_path / "out")
    _check_equal(small, _read(tmp_path / "out"))


@pytest.mark.parametrize(
    ("free", "what"),
    [(1 << 40, "cannot be written, input.output error"), (4096, "the disk is full")],
)
def test_a_disk_that_takes_no_more_is_one_line(small, tmp_path, monkeypatch, free, what):
    """The limit of a file's size stands for the disk: every write above it fails."""
    out = tmp_path / "out"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, hard))
    try:
        with pytest.raises(StorageError, match=what):
            export_lmdb(small, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert export_lmdb(small, out).new_patches == 6
    _check_equal(small, _read(out))


def test_patches_of_another_origin_are_not_mixed_in(small, tmp_path):
    out = tmp_path / "out"
    export_lmdb(small, out)
    with lmdb.open(str(out)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48", b"radar")
    assert export_lmdb(small, out).held_patches == 6
    with pytest.raises(ConflictError, match="holds another patch"):
        export_lmdb(small.filter(np.arange(6) < 2), out)


def test_a_damaged_database_is_one_line(small, tmp_path):
    out = tmp_path / "out"
    export_lmdb(small, out)
    (out / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match="Remove the folder and export again"):
        export_lmdb(small, out)
    shutil.rmtree(out)
    assert export_lmdb(small, out).new_patches == 6


def test_labels_without_a_way_to_ben_19_are_said(small, tmp_path):
    level_1 = load_nomenclature("clc-level-1")
    meta = msgspec.structs.replace(small.meta, nomenclature=level_1)
    place = small.index.schema.get_field_index("labels")
    labels = pa.array([[level_1.names[0]]] * 6, pa.list_(pa.string()))
    index = small.index.set_column(place, "labels", labels)
    summary = export_lmdb(replace(small, meta=meta, index=index), tmp_path / "out")
    assert any("clc-level-1" in note for note in summary.notes)
    assert any("no flags called published" in note for note in summary.notes)


def test_import_then_is_the_same_archive(imported_sample, tmp_path):
    """Names, places, dates and pixels; the LMDB's labels are those of ben-19."""
    export_lmdb(imported_sample, tmp_path / "out")
    import_lmdb(tmp_path / "out", tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    _check_same(imported_sample, again)
    assert again.meta.nomenclature.name == "ben-19"


def test_import_of_a_tile_of_ones_own_finds_its_place(tmp_path):
    """Simulated stays simulated, and the corner comes from the rows beside the database."""
    frame = small_frame(2, 1, patch_pixels=120)
    product = "S2A_MSIL2A_20170613T101031_N0205_R022_T01ABC"
    scene = make_scene(frame, product=product)
    scene.mosaics["land_cover"][:] = 312
    first = Archive.open(write_archive(tmp_path / "archive", scene))
    export_lmdb(first, tmp_path / "out")
    import_lmdb(tmp_path / "out", tmp_path / "again")
    again = Archive.open(tmp_path / "again")
    _check_same(first, again)
    assert again.meta.simulated
    assert np.array_equal(again.land_cover(0), first.land_cover(0))


def _check_same(first, again):
    kept = ["patch_id", "crs", "ulx", "uly", "sensing_time", "season", "v1_name"]
    assert again.index.select(kept).equals(first.index.select(kept))
    for place in first.places():
        one, other = first.pixels.read(*place), again.pixels.read(*place)
        assert all(np.array_equal(one[size], other[size]) for size in one)
