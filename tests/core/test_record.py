from dataclasses import fields
from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from benforge.core.identity import PatchId
from benforge.core.record import SCHEMA, PatchRecord, are_distinct, number_texts, to_table

RECORD = PatchRecord(
    patch_id="S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57",
    scene="S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP",
    product="S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP",
    tile="33UUP",
    column=26,
    row=57,
    crs="EPSG:32633",
    ulx=331200.0,
    uly=5331600.0,
    sensing_time=datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC),
    season="summer",
    country=None,
    source="S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_20170613T101608",
    v1_name=None,
    classes=[112, 312],
    shares=[0.25, 0.5],
    pixels=[3600, 7200],
    labels=["Discontinuous urban fabric", "Coniferous forest"],
    nodata=0.0,
    geometry=b"",
)


def test_the_schema_is_the_record() -> None:
    assert SCHEMA.names == [field.name for field in fields(PatchRecord)]


def test_a_record_goes_through_a_table_unchanged() -> None:
    (row,) = to_table([RECORD]).to_pylist()
    assert PatchRecord.from_row(row) == RECORD
    assert RECORD.id == PatchId.parse(RECORD.patch_id)


def test_no_record_makes_an_empty_table_of_the_same_schema() -> None:
    assert to_table([]).schema == SCHEMA


@given(st.lists(st.lists(st.sampled_from("abcd")), max_size=4), st.booleans())
def test_texts_are_numbered_as_they_first_occur(parts: list[list[str]], coded: bool) -> None:
    texts = [text for part in parts for text in part]
    column = pa.chunked_array([pa.array(part, pa.string()) for part in parts], pa.string())
    if coded:
        chunks = [chunk.dictionary_encode() for chunk in column.chunks]
        column = pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.string()))
    names, numbers = number_texts(column)
    assert names == list(dict.fromkeys(texts))
    assert [names[number] for number in numbers] == texts


@given(st.lists(st.sampled_from("abcdefgh"), max_size=6), st.booleans(), st.integers(0, 6))
def test_a_text_that_occurs_twice_is_found_in_any_order(
    texts: list[str], sort: bool, cut: int
) -> None:
    texts = sorted(texts) if sort else texts
    column = pa.chunked_array([texts[:cut], texts[cut:]], pa.string())
    assert are_distinct(column) == (len(set(texts)) == len(texts))
