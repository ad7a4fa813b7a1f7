"""The facts of the published lists, and of lists that contradict them."""

from __future__ import annotations

import bz2
import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benforge.conformance.conform import conform
from benforge.conformance.fact import Fact, run_check
from benforge.conformance.metadata import Metadata
from benforge.conformance.published_second import CHECKS
from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import InputError, MissingError
from benforge.published.lists import find_lists

NAME = "S2A_MSIL2A_20170613T101031_{column}_{row}"
PRODUCT = "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608"


@pytest.fixture(scope="module")
def facts(published_metadata: Path) -> list[Fact]:
    """All that the published lists tell."""
    return conform(metadata=published_metadata)


def by_name(facts: Sequence[Fact]) -> dict[str, Fact]:
    found = {fact.fact: fact for fact in facts}
    assert len(found) == len(facts), "two facts of one name"
    return found


def test_nothing_differs(facts: list[Fact]) -> None:
    assert [fact for fact in facts if fact.equal is False] == []
    assert [fact.fact for fact in facts if fact.equal is None] == [
        "bands, in order; patch sizes",
        "patches of each class of Table 2, counted",
        "labels of a v1 patch",
        "v1 patches with at most 5 labels",
        "v1 patches with more than 9 labels",
    ]
    assert len(facts) > 70


@pytest.mark.slow
def test_found_by_pandas_too(facts: list[Fact], published_metadata: Path) -> None:
    found = {name: fact.found for name, fact in by_name(facts).items()}
    geometry = pd.read_parquet(published_metadata / "patch_geometry.parquet")
    places = geometry[["tile", "ulx", "uly"]].drop_duplicates()
    assert found["distinct footprints"] == len(places)
    flagged = pd.read_parquet(
        published_metadata / "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
    )
    v2 = pd.concat([pd.read_parquet(published_metadata / "metadata.parquet"), flagged])
    assert found["patches of v2"] == len(v2)
    assert found["most labels of a v2 patch"] == v2["labels"].map(len).max()
    assert found["mean labels of a v2 patch"] == round(v2["labels"].map(len).mean(), 4)
    time = geometry["name"].str.extract(r"T(\d+)_\d+_\d+$")[0]
    assert found["names with seconds of 60 and more"] == f"{(time.str[-2:] >= '60').sum():,} names"
    assert found["labels of all v2 patches"] == v2["labels"].map(len).sum() == 1_623_173
    lines = v2.sort_values("patch_id").apply(
        lambda r: f"{r.patch_id}\t{'|'.join(r.labels)}", axis=1
    )
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert digest.startswith(str(found["labels of each v2 patch, by SHA-256"]))
    table_2 = pd.read_csv(published_metadata / "table2_class_counts.csv", skipinitialspace=True)
    assert found["sum of Table 2"] == table_2.iloc[:, 1].sum()


def test_labels_that_changed_places(published_metadata: Path, tmp_path: Path) -> None:
    """Two patches of one date: no count, mean or footprint tells."""
    for file in published_metadata.iterdir():
        (tmp_path / file.name).symlink_to(file)
    name = "metadata.parquet"
    table = pq.read_table(published_metadata / name)
    labels = table["labels"].to_pylist()
    other = next(i for i, names in enumerate(labels) if names != labels[0])
    labels[0], labels[other] = labels[other], labels[0]
    place = table.column_names.index("labels")
    (tmp_path / name).unlink()
    pq.write_table(
        table.set_column(place, table.schema.field(place), pa.array(labels, table["labels"].type)),
        tmp_path / name,
    )
    lists = Metadata(find_lists(tmp_path))
    found = {check.fact: run_check(check, lists) for check in CHECKS if check.needs == ("v2",)}
    assert found["labels of each v2 patch, by SHA-256"].equal is False
    assert found["labels of all v2 patches"].equal is True


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Lists of one full block and one flagged patch."""
    cells = [(2, 4), (3, 4), (2, 5), (3, 5)]
    names = [NAME.format(column=c, row=r) for c, r in cells]
    snow = NAME.format(column=9, row=9)
    links = "".join(f"{name},{PRODUCT}.SAFE,link\n" for name in [*names, snow])
    (tmp_path / "tile_names_and_links.csv").write_text(links)
    (tmp_path / "patches_with_seasonal_snow.csv").write_text(snow)
    (tmp_path / "patches_with_cloud_and_shadow.csv").write_text(names[0].replace("_2_4", "_8_8"))
    (tmp_path / "patches_with_no_19_class_targets.csv").write_text("\n")
    (tmp_path / "train.csv").write_text("\n".join(names[:2]))
    (tmp_path / "val.csv").write_text(names[2])
    (tmp_path / "test.csv").write_text(names[3])
    return tmp_path


BLOCK = "full 2 x 2 block: 2 train, 1 validation, 1 test"


def test_few_patches(few: Path) -> None:
    found = by_name(conform(metadata=few))
    assert (found["products"].found, found["products"].equal) == (1, False)
    assert found[BLOCK].equal is True
    assert found["patches of v2"].found == "not available here: needs metadata.parquet"
    assert found["patches of v2"].equal is None


def test_a_broken_block(few: Path) -> None:
    (few / "train.csv").write_text(NAME.format(column=2, row=4))
    (few / "val.csv").write_text("\n".join(NAME.format(column=c, row=5 - c % 2) for c in (2, 3)))
    assert by_name(conform(metadata=few))[BLOCK].equal is False


def test_a_block_that_lost_its_test_patch(few: Path) -> None:
    (few / "test.csv").write_text("\n")
    assert by_name(conform(metadata=few))[BLOCK].equal is False
    (few / "patches_with_no_19_class_targets.csv").write_text(NAME.format(column=3, row=5))
    assert by_name(conform(metadata=few))[BLOCK].equal is True


def test_names_of_no_patch(few: Path) -> None:
    stranger = NAME.format(column=90, row=90)
    with (few / "test.csv").open("a") as file:
        file.write(f"\n{stranger}")
    fact = by_name(conform(metadata=few))["v1's test"]
    assert (fact.found, fact.equal) == ("2, of which 1 are v1 patches", False)


def _table_2(folder: Path, **changed: int) -> dict[str, Fact]:
    counts = {**load_bigearthnet().class_counts, **changed}
    lines = [f"{name}, {count}" for name, count in counts.items() if "," not in name]
    lines += [f'"{name}", {count}' for name, count in counts.items() if "," in name]
    (folder / "table2_class_counts.csv").write_text("\n".join(["Class, Number", *lines]))
    return by_name(conform(metadata=folder))


CLASSES, EACH = "classes of Table 2, glaciers not among them", "Table 2, class by class"


def test_table_2_is_held_class_by_class(few: Path) -> None:
    assert _table_2(few)[EACH].equal is True
    moved = _table_2(few, Pastures=103_555, Airports=978)
    assert (moved[EACH].found, moved[EACH].equal) == ("41 of 43", False)
    assert moved["sum of Table 2"].equal is True


def test_glaciers_in_table_2(few: Path) -> None:
    assert _table_2(few)[CLASSES].equal is True
    glaciers = {"Glaciers and perpetual snow": 1, "Airports": 0}
    fact = _table_2(few, **glaciers)[CLASSES]
    assert (fact.found, fact.equal) == (43, False)


def _write_geometry(folder: Path, columns: Sequence[int], left: int = 300_000) -> Fact:
    rows = [(c, 4 + i // 2) for i, c in enumerate([2, 3, 2, 3])] + [(9, 9)]
    table = pd.DataFrame(
        {
            "name": [NAME.format(column=c, row=r) for c, r in rows],
            "tile": "33UUP",
            "epsg": 32633,
            "ulx": [left + 1200 * c for c, _ in rows],
            "uly": [5_400_000 - 1200 * r for _, r in rows],
            "country": "Austria",
        }
    )
    table.iloc[list(columns)].to_parquet(folder / "patch_geometry.parquet")
    return by_name(conform(metadata=folder))["corner: the tile's + 1,200 m a step"]


def test_corners(few: Path) -> None:
    whole = _write_geometry(few, range(5))
    assert (whole.found, whole.equal) == ("5 of 5", True)
    lost = _write_geometry(few, range(4))
    assert (lost.found, lost.equal) == ("4 of 5", False)
    assert _write_geometry(few, range(5), left=300_010).found == "0 of 5"


def test_a_patch_in_two_parts(few: Path) -> None:
    (few / "val.csv").write_text(NAME.format(column=3, row=5))
    fact = by_name(conform(metadata=few))["patches in two parts of v1"]
    assert (fact.found, fact.equal) == (1, False)


def test_a_name_counted_past_a_gap(few: Path) -> None:
    links = few / "tile_names_and_links.csv"
    links.write_text(links.read_text().replace("T101031_2_4", "T101033_2_4"))
    found = by_name(conform(metadata=few))
    assert found["other names count up 0, 1, 2, ... at a place"].equal is False
    assert found["names whose time is counted up"].found == 1


def test_a_crosswalk_of_other_classes(published_metadata: Path, few: Path) -> None:
    text = (published_metadata / "clc_metadata.json").read_text()
    wrong = text.replace('"name_19": "Pastures"', '"name_19": "Arable land"')
    (few / "clc_metadata.json").write_text(wrong)
    fact = by_name(conform(metadata=few))["crosswalk to 19 classes, code by code"]
    assert (fact.found, fact.equal) == ("44 of 45", False)


def test_damaged_list(few: Path) -> None:
    (few / "train.csv").unlink()
    (few / "train.csv.bz2").write_bytes(bz2.compress(b"x" * 99)[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        conform(metadata=few)


def test_nothing_to_hold(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to hold"):
        conform()
    with pytest.raises(MissingError, match="no published list"):
        conform(metadata=tmp_path)
    with pytest.raises(MissingError, match="no such folder"):
        conform(metadata=tmp_path / "none")
    with pytest.raises(MissingError):
        conform(tmp_path / "none")
