import csv
import gzip
from pathlib import Path

import pytest
import shapely
from pyproj import Transformer

from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import InputError
from benforge.tiles.ground import all_tiles, corner_of, parse_tile, square_of, tiles_over


def test_corners_are_those_of_the_published_tiles() -> None:
    for tile, corner in load_bigearthnet().corners.items():
        assert corner_of(tile) == corner


def test_corners_are_those_of_the_whole_grid(shared_data: Path) -> None:
    with gzip.open(shared_data / "grids/sentinel2_tiles.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 10_000
    wrong = [
        row["tile"]
        for row in rows[::7]
        if corner_of(row["tile"])._asdict() != {k: int(row[k]) for k in ("epsg", "ulx", "uly")}
    ]
    assert wrong == []


def test_the_grid_is_known_whole(shared_data: Path) -> None:
    with gzip.open(shared_data / "grids/sentinel2_tiles.csv.gz", "rt") as lines:
        assert all_tiles() == tuple(sorted(row["tile"] for row in csv.DictReader(lines)))


@pytest.mark.parametrize(
    "area",
    [
        shapely.box(9.0, 46.0, 13.0, 48.0),  # across an edge of zones
        shapely.box(-79.0, -1.0, -77.0, 1.0),  # across the equator
        shapely.box(10.0, 78.0, 20.0, 79.0),  # where zones are narrow, and some are missing
        shapely.box(178.0, -17.0, 180.0, -16.0),  # at the date line
        shapely.Point(14.2, 48.3),
    ],
)
def test_an_area_has_the_tiles_that_meet_it(area: shapely.Geometry) -> None:
    zone = int((area.centroid.x + 180) // 6) + 1
    bands = "CDEFGHJKLMNPQRSTUVWX"
    band = int((area.centroid.y + 80) // 8)
    near = [
        tile
        for tile in all_tiles()
        if abs(int(tile[:2]) - zone) <= 3 and abs(bands.index(tile[2]) - band) <= 2
    ]
    expected = {tile for tile in near if square_of(tile).intersects(area)}
    assert expected
    assert set(tiles_over(area)) == expected


def test_a_square_in_degrees_holds_its_middle() -> None:
    corner = corner_of("33UUP")
    degrees = Transformer.from_crs(corner.epsg, 4326, always_xy=True)
    middle = shapely.Point(degrees.transform(corner.ulx + 54_900, corner.uly - 54_900))
    assert square_of("33UUP").contains(middle)
    assert middle.distance(square_of("33UUP").centroid) < 0.01


def test_names_are_read_as_products_write_them() -> None:
    assert parse_tile(" t33uup") == "33UUP"


@pytest.mark.parametrize("name", ["33UUI", "61UUP", "00UUP", "UUP", "33IUP", "33UAP", ""])
def test_no_tile(name: str) -> None:
    with pytest.raises(InputError, match="no tile is called so"):
        parse_tile(name)
