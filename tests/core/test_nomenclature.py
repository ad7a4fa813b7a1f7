"""The shipped nomenclatures and crosswalks say what the published ones say."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given

from benforge.core.nomenclature import (
    Crosswalk,
    LandCoverClass,
    Nomenclature,
    load_crosswalk,
    load_nomenclature,
)
from benforge.errors import InputError
from benforge.testing.strategies import crosswalks, nomenclatures

SIZES = {"clc-44": 44, "clc-43": 43, "ben-19": 19, "clc-level-2": 15, "clc-level-1": 5}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_sizes(name: str, size: int) -> None:
    nomenclature = load_nomenclature(name)
    assert len(nomenclature) == size
    assert nomenclature.name == name
    for c in nomenclature.classes:
        assert nomenclature.by_code(c.code) is nomenclature.by_name(c.name) is c


def test_clc_legend(shared_data: Path) -> None:
    with (shared_data / "corine/legend/CLC_legend.csv").open(encoding="utf-8-sig") as stream:
        legend = list(csv.DictReader(stream, delimiter=";"))
    rows = {int(row["CLC_CODE"]): row for row in legend if int(row["GRID_CODE"]) <= 44}
    for position, c in enumerate(load_nomenclature("clc-44").classes, start=1):
        assert int(rows[c.code]["GRID_CODE"]) == position
        assert rows[c.code]["RGB"] == "-".join(f"{part:03d}" for part in c.color)


def test_published_names_of_19_classes(shared_data: Path) -> None:
    labels = pq.read_table(
        shared_data / "bigearthnet/metadata/metadata.parquet", columns=["labels"]
    )["labels"]
    published = {name.as_py() for name in labels.combine_chunks().flatten().unique()}
    assert published == set(load_nomenclature("ben-19").names)


def test_published_names_of_43_classes(shared_data: Path) -> None:
    classes = load_nomenclature("clc-43")
    sample = (shared_data / "bigearthnet/v1-sample").glob("*/*_labels_metadata.json")
    names = {name for path in sample for name in json.loads(path.read_text())["labels"]}
    assert names
    assert all(classes.by_name(name) for name in names)


def test_what_is_dropped() -> None:
    """Fidelity rules 11 and 12."""
    assert load_crosswalk("clc-43").dropped == (335,)
    dropped = {122, 123, 124, 131, 132, 133, 141, 142, 332, 334, 335, 423}
    assert set(load_crosswalk("ben-19").dropped) == dropped


@pytest.mark.parametrize(("name", "digits"), [("clc-level-2", 2), ("clc-level-1", 1)])
def test_levels_are_leading_digits(name: str, digits: int) -> None:
    crosswalk = load_crosswalk(name)
    assert all(crosswalk(code) == int(str(code)[:digits]) for code in crosswalk.source.codes)


@given(nomenclature=nomenclatures())
def test_codes_lead_back(nomenclature: Nomenclature) -> None:
    assert [nomenclature.by_code(code) for code in nomenclature.codes] == [*nomenclature.classes]
    assert all(code in nomenclature for code in nomenclature.codes)


@given(crosswalk=crosswalks())
def test_every_code_is_covered(crosswalk: Crosswalk) -> None:
    for code in crosswalk.source.codes:
        assert (crosswalk(code) is None) == (code in crosswalk.dropped)


def test_wrong_nomenclatures() -> None:
    one, same_code = LandCoverClass(1, "a", (0, 0, 0)), LandCoverClass(1, "b", (0, 0, 0))
    same_name = LandCoverClass(2, "c", (0, 0, 0), ("a",))
    for classes in ((one, same_code), (one, same_name)):
        with pytest.raises(InputError, match="share a code or a name"):
            Nomenclature("wrong", classes)


def test_unknown_classes() -> None:
    classes = load_nomenclature("ben-19")
    with pytest.raises(InputError, match="ben-19: no class has the code 99"):
        classes.by_code(99)
    with pytest.raises(InputError, match="ben-19: no class is called 'Moon'"):
        classes.by_name("Moon")
    with pytest.raises(InputError, match="no nomenclature is called"):
        load_nomenclature("ben-20")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({1: 1}, r"codes \[2\] lead nowhere"),
        ({1: 1, 2: None, 3: 1}, r"codes \[3\] are not of the source"),
        ({1: 1, 2: 9}, r"codes \[9\] are not of the target"),
    ],
)
def test_wrong_crosswalks(mapping: dict[int, int | None], message: str) -> None:
    two = Nomenclature("two", tuple(LandCoverClass(i, f"class {i}", (0, 0, 0)) for i in (1, 2)))
    with pytest.raises(InputError, match=message):
        Crosswalk(two, two, mapping)
    with pytest.raises(InputError, match="no class has the code 5"):
        Crosswalk(two, two, {1: 1, 2: 2})(5)
