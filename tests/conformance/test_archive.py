"""Archives that keep the published rules, and archives that break one each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benforge.archive.archive import Archive
from benforge.archive.sidecars import PUBLISHED, write_flags, write_split
from benforge.conformance import holding
from benforge.conformance.archive_counts import count_checks
from benforge.conformance.archive_lists import LIST_CHECKS, LIST_CHECKS_V1
from benforge.conformance.archive_rules import ALWAYS, V1, V2
from benforge.conformance.conform import conform
from benforge.conformance.fact import Fact, run_checks
from benforge.conformance.holding import Holding
from benforge.conformance.metadata import Metadata
from benforge.core.flags import Flags
from benforge.core.nomenclature import load_nomenclature
from benforge.core.split import Split
from benforge.published.lists import find_lists
from benforge.splits.rules import ben_v2_parts
from benforge.testing.archives import make_scene, write_archive


def ask(archive: Archive, metadata: Metadata | None = None) -> dict[str, Fact]:
    checks = [*ALWAYS, *V1, *count_checks("v1")]
    if metadata is not None:
        checks += [*LIST_CHECKS, *LIST_CHECKS_V1]
    return {fact.fact: fact for fact in run_checks(checks, Holding(archive, metadata))}


def test_the_sample(imported_sample: Archive) -> None:
    facts = conform(imported_sample.root)
    assert [fact for fact in facts if fact.equal is False] == []
    found = {fact.fact: fact for fact in facts}
    assert found["corner is the tile's and an edge a column or row"].found == "66 of 66"
    assert (found["patches"].found, found["patches"].equal) == ("66; a part", None)
    assert sum(fact.equal is True for fact in facts) >= 13


def _set(name: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    """The first row with another value in a column."""

    def change(index: pa.Table) -> pa.Table:
        at, field = index.column_names.index(name), index.schema.field(name)
        values = index[name].to_pylist()
        values[0] = value(values[0]) if callable(value) else value
        return index.set_column(at, field, pa.array(values, field.type))

    return change


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (_set("column", 91), "columns and rows from 0 to 90"),
        (_set("row", -1), "columns and rows from 0 to 90"),
        (_set("ulx", lambda x: x + 10), "corner is the tile's and an edge a column or row"),
        (_set("crs", "EPSG:32601"), "corner is the tile's and an edge a column or row"),
        (_set("patch_id", "S2A_T33UUP_00_00"), "id is product, column and row"),
        (
            _set("v1_name", "S2A_MSIL2A_20170613T101036_0_45"),
            "v1 name is that of product, column, row, time",
        ),
        (_set("season", "winter"), "season is that of the month"),
        (_set("labels", ["Lava"]), "labels are of the archive's classes"),
        (_set("labels", []), "labels of a patch from 1 to 12"),
    ],
)
def test_one_wrong_patch(
    imported_sample: Archive, change: Callable[[pa.Table], pa.Table], fact: str
) -> None:
    index = imported_sample.index.sort_by("v1_name")
    assert ask(replace(imported_sample, index=index))[fact].equal is True
    found = ask(replace(imported_sample, index=change(index)))[fact]
    assert found.equal is False
    assert str(found.found).split(" of ")[0] < str(found.found).split(" of ")[1]


BANDS, SIZES = "bands, in order", "patch sizes at 10, 20 and 60 m"


@pytest.mark.parametrize(
    ("array", "before", "after", "fact", "found"),
    [
        ("r10m", '"B02",', '"B03",', BANDS, "B02 B03 B04 B08; B03 B03 B04 B08"),
        ("r60m", "20,", "10,", SIZES, "120, 60, 10 x 20 or 20"),
    ],
)
def test_arrays_are_asked(
    imported_sample: Archive, tmp_path: Path, array: str, before: str, after: str, fact: str,
    found: str,
) -> None:  # fmt: skip
    root = tmp_path / "archive"
    shutil.copytree(imported_sample.root, root)
    path = next((root / "scenes").iterdir()) / array / "zarr.json"
    text, (key, _) = path.read_text(), (before.split(",")[0], after)
    assert key in text
    codecs = text.index('"codecs"') if array == "r60m" else 0
    path.write_text(text[:codecs] + text[codecs:].replace(before, after, 1))
    told = {one.fact: one for one in conform(root)}[fact]
    assert told.equal is False
    assert str(told.found).startswith(found)


def test_a_corner_in_another_tile(tmp_path: Path) -> None:
    """Of a tile that is none of the 56, the ground of the scene is asked."""
    product = "S2A_MSIL2A_20170613T101031_N0205_R022_T32TNM"
    archive = Archive.open(write_archive(tmp_path, make_scene(product=product)))
    corner = "corner is the tile's and an edge a column or row"
    assert ask(archive)[corner].equal is True
    moved = archive.index["ulx"].to_numpy() + 1200
    at = archive.index.column_names.index("ulx")
    index = archive.index.set_column(at, archive.index.schema.field("ulx"), pa.array(moved))
    assert ask(replace(archive, index=index))[corner].found == "0 of 6"


def test_two_products_of_one_season(imported_sample: Archive) -> None:
    other = pc.replace_substring(imported_sample.index["product"].cast(pa.string()), "T1", "T0")
    doubled = imported_sample.index.set_column(
        2, imported_sample.index.schema.field("product"), other.dictionary_encode()
    )
    index = pa.concat_tables([imported_sample.index, doubled]).unify_dictionaries()
    assert (
        ask(replace(imported_sample, index=index))["one product of a tile and season"].equal
        is False
    )


def test_countries_that_are_far_away(imported_sample: Archive) -> None:
    country = "country is the nearest of ten polygons"
    held = ask(imported_sample)[country]
    assert held.equal is True
    at, field = 0, imported_sample.index.schema.field("country")
    at = imported_sample.index.column_names.index("country")
    serbia = pa.array(["Serbia"] * len(imported_sample), field.type)
    index = imported_sample.index.set_column(at, field, serbia)
    told = ask(replace(imported_sample, index=index))[country]
    there = (pc.equal(imported_sample.index["country"].cast(pa.string()), "Serbia")).to_pylist()
    assert (told.found, told.equal) == (f"{sum(there)} of 66", False)


def test_an_empty_archive(imported_sample: Archive) -> None:
    found = ask(imported_sample.filter(np.zeros(len(imported_sample), np.bool_)))
    assert not any(fact.equal is False for fact in found.values())
    assert found["season is that of the month"].equal is None


def test_an_archive_of_ones_own(tmp_path: Path) -> None:
    """Patches of 120 m under a profile of the user's: rules of the published are not asked."""
    facts = {fact.fact: fact for fact in conform(write_archive(tmp_path, make_scene()))}
    assert not any(fact.equal is False for fact in facts.values())
    assert facts["patch sizes at 10, 20 and 60 m"].equal is None
    assert facts["id is product, column and row"].equal is True


def test_an_archive_that_claims_to_be_whole(
    imported_sample: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With enough of the published patches every count is held against it."""
    assert not Holding(imported_sample).whole
    monkeypatch.setattr(holding, "WHOLE", 66 / 590_326)
    found = ask(imported_sample)
    assert (found["patches"].found, found["patches"].equal) == (66, False)
    assert found["patches in autumn"].equal is False
    assert found["classes counted as in Table 2"].equal is False


def _as_v2(root: Path, **columns: Any) -> Archive:
    archive = Archive.open(write_archive(root, make_scene()))
    labels = load_nomenclature("ben-19")
    index = archive.index
    for name, value in {"labels": ["Pastures"], **columns}.items():
        field = index.schema.field(name)
        values = pa.array([value] * len(index), field.type)
        index = index.set_column(index.column_names.index(name), field, values)
    meta = msgspec.structs.replace(archive.meta, profile="ben-v2", nomenclature=labels)
    return replace(archive, meta=meta, index=index)


@pytest.mark.parametrize("wrong", [False, True])
def test_rules_of_v2(tmp_path: Path, wrong: bool) -> None:
    edge = 120 * 120
    pixels = {"classes": [122, 211], "pixels": [edge // 4 + wrong, edge - edge // 4 - wrong]}
    if not wrong:
        pixels["pixels"] = [edge // 4 - 1, edge - edge // 4 + 1]
    archive = _as_v2(tmp_path, nodata=0.1 if wrong else 0.0, **pixels)
    parts = ben_v2_parts(archive.index["column"], archive.index["row"])
    told = np.full(len(parts), "test", object) if wrong else parts
    write_split(tmp_path, Split.of(PUBLISHED, "published", archive.index["patch_id"], told))
    found = {fact.fact: fact.equal for fact in run_checks(V2, Holding(archive))}
    assert found == {
        "nomenclature": True,
        "part is the rule of column and row": not wrong,
        "no pixel is 0 in a band": not wrong,
        "more than 75 % of a patch has a label": not wrong,
    }


def test_flags_that_contradict_each_other(tmp_path: Path) -> None:
    archive = Archive.open(write_archive(tmp_path, make_scene()))
    marks = {name: np.ones(len(archive), np.bool_) for name in ("seasonal_snow", "cloud_or_shadow")}
    write_flags(tmp_path, Flags.of(PUBLISHED, "a test", archive.index["patch_id"], marks))
    assert ask(archive)["snow, and cloud or shadow, exclude each other"].equal is False


@pytest.fixture
def lists_of_the_sample(imported_sample: Archive, tmp_path: Path) -> Metadata:
    """Published lists, made up for the sample: its products, and snow on its first patch."""
    names = imported_sample.index["v1_name"].to_pylist()
    sources = imported_sample.index["source"].to_pylist()
    links = (f"{n},{s}.SAFE,link\n" for n, s in zip(names, sources, strict=True))
    (tmp_path / "tile_names_and_links.csv").write_text("".join(links))
    (tmp_path / "patches_with_no_19_class_targets.csv").write_text(names[0])
    return Metadata(find_lists(tmp_path))


def test_against_lists(imported_sample: Archive, lists_of_the_sample: Metadata) -> None:
    found = ask(imported_sample, lists_of_the_sample)
    assert found["patches that the lists know"].equal is True
    assert found["product, column, row, corner, season agree"].found == "66 of 66"
    assert found["no label of the 19 classes, as listed"].found == "65 of 66"
    assert found["part as v1 lists it"].equal is None


def test_against_lists_a_wrong_corner(
    imported_sample: Archive, lists_of_the_sample: Metadata
) -> None:
    moved = replace(imported_sample, index=_set("ulx", lambda x: x + 10)(imported_sample.index))
    found = ask(moved, lists_of_the_sample)["product, column, row, corner, season agree"]
    assert (found.found, found.equal) == ("65 of 66", False)
