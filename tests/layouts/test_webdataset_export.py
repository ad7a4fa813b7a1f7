from __future__ import annotations

import io
import json
import tarfile
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive import executors
from benforge.archive.archive import Archive
from benforge.core.split import Split
from benforge.errors import ConflictError
from benforge.layouts.port import ExportOptions
from benforge.layouts.webdataset_export import export_webdataset, tar_header
from benforge.testing.archives import make_scene, small_frame, write_archive

ONE = ExportOptions(workers=1)


@pytest.fixture
def small(tmp_path):
    return Archive.open(write_archive(tmp_path / "archive", make_scene(small_frame(4, 3))))


def _samples(path):
    """The samples of a shard by tarfile: key to what follows its first dot to content."""
    samples = defaultdict(dict)
    with tarfile.open(path) as tar:
        for member in tar:
            key, _, kind = member.name.partition(".")
            samples[key][kind] = tar.extractfile(member).read()
    return samples


def _check_equal(archive, samples):
    for position, name in enumerate(archive.index["patch_id"].to_pylist()):
        patch, sample = archive[position], samples[name]
        for size, pixels in patch.arrays.items():
            stored = np.load(io.BytesIO(sample[f"r{size}m.npy"]))
            assert stored.dtype == np.uint16
            assert np.array_equal(stored, pixels)
        assert np.array_equal(
            np.load(io.BytesIO(sample["land_cover.npy"])), archive.land_cover(position)
        )


def test_every_patch_is_one_sample(small, tmp_path):
    out = tmp_path / "out"
    summary = export_webdataset(small, out, ONE, shard_patches=5)
    shards = sorted(path.name for path in out.glob("*.tar"))
    assert shards == ["patches-000000.tar", "patches-000001.tar", "patches-000002.tar"]
    read = [_samples(out / shard) for shard in shards]
    assert [len(samples) for samples in read] == [5, 5, 2]
    merged = {key: sample for samples in read for key, sample in samples.items()}
    assert len(merged) == len(small) == summary.new_patches
    _check_equal(small, merged)
    index = json.loads((out / "index.json").read_text())
    assert index["shards"] == dict(zip(shards, [5, 5, 2], strict=True))
    assert index["parts"] == {"patches": 12}
    assert index["bands"]["10"] == ["B02", "B03", "B04", "B08"]


def test_the_json_of_a_sample_says_what_the_index_says(small, tmp_path):
    out = tmp_path / "out"
    export_webdataset(small, out, ONE)
    samples = _samples(out / "patches-000000.tar")
    classes = json.loads((out / "index.json").read_text())["classes"]
    for record in small.records():
        facts = json.loads(samples[record.patch_id]["json"])
        assert facts["labels"] == record.labels
        assert [classes[place] for place in facts["label_ids"]] == record.labels
        assert facts["date"] == "2017-06-13T10:10:31Z"
        assert (facts["ulx"], facts["uly"]) == (record.ulx, record.uly)
        assert facts["geometry"]["type"] == "Polygon"
        assert facts["simulated"] is True


def test_a_real_patch_keeps_its_pixels(imported_sample, tmp_path):
    out = tmp_path / "out"
    export_webdataset(imported_sample, out, ONE, shard_patches=40)
    read = {k: s for path in out.glob("*.tar") for k, s in _samples(path).items()}
    assert len(read) == 66
    for position, name in enumerate(imported_sample.index["patch_id"].to_pylist()):
        for size, pixels in imported_sample[position].arrays.items():
            assert np.array_equal(np.load(io.BytesIO(read[name][f"r{size}m.npy"])), pixels)
        assert "land_cover.npy" not in read[name]
        assert "simulated" not in json.loads(read[name]["json"])


def test_a_split_names_the_shards(small, tmp_path):
    ids = small.index["patch_id"].to_pylist()
    told = pa.array(["train"] * 6 + ["validation"] * 3 + ["test", None, None])
    split = Split.of("mine", "by-tile", pa.array(ids), told)
    out = tmp_path / "out"
    export_webdataset(small, out, ExportOptions(split=split, workers=1), shard_patches=4)
    found = {path.name: set(_samples(path)) for path in out.glob("*.tar")}
    assert found["train-000000.tar"] | found["train-000001.tar"] == set(ids[:6])
    assert found["validation-000000.tar"] == set(ids[6:9])
    assert found["test-000000.tar"] == {ids[9]}
    assert len(found) == 4


def test_neighbours_do_not_stand_together(small, tmp_path):
    export_webdataset(small, tmp_path / "out", ONE)
    order = list(_samples(tmp_path / "out" / "patches-000000.tar"))
    assert order != sorted(order)
    assert order != small.index["patch_id"].to_pylist()


def test_the_bytes_are_the_same_with_more_workers_and_after_a_cut(small, tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "SMALL", 0)
    first, second = tmp_path / "first", tmp_path / "second"
    export_webdataset(small, first, ONE, shard_patches=5)
    export_webdataset(small, second, ExportOptions(workers=2), shard_patches=5)
    (second / "patches-000001.tar").unlink()
    (second / ".patches-000001.tar.draft").write_bytes(b"half")
    again = export_webdataset(small, second, ONE, shard_patches=5)
    assert (again.new_patches, again.held_patches) == (5, 7)
    files = {path.name: path.read_bytes() for path in first.iterdir()}
    assert files == {path.name: path.read_bytes() for path in second.iterdir()}


def test_another_export_is_not_mixed_in(small, tmp_path):
    export_webdataset(small, tmp_path / "out", ONE)
    with pytest.raises(ConflictError, match="another export is there"):
        export_webdataset(small.filter(np.arange(12) < 3), tmp_path / "out", ONE)


@given(
    st.text(st.characters(codec="ascii", exclude_characters="/\0"), min_size=1, max_size=120),
    st.integers(0, 2**34),
)
def test_a_header_is_what_tarfile_writes(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    assert tar_header(name, size) == info.tobuf()
