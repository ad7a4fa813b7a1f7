from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benforge.archive.archive import Archive
from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.nomenclature import load_crosswalk, load_nomenclature
from benforge.errors import ArchiveError
from benforge.statistics.classes import (
    classes_hot,
    count_classes,
    count_published,
    count_together,
    hot_through,
    labels_hot,
    level_3_hot,
    way_to,
)
from benforge.statistics.described import Described

CLC_43 = load_nomenclature("clc-43")
TARGETS = ["clc-44", "clc-43", "ben-19", "clc-level-2", "clc-level-1"]


def hot_of(labels: list[list[str] | None]) -> np.ndarray:
    return labels_hot(pa.table({"labels": pa.array(labels, pa.list_(pa.string()))}), CLC_43)


@given(st.lists(st.none() | st.lists(st.sampled_from(CLC_43.names), unique=True), max_size=9))
def test_labels_become_ones_in_the_order_of_the_nomenclature(labels):
    found = [{CLC_43.names[i] for i in np.flatnonzero(row)} for row in hot_of(labels)]
    assert found == [set(names or ()) for names in labels]


def test_a_slice_and_chunks_do_not_shift_labels():
    column = pa.chunked_array([[["Airports"], None], [["Pastures", "Airports"], []]])
    rows = pa.table({"labels": column}).slice(1)
    hot = labels_hot(rows, CLC_43)
    assert hot.sum(axis=1).tolist() == [0, 2, 0]


def test_other_spellings_are_the_same_class():
    other = next(of for of in CLC_43.classes if of.aliases)
    assert (hot_of([[other.aliases[0]]]) == hot_of([[other.name]])).all()


def test_an_unknown_label_is_named():
    with pytest.raises(ArchiveError, match=r"'Moon dust' is no class of clc-43.*ben check"):
        hot_of([["Moon dust"]])


@pytest.mark.parametrize("target", TARGETS)
@given(hot=hnp.arrays(np.bool_, st.tuples(st.integers(1, 5), st.just(44))))
def test_a_class_occurs_if_one_of_its_members_does(target, hot):
    crosswalk = way_to(target)
    for patch, row in zip(hot, hot_through(hot, crosswalk), strict=True):
        codes = {crosswalk(crosswalk.source.codes[i]) for i in np.flatnonzero(patch)}
        assert {crosswalk.target.codes[i] for i in np.flatnonzero(row)} == codes - {None}


def test_counts_are_those_of_pandas(sample: Described):
    frame = sample.rows.select(["patch_id", "labels"]).to_pandas().explode("labels")
    expected = frame.labels.value_counts().to_dict()
    table = count_classes(labels_hot(sample.rows, CLC_43), CLC_43, 66).to_pandas()
    assert {n: c for n, c in zip(table["class"], table.patches, strict=True) if c} == expected
    assert table.patches.is_monotonic_decreasing
    assert (table.share == table.patches / 66).all()


def test_the_published_counts_stand_beside(sample: Described):
    known = load_bigearthnet().class_counts
    table = count_classes(labels_hot(sample.rows, CLC_43), CLC_43, 66, known).to_pandas()
    beside = dict(zip(table["class"], table.published_in_2019, strict=True))
    assert beside == known


def test_table_2_as_published_is_the_papers(published_metadata: Path):
    listed = pd.read_csv(published_metadata / "table2_class_counts.csv", skipinitialspace=True)
    found = count_published(load_bigearthnet().class_counts, 590_326).to_pandas()
    assert found.patches.tolist() == sorted(listed.iloc[:, 1], reverse=True)
    assert found.patches.sum() == 1_750_375
    assert found.patches.sum() / 590_326 == pytest.approx(2.965, abs=5e-4)


def test_level_3_comes_from_labels_or_from_the_classes_that_occur(simulated: Archive):
    rows = simulated.index
    from_labels, from_codes = level_3_hot(rows, CLC_43), classes_hot(rows)
    assert from_labels is not None
    assert (from_labels == from_codes).all()
    merged = level_3_hot(rows, load_nomenclature("ben-19"))
    assert merged is not None
    assert (merged == from_codes).all()
    assert level_3_hot(rows.drop_columns("classes"), load_nomenclature("ben-19")) is None


def test_the_19_classes_of_the_sample_are_the_crosswalks(sample: Described):
    hot = level_3_hot(sample.rows, CLC_43)
    assert hot is not None
    found = hot_through(hot, way_to("ben-19")).sum(axis=0)
    walk = load_crosswalk("ben-19")
    expected = [
        sum(
            any(walk(CLC_43.by_name(name).code) == code for name in names)
            for names in sample.rows["labels"].to_pylist()
        )
        for code in walk.target.codes
    ]
    assert found.tolist() == expected


@pytest.mark.parametrize("density", [0.05, 0.3, 0.9])
def test_what_goes_together_is_that_of_pandas(density):
    nomenclature = load_nomenclature("ben-19")
    hot = np.random.default_rng(0).random((40, 19)) < density
    frame = pd.DataFrame(hot, columns=[str(code) for code in nomenclature.codes])
    frame = frame.loc[:, frame.any()]
    found = count_together(hot, nomenclature).to_pandas()
    assert found.code.astype(str).tolist() == frame.columns.tolist()
    assert found.patches.tolist() == frame.sum().tolist()
    for _, row in found.iterrows():
        expected = frame[frame[str(row.code)]].mean()
        assert row[frame.columns].astype(float).tolist() == pytest.approx(expected.tolist())


def test_two_classes_together_are_pandas_crosstab(sample: Described):
    hot = labels_hot(sample.rows, CLC_43)
    mixed, conifers = (hot[:, CLC_43.codes.index(code)] for code in (313, 312))
    found = count_together(hot, CLC_43).to_pandas().set_index("code")
    expected = pd.crosstab(mixed, conifers, normalize="index").loc[True, True]
    assert found.loc[313, "312"] == pytest.approx(expected)


def test_the_19_classes_of_all_patches_are_those_of_the_metadata(
    published: Described, published_metadata: Path
):
    files = ["metadata.parquet", "metadata_for_patches_with_snow_cloud_or_shadow.parquet"]
    tables = [pq.read_table(published_metadata / name, columns=["labels"]) for name in files]
    labels = pa.concat_tables(tables)["labels"].combine_chunks().flatten()
    expected = labels.to_pandas().value_counts().to_dict()
    hot = labels_hot(published.rows, published.nomenclature)
    assert dict(zip(published.nomenclature.names, hot.sum(axis=0), strict=True)) == expected
