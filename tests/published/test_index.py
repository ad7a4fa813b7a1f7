"""The published index, held to the published geometry and metadata, which it does not read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.core.identity import PatchId
from benforge.core.record import SCHEMA
from benforge.errors import InputError, MissingError
from benforge.published.index import INDEX_SCHEMA, parse_places, read_index
from benforge.published.lists import find_lists

NAME = "S2A_MSIL2A_20170613T101031_26_57"
SOURCE = "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608"


def test_columns_are_those_of_an_archive() -> None:
    for field in INDEX_SCHEMA:
        if field.name in SCHEMA.names:
            assert field.type == SCHEMA.field(field.name).type


@pytest.mark.slow
def test_geometry(published_index: pa.Table, published_metadata: Path) -> None:
    oracle = pd.read_parquet(published_metadata / "patch_geometry.parquet").set_index("name")
    ours = published_index.select(["v1_name", "tile", "crs", "ulx", "uly"]).to_pandas()
    theirs = oracle.loc[ours["v1_name"]]
    assert len(ours) == 590_326
    for column in ("tile", "ulx", "uly"):
        assert (ours[column].to_numpy() == theirs[column].to_numpy()).all()
    assert (ours["crs"].to_numpy() == ("EPSG:" + theirs["epsg"].astype(str)).to_numpy()).all()


@pytest.mark.slow
def test_v2(published_index: pa.Table, published_metadata: Path) -> None:
    """Product, column and row are those of v2's id, which names the product in full."""
    ours = published_index.select(["patch_id", "v2_id"]).to_pandas().dropna()
    assert len(ours) == 549_488
    theirs = ours["v2_id"].str.replace("MSIL2A", "MSIL1C").str.replace(r"_N\d{4}_", "_", regex=True)
    assert (ours["patch_id"].str.replace(r"_N\d{4}_", "_", regex=True) == theirs).all()
    metadata = pq.read_table(published_metadata / "metadata.parquet").to_pandas()
    one = metadata.iloc[12_345]
    at = published_index["v1_name"].to_pylist().index(one["s2v1_name"])
    row = published_index.slice(at, 1).to_pylist()[0]
    assert (row["v2_id"], row["labels"]) == (one["patch_id"], list(one["labels"]))


@pytest.mark.slow
def test_seasons_and_flags(published_index: pa.Table) -> None:
    """The counts of the paper (fidelity 16, 18)."""
    seasons = published_index["season"].cast(pa.string()).to_pandas().value_counts().to_dict()
    assert seasons == {"autumn": 154_943, "winter": 117_156, "spring": 189_276, "summer": 128_951}
    snow, cloud = (np.asarray(published_index[column]) for column in ("snow", "cloud"))
    assert (snow.sum(), cloud.sum(), (snow & cloud).sum()) == (61_707, 9_280, 0)


@pytest.mark.slow
def test_countries(published_index: pa.Table, published_metadata: Path) -> None:
    """99.9 % of the published countries; the rest lie at a border (fidelity 17)."""
    oracle = pd.read_parquet(published_metadata / "patch_geometry.parquet").set_index("name")
    theirs = oracle.loc[published_index["v1_name"].to_pylist(), "country"].to_numpy()
    differ = np.asarray(published_index["country"].cast(pa.string())) != theirs
    assert 0 < differ.mean() < 0.001


def test_one_row(tmp_path: Path) -> None:
    (tmp_path / "tile_names_and_links.csv").write_text(f"{NAME},{SOURCE}.SAFE,link\n")
    row = read_index(find_lists(tmp_path)).to_pylist()[0]
    assert row["patch_id"] == "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_26_57"
    assert str(PatchId.parse(row["patch_id"])) == row["patch_id"]
    assert (row["crs"], row["ulx"], row["uly"]) == ("EPSG:32633", 331_200, 5_331_600)
    assert (row["season"], row["country"], row["source"]) == ("summer", "Austria", SOURCE)
    assert [row[name] for name in ("v2_id", "labels", "snow", "cloud")] == [None] * 4


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (SOURCE.replace("33UUP", "32TNM"), "32TNM is none of the 56 tiles"),
        (SOURCE.replace("20170613T1010", "20171313T1010"), "is not a time"),
        ("a product", "not a product id"),
    ],
)
def test_other_products(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "tile_names_and_links.csv").write_text(f"{NAME},{source}.SAFE,link\n")
    with pytest.raises(InputError, match=says):
        read_index(find_lists(tmp_path))


def test_no_list_of_products(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="tile_names_and_links"):
        read_index(find_lists(tmp_path))


def test_places() -> None:
    column, row = parse_places(pa.array(["a_0_90", "b_07_5"]))
    assert (column.tolist(), row.tolist()) == ([0, 7], [90, 5])
    for wrong in ("a_91_0", "a_0_91", "a_1", "a"):
        with pytest.raises(InputError, match="0 to 90"):
            parse_places(pa.array(["a_0_90", wrong]))
