from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import shapely

from benforge.errors import InputError
from benforge.published.lists import PublishedLists, find_lists
from benforge.splits.leakage import Count, Leakage, find_leakage, report_leakage
from benforge.splits.published import Edition, published_parts


def index(places: list[tuple[float, float]], tile: str = "33UUP") -> pa.Table:
    """Patches at these corners, in units of a patch."""
    count = len(places)
    return pa.table(
        {
            "crs": ["EPSG:32633"] * count,
            "tile": [tile] * count,
            "ulx": [300000 + 1200 * x for x, _ in places],
            "uly": [5400000 - 1200 * y for _, y in places],
        }
    )


def report(places: list[tuple[float, float]], parts: list[str | None]) -> Leakage:
    told = pa.chunked_array([pa.array(parts, pa.string())])
    return report_leakage(find_leakage(index(places), told, "mine"))


def test_patches_and_footprints_are_counted() -> None:
    """Two dates of test on the ground of training, one beside it, one apart, one left out."""
    places = [(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 1.0), (5.0, 5.0), (0.0, 1.0)]
    found = report(places, ["train", "test", "test", "test", "test", None])
    assert found.train == Count(patches=1, footprints=1)
    assert found.test.total == Count(patches=4, footprints=3)
    assert found.test.all.equal == found.test.all.ground == Count(patches=2, footprints=1)
    assert found.test.all.touch == Count(patches=1, footprints=1)
    assert found.test.all.any == found.test.same_tile.any == Count(patches=3, footprints=2)
    assert found.validation.total == found.validation.all.any == Count(patches=0, footprints=0)
    assert (
        found.facts()["test equal train"] == "1 (33.33 %): 1 same tile, 0 other tile, 0 other zone"
    )


def test_patches_of_another_size_are_compared_by_their_own_edge() -> None:
    told = pa.chunked_array([["train", "test"]])
    places = index([(0, 0), (0.1, 0)])
    assert report_leakage(find_leakage(places, told, "m", edges=120)).test.all.touch.patches == 1
    assert report_leakage(find_leakage(places, told, "m", edges=130)).test.all.overlap.patches == 1
    assert report_leakage(find_leakage(places, told, "m", edges=110)).test.all.any.patches == 0


def test_a_split_of_other_patches_is_an_error() -> None:
    with pytest.raises(InputError, match="names none of its patches"):
        report([(0, 0)], [None])


def test_a_simulated_archive_is_called_so() -> None:
    told = pa.chunked_array([["train", "test"]])
    for simulated in (True, False):
        found = find_leakage(index([(0, 0), (1, 0)]), told, "mine", simulated=simulated)
        assert report_leakage(found).simulated is simulated
        assert ("simulated" in report_leakage(found).facts()) is simulated


@pytest.fixture(scope="module")
def lists(published_metadata: Path) -> PublishedLists:
    return find_lists(published_metadata)


@pytest.fixture(scope="module")
def ground(lists: PublishedLists) -> pa.Table:
    """The published geometry, as an index has it."""
    place = lists.geometry()
    names = {"patch_id": place["v1_name"], "crs": [f"EPSG:{e}" for e in place["epsg"].to_pylist()]}
    return pa.table(names | {n: place[n] for n in ("v1_name", "tile", "ulx", "uly")})


def published(lists: PublishedLists, ground: pa.Table, edition: Edition) -> Leakage:
    """What a published split leaks."""
    parts = published_parts(ground, lists, edition)
    return report_leakage(find_leakage(ground, pa.chunked_array([pa.array(parts)]), edition))


def test_the_published_split_of_v1_leaks_everywhere(
    lists: PublishedLists, ground: pa.Table
) -> None:
    """Fidelity rule 24."""
    found = published(lists, ground, "v1")
    test = found.test
    assert (test.total.patches, test.total.footprints) == (125_866, 57_534)
    assert test.all.equal.footprints == 0
    assert test.same_tile.touch == test.total
    assert (test.all.overlap.footprints, test.all.overlap.patches) == (6_925, 14_256)
    assert found.validation.all.touch == found.validation.total


def test_the_published_split_of_v2_keeps_test_apart(
    lists: PublishedLists, ground: pa.Table
) -> None:
    """Fidelity rule 24; its validation touches training, within a tile, and shares no ground."""
    found = published(lists, ground, "v2")
    assert (found.test.total.patches, found.test.all.any.patches) == (137_367, 0)
    validation = found.validation
    assert (validation.all.ground.footprints, validation.all.touch.footprints) == (0, 7_834)
    assert validation.same_tile.touch == validation.all.any


def test_the_overlap_of_v1_is_that_of_polygons(lists: PublishedLists, ground: pa.Table) -> None:
    """Two tiles of one zone, counted again by shapely."""
    named = {n: part for part in ("train", "test") for n in lists.names(part).to_pylist()}
    chosen = ground.filter(pc.is_in(ground["tile"], pa.array(["29SNB", "29SNC"])))
    parts = [named.get(name) for name in chosen["v1_name"].to_pylist()]
    told = pa.chunked_array([pa.array(parts, pa.string())])
    found = report_leakage(find_leakage(chosen, told, "v1")).test

    full = chosen.to_pandas().assign(part=parts)
    place = full[full["part"].notna()].drop_duplicates(["tile", "ulx", "uly"])
    x, y = place["ulx"].to_numpy(float), place["uly"].to_numpy(float)
    boxes = shapely.box(x, y - 1200, x + 1200, y)
    is_test, is_train = ((place["part"] == part).to_numpy() for part in ("test", "train"))
    a, b = shapely.STRtree(boxes[is_train]).query(boxes[is_test], predicate="intersects")
    shared = shapely.area(shapely.intersection(boxes[is_test][a], boxes[is_train][b]))
    assert found.all.overlap.footprints == len(np.unique(a[shared > 1])) > 0
    assert found.all.any.footprints == len(np.unique(a))
