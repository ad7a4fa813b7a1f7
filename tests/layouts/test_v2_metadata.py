from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.archive.archive import Archive
from benforge.archive.sidecars import published_flags, write_flags, write_split
from benforge.core.flags import Flags
from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.core.split import Split
from benforge.errors import InputError
from benforge.layouts.v2_metadata import v2_metadata
from benforge.testing.archives import make_scene, write_archive

CLC, BEN_19 = load_nomenclature("clc-43"), load_nomenclature("ben-19")


@pytest.fixture
def small(tmp_path):
    return Archive.open(write_archive(tmp_path / "archive", make_scene()))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return Archive.open(write_archive(tmp_path_factory.mktemp("plain") / "archive", make_scene()))


def test_the_columns_are_the_published_ones(plain, published_metadata):
    published = pq.read_schema(published_metadata / "metadata.parquet")
    ours = v2_metadata(plain, None).schema
    assert ours.names == published.names
    assert ours.types == published.types


def test_what_an_archive_does_not_know_is_null_and_not_marked(plain):
    table = v2_metadata(plain, None)
    assert table["patch_id"].to_pylist() == plain.index["patch_id"].to_pylist()
    for unknown in ("split", "s1_name", "s2v1_name"):
        assert table[unknown].null_count == len(plain)
    assert not any(table["contains_seasonal_snow"].to_pylist())
    assert published_flags(plain.root) is None


def test_flags_split_and_names_come_from_beside_the_index(small):
    ids = small.index["patch_id"]
    marks = {
        "seasonal_snow": np.array([True] + [False] * 5),
        "cloud_or_shadow": np.array([False] * 5 + [True]),
    }
    write_flags(small.root, Flags.of("published", "a test", ids, marks))
    parts = pa.array(["test", "train", "train", None, None, "validation"])
    write_split(small.root, Split.of("published", "published", ids, parts))
    _keep(small.root, "s1_name", "S1A_one", [ids[1].as_py()])
    table = v2_metadata(small, None)
    assert table["contains_seasonal_snow"].to_pylist() == marks["seasonal_snow"].tolist()
    assert table["contains_cloud_or_shadow"].to_pylist() == marks["cloud_or_shadow"].tolist()
    assert table["split"].to_pylist() == parts.to_pylist()
    assert table["s1_name"].to_pylist() == [None, "S1A_one", None, None, None, None]
    other = Split.of("mine", "by-tile", ids, pa.array(["train"] * 6))
    assert v2_metadata(small, other)["split"].to_pylist() == ["train"] * 6
    some = small.filter(np.array([True, False] * 3))
    assert v2_metadata(some, None)["split"].to_pylist() == ["test", "train", None]


def _keep(root, key, value, patches):
    path = next(root.glob("scenes/*/zarr.json"))
    group = json.loads(path.read_text())
    kept = [{"key": key, "value": value, "patches": patches}]
    group["attributes"]["provenance"]["kept"] = kept
    path.write_text(json.dumps(group))


def _labelled(archive, labels, nomenclature):
    place = archive.index.schema.get_field_index("labels")
    index = archive.index.slice(0, len(labels))
    index = index.set_column(place, "labels", pa.array(labels, pa.list_(pa.string())))
    meta = msgspec.structs.replace(archive.meta, nomenclature=nomenclature)
    return replace(archive, index=index, meta=meta)


codes = st.lists(st.lists(st.sampled_from(CLC.codes), unique=True, max_size=8), max_size=6)


@given(codes)
def test_labels_go_over_the_crosswalk(plain, codes):
    """Against the crosswalk, patch by patch."""
    labels = [[CLC.by_code(code).name for code in patch] for patch in codes]
    found = v2_metadata(_labelled(plain, labels, CLC), None)["labels"].to_pylist()
    way = load_crosswalk("ben-19")
    goals = [{way(code) for code in patch} - {None} for patch in codes]
    assert found == [sorted(BEN_19.by_code(code).name for code in patch) for patch in goals]


@given(st.lists(st.lists(st.sampled_from(BEN_19.names), unique=True), max_size=6))
def test_labels_of_ben_19_are_only_sorted(plain, labels):
    found = v2_metadata(_labelled(plain, labels, BEN_19), None)["labels"].to_pylist()
    assert found == [sorted(patch) for patch in labels]


def test_labels_of_your_own_nomenclature_stay(plain):
    mine = replace(BEN_19, name="mine", classes=(replace(BEN_19.classes[0], name="Town"),))
    labels = [["Town"], []]
    assert v2_metadata(_labelled(plain, labels, mine), None)["labels"].to_pylist() == labels


def test_a_strange_label_is_refused(plain):
    with pytest.raises(InputError, match="'Twon'"):
        v2_metadata(_labelled(plain, [["Twon"]], CLC), None)


def test_the_66_real_patches_have_the_published_labels(imported_sample, published_metadata):
    """v2's rule drops and adds few labels, so most label sets of v1 are v2's too."""
    table = v2_metadata(imported_sample, None)
    published = pq.read_table(published_metadata / "metadata.parquet")
    known = dict(
        zip(published["s2v1_name"].to_pylist(), published["labels"].to_pylist(), strict=True)
    )
    ours = dict(zip(table["s2v1_name"].to_pylist(), table["labels"].to_pylist(), strict=True))
    both = ours.keys() & known.keys()
    assert len(both) > 30
    assert sum(ours[name] == known[name] for name in both) > 0.8 * len(both)
