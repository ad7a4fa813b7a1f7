from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.errors import InputError, MissingError
from benforge.published.lists import V2_SCHEMA, find_lists
from benforge.splits.make import make_split
from benforge.splits.published import choose_edition, published_parts

V1 = [f"S2A_MSIL2A_20170613T101031_{n}_57" for n in range(4)]
V2 = [f"S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_{n:02}_57" for n in range(4)]


def write_v1(folder: Path, train: list[str], val: list[str], test: list[str]) -> None:
    for name, patches in (("train", train), ("val", val), ("test", test)):
        (folder / f"{name}.csv").write_text("".join(f"{patch}\n" for patch in patches))


def write_v2(folder: Path) -> None:
    columns = {
        "patch_id": V2[:3],
        "labels": [["Pastures"]] * 3,
        "split": ["test", "validation", "train"],
        "country": ["Austria"] * 3,
        "s1_name": V1[:3],
        "s2v1_name": V1[:3],
        "contains_seasonal_snow": [False] * 3,
        "contains_cloud_or_shadow": [False] * 3,
    }
    pq.write_table(pa.table(columns, V2_SCHEMA), folder / "metadata.parquet")


def index(ids: list[str]) -> pa.Table:
    return pa.table(
        {
            "patch_id": ids,
            "v1_name": pa.array([*V1[:3], None]),
            "labels": pa.array([["Pastures"]] * 4),
        }
    )


def test_v1_goes_by_the_v1_name(tmp_path: Path) -> None:
    write_v1(tmp_path, V1[:1], V1[1:2], V1[2:])
    lists = find_lists(tmp_path)
    assert choose_edition(lists, "mine") == "v1"
    parts = published_parts(index(["a", "b", "c", "d"]), lists, "v1")
    assert parts.tolist() == ["train", "validation", "test", None]


@pytest.mark.parametrize("ids", [V2, ["a", "b", "c", "d"]], ids=["patch id", "v1 name"])
def test_v2_goes_by_patch_id_or_v1_name(tmp_path: Path, ids: list[str]) -> None:
    write_v2(tmp_path)
    lists = find_lists(tmp_path)
    assert choose_edition(lists, "") == "v2"
    assert published_parts(index(ids), lists, "v2").tolist() == [
        "test",
        "validation",
        "train",
        None,
    ]


def test_of_two_published_splits_the_name_says_which(tmp_path: Path) -> None:
    write_v1(tmp_path, V1[:1], V1[1:2], V1[2:])
    write_v2(tmp_path)
    lists = find_lists(tmp_path)
    with pytest.raises(InputError, match=f"{tmp_path}: .*--name v1 or --name v2"):
        choose_edition(lists, "published")
    sizes = [
        make_split(index(V2), "published", name=n, lists=lists).assign(pa.array(V2))
        for n in ("v1", "my-v2")
    ]
    assert [s.to_pylist()[0] for s in sizes] == ["train", "test"]


def test_lists_that_contradict_themselves_or_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no published split"):
        choose_edition(find_lists(tmp_path), "")
    (tmp_path / "train.csv").write_text(f"{V1[0]}\n")
    lacking = f"{tmp_path}.*v1 lacks val.csv, test.csv.*: --metadata"
    with pytest.raises(MissingError, match=lacking):
        choose_edition(find_lists(tmp_path), "", option="--metadata")
    write_v1(tmp_path, V1[:2], V1[1:2], V1[2:])
    with pytest.raises(InputError, match=f"{tmp_path}: .*twice"):
        published_parts(index(V2), find_lists(tmp_path), "v1")


def test_lists_of_other_patches_leave_every_part_empty(tmp_path: Path) -> None:
    write_v1(tmp_path, *([f"S2A_MSIL2A_20180613T101031_{n}_57"] for n in range(3)))
    with pytest.raises(InputError, match="train and validation and test empty"):
        make_split(index(V2), "published", lists=find_lists(tmp_path))
