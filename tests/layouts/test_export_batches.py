from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive.archive import Archive
from benforge.core.split import Split
from benforge.errors import ConflictError, InputError
from benforge.layouts.export_batches import (
    choose_rows,
    exporting,
    make_note,
    plan_parts,
    read_batches,
)
from benforge.testing.archives import make_scene, small_frame, write_archive


@pytest.fixture(scope="module")
def scene():
    return make_scene(small_frame(5, 4), kept=0.8)


@pytest.fixture(scope="module")
def archive(scene, tmp_path_factory):
    return Archive.open(write_archive(tmp_path_factory.mktemp("batches") / "archive", scene))


@given(st.integers(1, 20), st.integers(1, 4))
def test_batches_are_the_patches_in_order(scene, archive, size, threads):
    """Whatever the batch and the threads; against the mosaics they were cut from."""
    places = []
    for batch in read_batches(archive, size, threads):
        assert 0 < len(batch) <= size
        for i, row in enumerate(batch.rows.to_pylist()):
            places.append((row["row"], row["column"]))
            for pixel_size, pixels in batch.pixels.items():
                expected = scene.patch(f"r{pixel_size}m", row["column"], row["row"])
                assert np.array_equal(pixels[i], expected)
            assert np.array_equal(
                batch.land_cover[i], scene.patch("land_cover", row["column"], row["row"])
            )
    assert places == list(map(tuple, np.argwhere(scene.kept).tolist()))


def _split(archive, parts):
    return Split.of("mine", "by-tile", archive.index["patch_id"], pa.array(parts, pa.string()))


def test_parts_are_those_of_the_split_and_the_rest_stays_out(archive):
    told = (["test", None, "train"] * len(archive))[: len(archive)]
    parts = plan_parts(archive, _split(archive, told))
    ids = archive.index["patch_id"].to_pylist()
    assert list(parts) == ["train", "test"]
    for part, chosen in parts.items():
        expected = [name for name, one in zip(ids, told, strict=True) if one == part]
        assert chosen.index["patch_id"].to_pylist() == expected


def test_a_split_of_other_patches_is_refused(archive):
    other = Split.of("other", "by-tile", pa.array(["elsewhere"]), pa.array(["train"]))
    with pytest.raises(InputError, match="the split other names no patch of it"):
        plan_parts(archive, other)
    with pytest.raises(InputError, match="it holds no patch"):
        plan_parts(archive.filter(np.zeros(len(archive), np.bool_)), None)


@given(st.data())
def test_rows_are_chosen_in_the_order_given(archive, data):
    order = data.draw(st.permutations(range(len(archive))))
    chosen = choose_rows(archive, np.array(order, np.int64))
    ids = archive.index["patch_id"].to_pylist()
    assert chosen.index["patch_id"].to_pylist() == [ids[i] for i in order]


def _note(archive, layout="parquet", split=None):
    return make_note(layout, archive, plan_parts(archive, split), split)


def test_only_the_same_export_goes_on(archive, tmp_path):
    out = tmp_path / "out"
    with exporting(archive, out, _note(archive), grows=False):
        pass
    with exporting(archive, out, _note(archive), grows=False):
        pass
    some = archive.filter(np.arange(len(archive)) < 3)
    for other in (_note(archive, "webdataset"), _note(some), _note(archive, split=_all(archive))):
        with (
            pytest.raises(ConflictError, match="another export is there"),
            exporting(archive, out, other, grows=False),
        ):
            pytest.fail("begun")


def _all(archive):
    return _split(archive, ["train"] * len(archive))


def test_an_export_grows_only_where_shared_scenes_are_the_same(archive, tmp_path):
    out = tmp_path / "out"
    some = archive.filter(np.arange(len(archive)) < 3)
    with exporting(archive, out, _note(some), grows=True):
        pass
    with exporting(archive, out, _note(archive), grows=True):
        pass
    note = json.loads((out / "export.json").read_text())
    note["scenes"] = dict.fromkeys(note["scenes"], "0" * 64)
    (out / "export.json").write_text(json.dumps(note))
    with (
        pytest.raises(ConflictError, match="another export is there"),
        exporting(archive, out, _note(archive), grows=True),
    ):
        pytest.fail("begun")


def test_other_things_are_left_alone(archive, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    (tmp_path / "file").touch()
    for out, what in (
        (tmp_path / "mine", "holds other things"),
        (tmp_path / "file", "not a folder"),
        (archive.root, "is an archive"),
        (archive.root / "scenes" / "x", "lies in one"),
    ):
        with (
            pytest.raises(ConflictError, match=what),
            exporting(archive, out, _note(archive), grows=False),
        ):
            pytest.fail("begun")
