import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest

from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.identity import ProductId
from benforge.core.nomenclature import load_nomenclature
from benforge.core.season import season_of
from benforge.core.sensor import load_sensor
from benforge.recipe.load import load_recipe


def test_the_papers_products() -> None:
    products = [ProductId.parse(text) for text in load_bigearthnet().products]
    assert len(set(products)) == 125
    assert len({product.tile for product in products}) == 56
    assert {product.baseline for product in products} == {"0205", "0206"}
    seasons = Counter(season_of(product.sensing_time) for product in products)
    assert seasons == {"spring": 40, "autumn": 32, "summer": 31, "winter": 22}


def test_they_are_the_published_ones(shared_data: Path) -> None:
    with (shared_data / "bigearthnet/metadata/bigearthnet_s2_tile_ids.csv").open() as lines:
        published = {row["tile"].removesuffix(".SAFE") for row in csv.DictReader(lines)}
    assert set(load_bigearthnet().products) == published


@pytest.mark.parametrize("profile", ["ben-v1", "ben-v2"])
def test_the_profiles_name_the_same_countries(profile: str) -> None:
    assert load_recipe(profile).labels.countries == load_bigearthnet().countries


def test_corners_are_those_of_the_grid(shared_data: Path) -> None:
    corners = load_bigearthnet().corners
    with gzip.open(shared_data / "grids/sentinel2_tiles.csv.gz", "rt") as lines:
        grid = {row.pop("tile"): row for row in csv.DictReader(lines)}
    assert set(corners) == {ProductId.parse(text).tile for text in load_bigearthnet().products}
    for tile, corner in corners.items():
        assert {name: int(value) for name, value in grid[tile].items()} == corner._asdict()


def test_published_counts_agree_with_each_other() -> None:
    facts = load_bigearthnet()
    v1, v2 = facts.v1, facts.v2
    flagged = sum(v1["flags"].values())
    assert v1["patches"] - flagged - v1["without_19_classes"] + 2 == v1["recommended"]
    assert sum(v1["split"].values()) == v1["recommended"]
    assert sum(v1["seasons"].values()) == sum(v1["countries"].values()) == v1["patches"]
    assert v1["patches"] - v2["products_left_out_patches"] - v2["left_out"] == v2["patches"]
    assert set(v1["countries"]) == set(facts.countries)
    known = {str(ProductId.parse(text)) for text in facts.products}
    assert len(known.intersection(v2["products_left_out"])) == 10
    assert set(facts.class_counts) == set(load_nomenclature("clc-43").names)
    mean = sum(facts.class_counts.values()) / v1["patches"]
    assert round(mean, 3) == v1["labels_mean"]


def test_band_statistics_are_of_the_twelve_bands() -> None:
    facts = load_bigearthnet()
    names = [band.name for band in load_sensor().patch_bands]
    assert list(facts.band_means) == list(facts.band_stds) == names
    assert facts.band_means["B8A"] == 2266.46
