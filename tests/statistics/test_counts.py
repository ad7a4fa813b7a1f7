from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benforge.archive.archive import Archive
from benforge.core.bigearthnet import load_bigearthnet
from benforge.statistics.counts import (
    UNKNOWN,
    count_countries,
    count_dates,
    count_footprints,
    count_labels,
    count_seasons,
    count_tiles,
    has_some,
    labels_per_patch,
)
from benforge.statistics.described import Described
from benforge.testing.archives import make_scene, scene_records


@pytest.fixture(params=["simulated", "sample"])
def rows(request: pytest.FixtureRequest):
    found = request.getfixturevalue(request.param)
    return found.index if isinstance(found, Archive) else found.rows


def ask(rows, query: str) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("rows", rows)
        return connection.execute(query).fetchall()


def plain(table) -> list[tuple]:
    return [tuple(row.values()) for row in table.to_pylist()]


def test_tiles_are_those_of_duckdb(rows):
    query = """SELECT tile, count(DISTINCT product), count(DISTINCT season), count(*),
        count(DISTINCT (ulx, uly)) FROM rows GROUP BY tile ORDER BY tile"""
    assert plain(count_tiles(rows)) == ask(rows, query)


def test_dates_are_those_of_duckdb(rows):
    query = """SELECT sensing_time::DATE, any_value(season), count(DISTINCT product), count(*)
        FROM rows GROUP BY 1 ORDER BY 1"""
    assert plain(count_dates(rows)) == ask(rows, query)


def test_countries_are_those_of_pandas(rows):
    frame = rows.select(["country", "season"]).to_pandas().astype(str)
    expected = pd.crosstab(frame["country"], frame["season"])
    found = count_countries(rows).to_pandas().set_index("country")
    for season in expected.columns:
        pd.testing.assert_series_equal(
            found[season].sort_index(),
            expected[season].sort_index(),
            check_names=False,
            check_index_type=False,
        )
    assert found["share"].sum() == pytest.approx(1)
    assert found["patches"].is_monotonic_decreasing


def test_labels_are_those_of_numpy(rows):
    lengths = [len(labels) for labels in rows["labels"].to_pylist()]
    found = count_labels(rows).to_pandas()
    numbers, counts = np.unique(lengths, return_counts=True)
    assert dict(zip(found.labels, found.patches, strict=True)) == dict.fromkeys(
        range(min(lengths), max(lengths) + 1), 0
    ) | dict(zip(numbers, counts, strict=True))
    assert found.share_at_most.iloc[-1] == 1


def test_a_footprint_counts_once_however_often_it_was_taken(simulated: Archive):
    found = count_footprints(simulated.index).to_pandas()
    assert len(found) == 30
    assert found.patches.sum() == len(simulated)
    assert set(found.seasons) == {1, 2}
    assert (found.patches == found.seasons).all()


def test_patches_without_a_country_or_labels_are_not_lost():
    rows = scene_records(make_scene()).to_pydict()
    rows["country"][0] = None
    rows["labels"][1], rows["labels"][2] = None, []
    table = pa.table(rows)
    assert UNKNOWN in count_countries(table)["country"].to_pylist()
    assert len(labels_per_patch(table)) == len(table) - 2
    assert (labels_per_patch(table) > 0).all()
    assert sum(count_labels(table)["patches"].to_pylist()) == len(table) - 2
    assert np.flatnonzero(~has_some(table["labels"])).tolist() == [1, 2]


class TestPublished:
    """What the 2019 paper says of all 590,326 patches, counted from the lists."""

    def test_seasons(self, published: Described):
        found = count_seasons(published.rows).to_pydict()
        assert dict(zip(found["season"], found["patches"], strict=True)) == {
            "winter": 117156,
            "spring": 189276,
            "summer": 128951,
            "autumn": 154943,
        }

    def test_dates_span_june_to_may_and_hold_every_patch(self, published: Described):
        found = count_dates(published.rows).to_pandas()
        assert found.patches.sum() == 590_326
        assert found.products.sum() == 125
        assert str(found.date.iloc[0])[:7] == "2017-06"
        assert str(found.date.iloc[-1])[:7] == "2018-05"

    def test_tiles_and_footprints(self, published: Described):
        found = count_tiles(published.rows).to_pandas()
        assert set(found.tile) == set(load_bigearthnet().corners)
        assert found.products.sum() == 125
        assert found.seasons.max() == 4
        assert found.footprints.sum() == 259_172

    def test_labels_of_v2(self, published: Described):
        found = count_labels(published.rows).to_pandas()
        assert found.patches.sum() == 549_488
        assert found.labels.max() == 11
        assert found.share_at_most[found.labels == 5].item() > 0.95
        assert (found.labels * found.patches).sum() / 549_488 == pytest.approx(2.95, abs=0.01)
