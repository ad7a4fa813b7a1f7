import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from benforge.splits.contacts import KINDS, RELATIONS, Footprints, find_contacts

WEST, EAST = "EPSG:32633", "EPSG:32634"
CORNERS = {
    "33UXP": (WEST, 699960.0, 5400000.0),
    "33UXQ": (WEST, 699960.0, 5403000.0),
    "33UYP": (WEST, 703560.0, 5400000.0),
    "34UBU": (EAST, 258000.0, 5404600.0),
}
"""Tiles of which the first cells lie over each other, across the border of two zones."""

Cell = tuple[str, int, int]


def table(cells: list[Cell]) -> pa.Table:
    rows = [(CORNERS[tile], tile, column, row) for tile, column, row in cells]
    return pa.table(
        {
            "crs": pa.array([corner[0] for corner, *_ in rows], pa.string()),
            "tile": pa.array([tile for _, tile, _, _ in rows], pa.string()),
            "ulx": pa.array([c[1] + 1200 * column for c, _, column, _ in rows], pa.float64()),
            "uly": pa.array([c[2] - 1200 * row for c, _, _, row in rows], pa.float64()),
        }
    )


def square(cell: Cell, crs: str) -> shapely.Polygon:
    """The footprint with densified edges, in a CRS."""
    own, x, y = CORNERS[cell[0]]
    x, y = x + 1200 * cell[1], y - 1200 * cell[2]
    ring = shapely.segmentize(shapely.box(x, y - 1200, x + 1200, y), 50)
    move = pyproj.Transformer.from_crs(own, crs, always_xy=True).transform
    return shapely.transform(ring, move, interleaved=False)


def oracle(cell: Cell, others: list[Cell]) -> set[tuple[str, str]]:
    """The contacts of a cell, by polygons."""
    found = set()
    for other in others:
        crs = CORNERS[other[0]][0]
        mine, theirs = square(cell, crs), square(other, crs)
        if CORNERS[cell[0]][0] == crs:
            kind = "same_tile" if cell[0] == other[0] else "other_tile"
            if mine.normalize().equals_exact(theirs.normalize(), 1e-6):
                found.add((kind, "equal"))
            elif mine.intersection(theirs).area > 1e-6:
                found.add((kind, "overlap"))
            elif mine.distance(theirs) < 1e-6:
                found.add((kind, "touch"))
        elif mine.buffer(-1, join_style="mitre").intersects(theirs):
            found.add(("other_zone", "overlap"))
        elif mine.distance(theirs) <= 1:
            found.add(("other_zone", "touch"))
    return found


CELLS = st.tuples(st.sampled_from(sorted(CORNERS)), st.integers(0, 5), st.integers(0, 5))
LAYOUTS = st.lists(CELLS, min_size=1, max_size=25, unique=True)


@settings(max_examples=40)
@given(LAYOUTS, st.data())
def test_contacts_are_those_of_polygons(cells: list[Cell], data: st.DataObject) -> None:
    footprints, place = Footprints.of(table(cells), 1200)
    trains = np.array([data.draw(st.booleans()) for _ in cells])
    tests = np.array([data.draw(st.booleans()) for _ in cells])
    mine, theirs = (np.isin(np.arange(len(footprints)), place[m]) for m in (tests, trains))
    found = find_contacts(footprints, mine, theirs)
    others = [cell for cell, train in zip(cells, trains, strict=True) if train]
    for cell, number, tested in zip(cells, place, tests, strict=True):
        told = {(KINDS[k], RELATIONS[r]) for k, r in np.argwhere(found[:, :, number])}
        assert told == (oracle(cell, others) if tested else set())


def test_the_tiles_of_these_tests_meet_in_every_way() -> None:
    cells = [(tile, c, r) for tile in CORNERS for c in range(6) for r in range(6)]
    footprints, _ = Footprints.of(table(cells), 1200)
    all_of_them = np.ones(len(cells), np.bool_)
    met = find_contacts(footprints, all_of_them, all_of_them).any(axis=2)
    assert {(k, r) for k, r in np.ndindex(3, 3) if met[k, r]} >= {
        (KINDS.index(kind), RELATIONS.index(relation))
        for kind, relation in [
            ("same_tile", "equal"),
            ("same_tile", "touch"),
            ("other_tile", "equal"),
            ("other_tile", "overlap"),
            ("other_tile", "touch"),
            ("other_zone", "overlap"),
        ]
    }


@pytest.mark.parametrize(("gap", "relation"), [(-2.0, "overlap"), (0.5, "touch"), (3.0, None)])
def test_zones_touch_within_a_metre(gap: float, relation: str | None) -> None:
    """A square of one zone is laid beside the bent edge of one of another."""
    move = pyproj.Transformer.from_crs(WEST, EAST, always_xy=True)
    x, y = 700000.0, 5400000.0
    corners = np.array(move.transform([x, x, x + 1200, x + 1200], [y, y - 1200, y - 1200, y]))
    index = pa.table(
        {
            "crs": [WEST, EAST],
            "tile": ["33UXP", "34UBU"],
            "ulx": [x, corners[0].max() + gap],
            "uly": [y, corners[1][np.argmax(corners[0])] + 600],
        }
    )
    footprints, place = Footprints.of(index, 1200)
    mine, theirs = np.arange(2) == place[0], np.arange(2) == place[1]
    found = find_contacts(footprints, mine, theirs)[:, :, place[0]]
    assert [RELATIONS[r] for _, r in np.argwhere(found)] == ([relation] if relation else [])


def test_a_zone_that_is_far_away_is_never_near() -> None:
    index = pa.table(
        {
            "crs": ["EPSG:32629", "EPSG:32635", "EPSG:32755"],
            "tile": ["29SNB", "35VLG", "55HEV"],
            "ulx": [500000.0] * 3,
            "uly": [4300000.0, 6900000.0, 5800000.0],
        }
    )
    footprints, _ = Footprints.of(index, 1200)
    everyone = np.ones(3, np.bool_)
    found = find_contacts(footprints, everyone, everyone)
    assert found.sum() == 3
    assert found[0, 0].all()


def test_dates_share_a_footprint_and_tiles_do_not() -> None:
    cells: list[Cell] = [("33UXP", 3, 0), ("33UXP", 3, 0), ("33UYP", 0, 0)]
    footprints, place = Footprints.of(table(cells), 1200)
    assert (len(footprints), place[0], place[1]) == (2, place[1], place[0])
    assert footprints.tile_names == ("33UXP", "33UYP")


def test_footprints_of_nothing() -> None:
    footprints, place = Footprints.of(table([]), 1200)
    assert len(footprints) == len(place) == 0
