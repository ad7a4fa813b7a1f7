import csv
from collections import Counter
from pathlib import Path

import pytest

from benforge.core.bigearthnet import load_bigearthnet
from benforge.core.identity import ProductId
from benforge.core.season import season_of
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
