from __future__ import annotations

import bz2
import csv
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.identity import ProductId
from benforge.errors import InputError
from benforge.layouts.v1_names import (
    V1Name,
    mend_tile_source,
    parse_projection,
    published_projection,
)


@given(
    st.sampled_from(["S2A", "S2B"]),
    st.dates(min_value=date(2015, 6, 23)),
    st.integers(0, 235_999),
    st.integers(0, 90),
    st.integers(0, 90),
)
def test_a_name_is_printed_as_it_was_read(spacecraft, day, time, column, row):
    text = f"{spacecraft}_MSIL2A_{day:%Y%m%d}T{time}_{column}_{row}"
    name = V1Name.parse(text)
    assert str(name) == text
    assert (name.column, name.row) == (column, row)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S2A_MSIL2A_20170613T101031_26",
        "S2A_MSIL2A_20170613T101031_026_57",
        "S2A_MSIL1C_20170613T101031_26_57",
        "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_26_57",
        "S2A_MSIL2A_20170613T101031_26_57/..",
    ],
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(InputError, match="not the name of a BigEarthNet v1 patch"):
        V1Name.parse(text)


def test_a_new_name_holds_the_time_and_is_counted_up_as_an_integer():
    product = ProductId.parse("S2A_MSIL2A_20180510T094059_N0206_R036_T35WPN")
    assert str(V1Name.of(product, 19, 86)) == "S2A_MSIL2A_20180510T094059_19_86"
    counted = V1Name.of(product, 19, 86, 2)
    assert str(counted) == "S2A_MSIL2A_20180510T94061_19_86"
    assert counted.counted(product) == 2


@pytest.mark.parametrize(
    ("published", "meant"),
    [
        (  # as it should be
            "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE",
            "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608",
        ),
        (  # counted up twice, leading zero lost
            "S2A_MSIL1C_20180510T94033_N0206_R036_T35WPN_20180510T114116.SAFE",
            "S2A_MSIL1C_20180510T094031_N0206_R036_T35WPN_20180510T114116",
        ),
        (  # counted up to a second that no clock shows
            "S2B_MSIL1C_20180204T94161_N0206_R036_T35VPK_20180204T115809.SAFE",
            "S2B_MSIL1C_20180204T094159_N0206_R036_T35VPK_20180204T115809",
        ),
        (  # not one of the 125: the zero comes back, the rest is believed
            "S2B_MSIL1C_20190204T94157_N0207_R036_T35VPK_20190204T115809.SAFE",
            "S2B_MSIL1C_20190204T094157_N0207_R036_T35VPK_20190204T115809",
        ),
        (
            "S2B_MSIL1C_20190204T94157_N0207_R036_T35VPK",
            "S2B_MSIL1C_20190204T094157_N0207_R036_T35VPK",
        ),
    ],
)
def test_a_tile_source_leads_to_its_product(published, meant):
    assert mend_tile_source(published) == meant


@pytest.mark.parametrize("text", ["", "S2A", "S2A_MSIL1C_2018_N0206_R036_T35WPN", "../x"])
def test_what_is_no_product_is_refused(text):
    with pytest.raises(InputError, match="not a product id"):
        mend_tile_source(text)


def test_every_changed_time_of_the_archive_leads_to_its_product(shared_data):
    """The published list of names and products is the oracle; a text is made from each name."""
    path = shared_data / "bigearthnet" / "metadata" / "tile_names_and_links.csv.bz2"
    with bz2.open(path, "rt") as lines:
        pairs = {(row[0].split("_")[2], row[1]) for row in csv.reader(lines)}
    assert len({product for _, product in pairs}) == 125
    for time, product in pairs:
        parts = product.split("_")
        published = "_".join([*parts[:2], time, *parts[3:]])
        assert mend_tile_source(published) == product.removesuffix(".SAFE")


def test_the_published_projection_is_rebuilt_to_the_letter(v1_sample):
    """14 patches of the sample carry the official JSON, which spells out both axes."""
    texts = {json.loads(path.read_text())["projection"] for path in v1_sample.glob("*/*.json")}
    official = {text for text in texts if 'AXIS["Latitude",NORTH]' in text}
    assert len(official) == 4
    assert {published_projection(parse_projection(text)) for text in official} == official
    assert {parse_projection(text) for text in texts} == {
        f"EPSG:326{z}" for z in range(29, 37) if z not in (30, 31)
    }


def test_a_projection_that_is_none_is_refused():
    with pytest.raises(InputError, match="not WKT"):
        parse_projection("nonsense")
    with pytest.raises(InputError, match="no EPSG code"):
        parse_projection('LOCAL_CS["somewhere",UNIT["metre",1]]')
