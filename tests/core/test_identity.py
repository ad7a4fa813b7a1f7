from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.identity import PatchId, ProductId
from benforge.errors import InputError

NAME = "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP"

products = st.builds(
    ProductId,
    spacecraft=st.sampled_from(["S2A", "S2B", "S2C", "LC8", "PS"]),
    level=st.sampled_from(["L1C", "L2A"]),
    time=st.from_regex(r"\A[0-9]{8}T[0-9]{6}\Z"),
    baseline=st.from_regex(r"\A[0-9]{4}\Z"),
    orbit=st.integers(1, 143),
    tile=st.from_regex(r"\A[0-9]{2}[A-Z]{3}\Z"),
    instrument=st.sampled_from(["MSI", "OLI", "AL"]),
)


@given(products, st.integers(0, 200), st.integers(0, 200))
def test_what_is_printed_is_parsed(product: ProductId, column: int, row: int) -> None:
    assert ProductId.parse(str(product)) == product
    patch = PatchId(str(product), column, row)
    assert PatchId.parse(str(patch)) == patch
    assert patch.tile == product.tile


@pytest.mark.parametrize("tail", ["", ".SAFE", "_20170613T101608", "_20170613T101608.SAFE"])
def test_generation_time_is_no_part_of_a_product(tail: str) -> None:
    assert str(ProductId.parse(NAME + tail)) == NAME


def test_sensing_time() -> None:
    assert ProductId.parse(NAME).sensing_time == datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC)
    with pytest.raises(InputError, match="not a time"):
        _ = ProductId.parse(NAME.replace("101031", "101061")).sensing_time


@pytest.mark.parametrize("text", ["", "LC08_L1TP", NAME.replace("_R022", ""), NAME + "_x"])
def test_other_texts_are_no_product(text: str) -> None:
    with pytest.raises(InputError, match="product id"):
        ProductId.parse(text)


@pytest.mark.parametrize("text", ["", NAME, NAME + "_1_2", NAME + "_001_02", "x_01_02"])
def test_other_texts_are_no_patch(text: str) -> None:
    with pytest.raises(InputError, match="not a patch id"):
        PatchId.parse(text)


def test_every_published_v2_name_is_a_patch_id(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "bigearthnet/metadata/metadata.parquet")
    names = table["patch_id"].to_pylist()[::97]
    assert len(names) > 4000
    assert [str(PatchId.parse(name)) for name in names] == names
