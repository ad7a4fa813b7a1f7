from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benforge.statistics.described import Countries, Described
from benforge.statistics.formats import FORMATS
from benforge.statistics.tables import (
    countries_sheet,
    facts_sheet,
    labels_sheet,
    level_sheet,
    own_classes_sheet,
    partners_sheet,
    seasons_sheet,
    together_sheet,
)


def test_the_table_of_countries_says_whose_they_are(sample: Described, published: Described):
    by_rule = countries_sheet(sample)
    assert by_rule.title.endswith("66 patches, countries by benforge's rule")
    assert "By benforge's rule" in by_rule.note
    listed = countries_sheet(published)
    assert listed.title.endswith("590,326 patches of v1, countries as published")
    assert "s1_s2_name_country_season.csv" in listed.note
    table = listed.table.to_pandas()
    assert (table.patches == table.BigEarthNet_v1).all()
    of_v2 = countries_sheet(replace(sample, countries=Countries.OF_V2))
    assert "v2" in of_v2.title
    assert "v2" in of_v2.note


def test_seasons_go_by_the_date(sample: Described):
    assert "day of acquisition" in seasons_sheet(sample).note


def test_patches_without_labels_are_counted_apart(partly_labelled: Described):
    """Facts, labels, classes and what goes together agree on who is labelled."""
    labels = partly_labelled.rows["labels"].to_pylist()
    some = [names for names in labels if names]
    facts = facts_sheet(partly_labelled).table.to_pandas().set_index("fact").here
    assert facts["labelled patches"] == str(len(some))
    assert facts["patches without labels"] == str(len(labels) - len(some))
    assert facts["labels a patch, mean"] == f"{np.mean([len(names) for names in some]):.3f}"
    assert int(facts["labels a patch, fewest"]) >= 1

    per_patch = labels_sheet(partly_labelled)
    assert per_patch.table["labels"].to_pylist()[0] >= 1
    assert sum(per_patch.table["patches"].to_pylist()) == len(some)
    assert sum(per_patch.table["share"].to_pylist()) == pytest.approx(1)

    classes = own_classes_sheet(partly_labelled)
    table = classes.table.to_pandas()
    assert (table.share == table.patches / len(some)).all()
    assert f"of {len(some)} labelled patches, of which 0 have none" in classes.note
    for sheet in (per_patch, classes, together_sheet(partly_labelled)):
        assert f"{len(some)} labelled of {len(labels)} patches" in sheet.title
        assert f"Without labels: {len(labels) - len(some)} patches" in sheet.note


def test_classes_that_occur_count_patches_without_labels_too(partly_labelled: Described):
    """Where labels are merged, level 3 comes from the classes, which every patch has."""
    from benforge.core.nomenclature import load_nomenclature

    merged = replace(partly_labelled, nomenclature=load_nomenclature("ben-19"))
    sheet = level_sheet("clc-44", merged)
    assert sheet is not None
    every = len(partly_labelled.rows)
    table = sheet.table.to_pandas()
    assert (table.share == table.patches / every).all()
    assert f" · {every} patches" in sheet.title
    assert f"shares are of {every} patches, of which 0" in sheet.note


def test_where_no_patch_has_labels_every_table_stands(partly_labelled: Described):
    labels = partly_labelled.rows["labels"].to_pylist()
    empty = np.array([not names for names in labels])
    nobody = replace(partly_labelled, rows=partly_labelled.rows.filter(empty))
    for make in (facts_sheet, labels_sheet, own_classes_sheet, together_sheet, partners_sheet):
        sheet = make(nobody)
        assert all(encode(sheet, "x") for encode in FORMATS.values())


def test_partners_are_those_of_the_matrix(sample: Described):
    matrix = together_sheet(sample).table.to_pandas().set_index("code")
    found = partners_sheet(sample).table.to_pandas().set_index("code")
    row = matrix.loc[313].drop(["class", "patches", "313"]).astype(float)
    best = row.sort_values(ascending=False, kind="stable").head(3)
    names = pd.Series(matrix["class"].values, matrix.index.astype(str))
    told = "; ".join(f"{names[code]} {100 * share:.1f} %" for code, share in best.items())
    assert found.loc[313, "with"] == told
