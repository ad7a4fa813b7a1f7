from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.bigearthnet import load_bigearthnet
from benforge.tiles.entry import Asset, Entry
from tests.tiles.catalogues import cdse_item, earth_search_item, planetary_item

ONE = load_bigearthnet().products[0]


@given(
    name=st.sampled_from(load_bigearthnet().products),
    cloud=st.none() | st.floats(0, 100),
    size=st.none() | st.integers(0, 10**10),
    simulated=st.booleans(),
)
def test_written_and_read_again_it_is_the_same(
    name: str, cloud: float | None, size: int | None, simulated: bool
) -> None:
    asset = Asset("https://example.org/x", size, "d50110" + "0" * 32, ("s3://eodata/x",))
    item = Entry.named(name).as_stac()
    one = Entry.parse(item)
    assert one == Entry.named(name)
    full = Entry(name, one.product, cloud, {"Product": asset}, "Austria", simulated)
    assert Entry.parse(full.as_stac()) == full


@pytest.mark.parametrize("form", [cdse_item, earth_search_item, planetary_item])
def test_every_catalogue_s_words_mean_the_same(form: Any) -> None:
    found = Entry.parse(form(ONE, 12.5))
    assert found == Entry.parse(cdse_item(ONE, 12.5))
    assert found
    assert (found.name, found.baseline, found.season) == (ONE, "02.05", "summer")
    assert found.generated == "20170613T101608"


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"id": "LC08_L1TP_193026_20170613"},
        {"id": ONE[:-16].replace("33UUP", "33IUP")},
        {"id": ONE.replace("20170613T101031", "20171313T101031")},
        {"id": None, "properties": None, "assets": 3},
        {"id": 5, "properties": [1]},
    ],
)
def test_what_is_no_product_is_none(item: dict[str, Any]) -> None:
    assert Entry.parse(item) is None


def test_odd_values_are_not_known() -> None:
    item = cdse_item(ONE, None, {"a": {"href": "x", "file:size": -1}, "b": 3, "c": {}})
    item["properties"]["eo:cloud_cover"] = "clear"
    found = Entry.parse(item)
    assert found
    assert found.cloud is None
    assert found.assets == {"a": Asset("x")}
    assert found.size is None
