from dataclasses import fields
from datetime import UTC, datetime

from benforge.core.identity import PatchId
from benforge.core.record import SCHEMA, PatchRecord, to_table

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
