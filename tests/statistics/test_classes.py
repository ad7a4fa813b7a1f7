from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.nomenclature import load_nomenclature
from benforge.labels.hot import labels_hot
from benforge.statistics.classes import count_classes, count_published, count_together
from benforge.statistics.described import Described

CLC_43 = load_nomenclature("clc-43")


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
