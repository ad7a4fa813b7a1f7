"""Queries by patch, image and labels find what a slow look by hand finds."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.errors import InputError
from benforge.retrieval.index import SearchIndex
from benforge.retrieval.search import Query, rows_with, search


def both(request: pytest.FixtureRequest) -> list[SearchIndex]:
    return [request.getfixturevalue(name) for name in ("statistics", "learned")]


def test_by_patch_with_labels_and_place(
    request: pytest.FixtureRequest, imported_sample: Archive
) -> None:
    asked = imported_sample.record(7)
    for index in both(request):
        found = search(index, Query(patch=asked.patch_id, k=65, metric="euclidean"))
        every = np.sqrt(((index.vectors.astype(float) - index.vectors[7]) ** 2).sum(axis=1))
        order = [i for i in np.argsort(every, kind="stable") if i != 7]
        ids = imported_sample.index["patch_id"].to_pylist()
        assert [one.patch for one in found.results] == [ids[i] for i in order]
        assert np.allclose([one.distance for one in found.results], every[order], atol=1e-6)
        assert [one.rank for one in found.results] == list(range(1, 66))
        for one in found.results:
            record = imported_sample.record(imported_sample.find(one.patch))
            assert one.labels == list(record.labels)
            assert set(one.shared) == set(record.labels) & set(asked.labels)
            assert (one.tile, one.country) == (record.tile, record.country)
            assert one.date == record.sensing_time.date()
        assert found.labels == list(asked.labels)
        assert asked.v1_name
        by_name = search(index, Query(patch=asked.v1_name, k=65, metric="euclidean"))
        assert by_name.results == found.results
        apart = search(index, Query(patch=asked.patch_id, k=65, other_tiles=True))
        assert apart.results
        assert asked.tile not in {one.tile for one in apart.results}


def test_by_image_is_by_its_vector(
    request: pytest.FixtureRequest, imported_sample: Archive, v1_sample: Path
) -> None:
    record = imported_sample.record(7)
    for index in both(request):
        found = search(index, Query(image=v1_sample / record.v1_name, k=3))
        assert found.results[0].patch == record.patch_id
        assert found.results[0].distance < 1e-5
        by_patch = search(index, Query(patch=record.patch_id, k=2))
        assert [one.patch for one in found.results[1:]] == [one.patch for one in by_patch.results]
        assert found.labels == []


def test_by_labels_has_them_all_and_the_most_typical_first(statistics: SearchIndex) -> None:
    labels = ("Mixed forest", "Coniferous forest")
    found = search(statistics, Query(labels=labels, k=100))
    listed = statistics.patches["labels"].to_pylist()
    having = [i for i, one in enumerate(listed) if set(labels) <= set(one)]
    assert len(having) > 3
    middle = statistics.vectors[having].mean(axis=0)
    every = np.sqrt(((statistics.vectors[having] - middle) ** 2).sum(axis=1))
    ids = statistics.patches["patch_id"].to_pylist()
    assert [one.patch for one in found.results] == [ids[having[i]] for i in np.argsort(every)]
    assert rows_with(statistics, labels).tolist() == having


def test_queries_that_cannot_be_answered(statistics: SearchIndex) -> None:
    with pytest.raises(InputError, match="X: the index of archive holds no such patch"):
        search(statistics, Query(patch="X"))
    with pytest.raises(InputError, match=r"the label 'Sea'\. The nearest that is there: 'Sea and"):
        search(statistics, Query(labels=("Sea",)))
    with pytest.raises(InputError, match="no patch of the index has all of these labels"):
        search(statistics, Query(labels=("Sea and ocean", "Pastures", "Port areas")))
    one = SearchIndex(
        statistics.root, statistics.facts, statistics.patches[:1], statistics.vectors[:1]
    )
    query = Query(patch=statistics.patches["patch_id"][0].as_py(), other_tiles=True)
    with pytest.raises(InputError, match="all of its patches are of one tile"):
        search(one, query)
    for wrong in ({}, {"patch": "a", "labels": ("b",)}):
        with pytest.raises(InputError, match="one query at a time"):
            Query(**wrong)  # type: ignore[arg-type]


def test_simulated_stays_simulated(statistics: SearchIndex) -> None:
    facts = msgspec.structs.replace(statistics.facts, simulated=True)
    index = SearchIndex(statistics.root, facts, statistics.patches, statistics.vectors)
    assert search(index, Query(labels=("Pastures",))).index["simulated"]


def test_a_patch_never_finds_itself_among_its_equals(statistics: SearchIndex) -> None:
    alike = np.ones((len(statistics.patches), 3), np.float32)
    index = SearchIndex(statistics.root, statistics.facts, statistics.patches, alike)
    ids = statistics.patches["patch_id"].to_pylist()
    for row, expected in ((0, ids[1:4]), (2, [ids[0], ids[1], ids[3]]), (60, ids[:3])):
        found = search(index, Query(patch=ids[row], k=3))
        assert [one.patch for one in found.results] == expected
