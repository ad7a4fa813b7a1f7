from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.archive.archive import Archive
from benforge.archive.sidecars import published_flags, published_split
from benforge.errors import BenError, InputError, MissingError
from benforge.layouts.import_lists import PUBLISHED_V2, find_import_lists, read_import_lists
from benforge.layouts.port import ImportOptions
from benforge.layouts.v1_import import import_v1
from benforge.published.lists import V2_SCHEMA, find_lists
from tests.layouts.v1_patches import make_patch

NAMES = [f"S2A_MSIL2A_20190613T101031_{column}_0" for column in range(4)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in NAMES:
        make_patch(tmp_path / "layout", name)
    return tmp_path / "layout"


def write_list(folder: Path, name: str, *patches: str) -> None:
    (folder / name).write_text("".join(f"{patch}\n" for patch in patches) or "\n")


def write_metadata(folder: Path, splits: dict[str, str | None], *, snow: str = "") -> None:
    rows = [
        {"patch_id": f"v2-{v1}", "labels": [], "split": part, "s2v1_name": v1}
        | {"contains_seasonal_snow": v1 == snow, "contains_cloud_or_shadow": None}
        for v1, part in splits.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows, V2_SCHEMA), folder / "metadata.parquet")


def test_lists_beside_the_patches_become_flags_and_splits(source, tmp_path):
    write_list(source, "train.csv", NAMES[0])
    write_list(source, "test.csv", NAMES[1], "S2A_MSIL2A_20990101T101031_0_0")
    write_list(source, "val.csv")
    write_list(source, "patches_with_seasonal_snow.csv", NAMES[2])
    write_list(source, "patches_with_cloud_and_shadow.csv")
    write_metadata(source, {NAMES[3]: "test", NAMES[0]: None})
    summary = import_v1(source, tmp_path / "archive")
    assert (summary.flags, summary.splits) == (("published",), ("published", PUBLISHED_V2))
    archive = Archive.open(tmp_path / "archive")
    split, flags = published_split(archive.root), published_flags(archive.root)
    assert split.assign(archive.index["patch_id"]).to_pylist() == ["train", "test", None, None]
    assert flags.marked(archive.index["patch_id"]).tolist() == [False, False, True, False]
    assert flags.table["cloud_or_shadow"].to_pylist() == [False] * 4


def test_flags_of_v2_serve_where_v1_has_no_lists(source, tmp_path):
    write_metadata(source, dict.fromkeys(NAMES[:2]), snow=NAMES[1])
    summary = import_v1(source, tmp_path / "archive")
    assert (summary.flags, summary.splits) == (("published",), ())
    assert published_flags(tmp_path / "archive").table["seasonal_snow"].to_pylist() == [False, True]


def test_lists_of_other_patches_bring_nothing(source, tmp_path):
    write_metadata(source, {"S2A_MSIL2A_20990101T101031_0_0": "train"})
    write_list(source, "train.csv", "S2A_MSIL2A_20990101T101031_0_0")
    summary = import_v1(source, tmp_path / "archive")
    assert (summary.flags, summary.splits) == ((), ())


def _both(folder: Path) -> None:
    write_list(folder, "train.csv", *NAMES[:2])
    write_list(folder, "test.csv", *NAMES[1:])


BAD = {
    "two parts": (_both, rf"test\.csv: {NAMES[1]} stands in train\.csv too"),
    "no part": (
        lambda folder: write_metadata(folder, {NAMES[0]: "banana"}),
        r"metadata\.parquet: v2-S2A_MSIL2A_20190613T101031_0_0 is of the part 'banana'",
    ),
    "no byte": (lambda folder: (folder / "train.csv").touch(), r"train\.csv: .*cannot be read"),
    "no name": (lambda folder: write_list(folder, "val.csv", "foo"), "'foo' is no v1 patch name"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_lists_stop_an_import_before_anything_is_written(source, tmp_path, case):
    spoil, words = BAD[case]
    spoil(source)
    with pytest.raises(InputError, match=words) as caught:
        import_v1(source, tmp_path / "archive")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "archive").exists()


def test_a_folder_that_is_named_must_hold_lists(source, tmp_path):
    with pytest.raises(MissingError, match="nowhere: there is no such folder"):
        import_v1(source, tmp_path / "archive", ImportOptions(metadata=tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BenError, match="empty: holds no published list"):
        find_import_lists(tmp_path / "empty")
    assert not find_import_lists(None, tmp_path / "empty")


def test_the_published_lists_are_in_order(published_metadata):
    found = read_import_lists(find_lists(published_metadata))
    assert {part: len(names) for part, names in found.parts.items()} == {
        "train": 269_695,
        "validation": 123_723,
        "test": 125_866,
    }
    assert len(found.v2) == 549_488
