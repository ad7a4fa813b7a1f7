from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.archive.sidecars import sidecar_names
from benforge.errors import ArchiveError, ConflictError, InputError, MissingError
from benforge.quality.screening import SCHEMA, Screening
from benforge.quality.screening_files import read_screening, write_screening

ROWS = [
    {
        "patch_id": name,
        "snow": snow,
        "cloud": 0.0,
        "shadow": 0.0,
        "nodata": 0.0,
        "seasonal_snow": snow > 0.5,
        "cloud_or_shadow": False,
        "seasonal_snow_confidence": 0.75,
        "cloud_or_shadow_confidence": 1.0,
        "source": "bands",
    }
    for name, snow in (("a", 1.0), ("b", 0.25))
]


def screening(**changed: object) -> Screening:
    parts = {
        "name": "screen",
        "method": "indices 1",
        "table": pa.Table.from_pylist(ROWS, schema=SCHEMA),
        "parameters": {"minimum": 0.5},
        "simulated": True,
    }
    return Screening(**{**parts, **changed})


def test_a_screening_comes_back_and_any_tool_reads_it(tmp_path):
    path = write_screening(tmp_path, screening())
    found = read_screening(tmp_path)
    assert (found.name, found.method, found.parameters) == ("screen", "indices 1", {"minimum": 0.5})
    assert found.simulated
    assert found.table.equals(screening().table)
    assert found.table.schema.equals(SCHEMA)
    rows = duckdb.sql(f"SELECT patch_id, snow, source FROM '{path}' ORDER BY patch_id").fetchall()
    assert rows == [("a", 1.0, "bands"), ("b", 0.25, "bands")]
    assert sidecar_names(tmp_path, "screenings") == ("screen",)


def test_the_same_again_changes_no_byte_and_another_is_refused(tmp_path):
    path = write_screening(tmp_path, screening())
    before = path.read_bytes()
    assert write_screening(tmp_path, screening()).read_bytes() == before
    for other in (screening(parameters={"minimum": 0.6}), screening(simulated=False)):
        with pytest.raises(ConflictError, match="another screening of this name"):
            write_screening(tmp_path, other)
    write_screening(tmp_path, screening(method="other 2"), replace=True)
    assert read_screening(tmp_path).method == "other 2"


def test_missing_damaged_and_misnamed_are_told(tmp_path):
    path = write_screening(tmp_path, screening())
    with pytest.raises(MissingError, match="It has: screen"):
        read_screening(tmp_path, "other")
    with pytest.raises(InputError, match="no name for screenings"):
        read_screening(tmp_path, "../screen")
    table = pq.read_table(path)
    wrong = [
        table.set_column(1, "snow", pa.array([2.0, 0.0], pa.float32())),
        table.set_column(1, "snow", pa.array([float("nan"), 0.0], pa.float32())),
        table.drop_columns(["cloud"]),
        pa.concat_tables([table, table]),
    ]
    for changed in wrong:
        pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
        with pytest.raises(ArchiveError, match="damaged"):
            read_screening(tmp_path)
    path.write_bytes(b"PAR1")
    with pytest.raises(ArchiveError, match="damaged"):
        read_screening(tmp_path)


def test_a_patch_named_twice_is_refused():
    with pytest.raises(InputError, match="names a patch twice"):
        screening(table=pa.Table.from_pylist([ROWS[0], ROWS[0]], schema=SCHEMA))
