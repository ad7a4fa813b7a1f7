from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.sidecars import (
    read_flags,
    read_split,
    sidecar_names,
    write_flags,
    write_split,
)
from benforge.core.flags import Flags
from benforge.core.split import Split
from benforge.errors import ArchiveError, BenError, ConflictError, InputError, MissingError
from benforge.testing.archives import make_scene, small_frame, write_archive

SPLIT = Split.of(
    "mine", "paper-random", pa.array(["b", "a"]), ["test", "train"], seed=3, parameters={"x": [1]}
)
FLAGS = Flags.of("mine", "a person", pa.array(["b", "a"]), {"haze": np.array([True, False])})


def test_a_split_comes_back_and_any_tool_reads_it(tmp_path):
    path = write_split(tmp_path, SPLIT)
    found = read_split(tmp_path, "mine")
    assert (found.rule, found.seed, found.parameters) == ("paper-random", 3, {"x": [1]})
    assert found.table.equals(SPLIT.table)
    rows = duckdb.sql(f"SELECT * FROM '{path}' ORDER BY patch_id").fetchall()
    assert rows == [("a", "train"), ("b", "test")]


def test_flags_come_back(tmp_path):
    write_flags(tmp_path, FLAGS)
    found = read_flags(tmp_path, "mine")
    assert found.source == "a person"
    assert found.table.equals(FLAGS.table)


def test_the_same_again_changes_no_byte_and_another_is_refused(tmp_path):
    path = write_split(tmp_path, SPLIT)
    before = path.read_bytes()
    assert write_split(tmp_path, SPLIT).read_bytes() == before
    other = Split.of("mine", "by-tile", pa.array(["a"]), ["train"])
    with pytest.raises(ConflictError, match="another split of this name"):
        write_split(tmp_path, other)
    write_split(tmp_path, other, replace=True)
    assert read_split(tmp_path, "mine").rule == "by-tile"
    write_flags(tmp_path, FLAGS)
    with pytest.raises(ConflictError, match="another set of flags"):
        write_flags(tmp_path, Flags.of("mine", "x", pa.array(["z"]), {"haze": np.array([True])}))


def test_missing_damaged_and_misnamed_are_told(tmp_path):
    path = write_split(tmp_path, SPLIT)
    with pytest.raises(MissingError, match="It has: mine"):
        read_split(tmp_path, "yours")
    with pytest.raises(InputError, match="no name for splits"):
        read_split(tmp_path, "../mine")
    table = pq.read_table(path)
    changed = table.set_column(1, "part", pa.array(["test", "test"]))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(ArchiveError, match="do not match its hash"):
        read_split(tmp_path, "mine")
    for damage in (b"", b"PAR1", path.read_bytes()[:-9]):
        path.write_bytes(damage)
        with pytest.raises(BenError, match="damaged"):
            read_split(tmp_path, "mine")


def test_check_names_damaged_sidecars_and_strangers(tmp_path):
    root = write_archive(tmp_path / "archive", make_scene(small_frame()))
    ids = Archive.open(root).index["patch_id"]
    write_split(root, Split.of("good", "x", ids, ["train"] * len(ids)))
    assert not check_archive(root)
    write_flags(root, FLAGS)
    (root / "splits" / "bad.parquet").write_bytes(b"?")
    found = {finding.what: finding.severity for finding in check_archive(root)}
    assert found["2 of 2 patches named are not in the archive"] == "note"
    assert any(what.startswith("damaged") and found[what] == "error" for what in found)
    assert sidecar_names(root, "splits") == ("bad", "good")
