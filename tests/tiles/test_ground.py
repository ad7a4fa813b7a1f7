import csv
import gzip
from pathlib import Path

import pytest
import shapely
from pyproj import Transformer

from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import InputError
from benforge.tiles.ground import corner_of, parse_tile, square_of


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
