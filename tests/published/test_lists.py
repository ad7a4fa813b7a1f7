"""Published lists: found, read, and refused in one line where they are damaged."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.errors import InputError, MissingError
from benforge.published.lists import (
    CROSSWALK,
    NAME_LISTS,
    PARQUET_LISTS,
    TEXT_LISTS,
    V2_SCHEMA,
    find_lists,
)

ONE, TWO = "S2A_MSIL2A_20170613T101031_26_57", "S2B_MSIL2A_20180204T94161_7_0"


def test_every_kind_is_found(published_metadata: Path) -> None:
    lists = find_lists(published_metadata)
    assert set(lists.files) == {*TEXT_LISTS, *PARQUET_LISTS, CROSSWALK}
    assert all(lists.has(kind) for kind in (*lists.files, "v2"))


def test_names_as_pandas_reads_them(published_metadata: Path) -> None:
    lists = find_lists(published_metadata)
    for kind in ("test", "cloud_or_shadow", "no_19_class"):
        oracle = pd.read_csv(lists.files[kind], header=None)[0]
        assert lists.names(kind).to_pylist() == oracle.tolist()


@pytest.mark.slow
def test_tables_as_pandas_reads_them(published_metadata: Path) -> None:
    lists = find_lists(published_metadata)
    links = pd.read_csv(lists.files["products"], header=None, nrows=1000)
    products = lists.products().slice(0, 1000).to_pydict()
    assert products["v1_name"] == links[0].tolist()
    assert [f"{source}.SAFE" for source in products["source"]] == links[1].tolist()
    assert lists.v2()["patch_id"].to_pylist()[-1].startswith("S2")
    assert len(lists.v2()) == 549_488
    assert len(lists.geometry()) == 590_326
    counts = lists.class_counts()
    assert counts["Mixed forest"] == 217_119
    assert len(counts) == 43


@pytest.mark.slow
def test_published_seasons(published_metadata: Path) -> None:
    seasons = find_lists(published_metadata).countries_and_seasons()
    assert seasons.column_names == ["v1_name", "s1_name", "country", "season"]
    counts = {c["values"]: c["counts"] for c in seasons["season"].value_counts().to_pylist()}
    assert counts == {"Fall": 155_381, "Spring": 189_276, "Summer": 128_836, "Winter": 116_833}


@pytest.mark.parametrize("ending", [".csv", ".csv.bz2", ".csv.gz"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_endings(tmp_path: Path, ending: str, line_end: str) -> None:
    data = line_end.join([ONE, TWO]).encode()
    pack = {".csv": bytes, ".csv.bz2": bz2.compress, ".csv.gz": gzip.compress}[ending]
    (tmp_path / f"train{ending}").write_bytes(pack(data))
    assert find_lists(tmp_path).names("train").to_pylist() == [ONE, TWO]


def test_first_folder_wins(tmp_path: Path) -> None:
    for folder, name in (("a", ONE), ("b", TWO)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train.csv").write_text(name)
    (tmp_path / "b" / "test.csv").write_text(ONE)
    lists = find_lists(tmp_path / "nothing", tmp_path / "a", tmp_path / "b")
    assert lists.names("train").to_pylist() == [ONE]
    assert lists.names("test").to_pylist() == [ONE]
    assert not lists.has("val")


def test_nothing_found(tmp_path: Path) -> None:
    lists = find_lists(tmp_path)
    assert not lists
    with pytest.raises(MissingError, match=r"tile_names_and_links\.csv"):
        lists.products()
    with pytest.raises(MissingError, match=r"metadata\.parquet"):
        lists.v2()
    with pytest.raises(InputError, match="no list of names is called 'training'"):
        lists.names("training")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.csv.bz2", bz2.compress(ONE.encode())[:-5]),
        ("train.csv.bz2", b""),
        ("train.csv.bz2", b"PK\x03\x04 not bz2"),
        ("train.csv.gz", gzip.compress(ONE.encode(), mtime=0)[:-5]),
        ("train.csv.gz", gzip.compress(ONE.encode(), mtime=0)[:-9] + b"\0" * 9),
        ("train.csv", b""),
        ("train.csv", f"{ONE},{TWO}".encode()),
        ("train.csv", b"\xff\xfe\x00"),
        ("train.csv", f"{ONE}\n{TWO}\n{ONE}".encode()),
        ("train.csv", f"{ONE}\nS2B_MSIL2A_2018".encode()),
        ("train.csv", b"<html><body>Not found</body></html>"),
    ],
)
def test_damaged_names(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=r"train\.csv") as caught:
        find_lists(tmp_path).names("train")
    assert "\n" not in str(caught.value)


def test_damaged_tables(tmp_path: Path) -> None:
    (tmp_path / "tile_names_and_links.csv").write_text(f"{ONE},S2A_MSIL1C\n")
    (tmp_path / "s1_s2_name_country_season.csv").write_text(f"s2_name,country\n{ONE},Austria\n")
    (tmp_path / "table2_class_counts.csv").write_text("Class, Number\nMixed forest, many\n")
    (tmp_path / "patch_geometry.parquet").write_bytes(b"PAR1 and no more")
    pq.write_table(pa.table({"patch_id": ["a"]}), tmp_path / "metadata.parquet")
    lists = find_lists(tmp_path)
    for read in (lists.products, lists.geometry, lists.countries_and_seasons):
        with pytest.raises(InputError, match="cannot be read"):
            read()
    with pytest.raises(InputError, match="no number"):
        lists.class_counts()
    (tmp_path / "table2_class_counts.csv").write_text("Class, Number\nMixd forest, 3\n")
    with pytest.raises(InputError, match=r"table2_class_counts\.csv: .*Mixd forest.*Mixed forest"):
        lists.class_counts()
    with pytest.raises(InputError, match="it has no column labels, split"):
        lists.v2()


def test_crosswalk(published_metadata: Path, tmp_path: Path) -> None:
    found = find_lists(published_metadata).crosswalk()
    assert (found[241], found[335]) == ("Permanent crops", None)
    assert len(found) == 45
    (tmp_path / "clc_metadata.json").write_text('{"clc_data": [{"code": "here"')
    with pytest.raises(InputError, match="cannot be read"):
        find_lists(tmp_path).crosswalk()


def test_a_patch_in_both_parts_of_v2(tmp_path: Path) -> None:
    row = pa.table([pa.array([None], field.type) for field in V2_SCHEMA], schema=V2_SCHEMA)
    row = row.set_column(0, "patch_id", pa.array(["one"]))
    pq.write_table(row, tmp_path / PARQUET_LISTS["v2_unflagged"])
    assert len(find_lists(tmp_path).v2()) == 1
    pq.write_table(row, tmp_path / PARQUET_LISTS["v2_flagged"])
    with pytest.raises(InputError, match=f"{tmp_path.name}: one stands there twice"):
        find_lists(tmp_path).v2()


@pytest.mark.parametrize("kind", ["v2_unflagged", "v2_flagged"])
def test_a_patch_twice_in_one_part_of_v2(tmp_path: Path, kind: str) -> None:
    row = pa.table([pa.array([None], field.type) for field in V2_SCHEMA], schema=V2_SCHEMA)
    for one in ("v2_unflagged", "v2_flagged"):
        named = row.set_column(0, "patch_id", pa.array([one]))
        table = pa.concat_tables([named] * (1 + (one == kind)))
        pq.write_table(table, tmp_path / PARQUET_LISTS[one])
    with pytest.raises(InputError, match=f"{PARQUET_LISTS[kind]}: {kind} stands there twice"):
        find_lists(tmp_path).v2()


def test_kinds_of_names_are_kinds() -> None:
    assert set(NAME_LISTS) <= set(TEXT_LISTS)
