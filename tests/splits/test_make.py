import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.split import PARTS, Split
from benforge.errors import InputError, MissingError
from benforge.splits.make import RULES, load_rule, make_split

COMPUTED = sorted(set(RULES) - {"published"})
TILES = ["33UUP", "33UUQ", "33UVP", "33UVQ", "34VDM"]


def index(labels: list[str] | None = None) -> pa.Table:
    """Five tiles of 12 x 12 patches, each eighth column and row of a full one."""
    places = [(t, 7 * x, 7 * y) for t in TILES for x in range(12) for y in range(12)]
    return pa.table(
        {
            "patch_id": [
                f"S2A_MSIL2A_20170613T101031_N0205_R022_T{t}_{x:02}_{y:02}" for t, x, y in places
            ],
            "tile": pa.array([t for t, _, _ in places]).dictionary_encode(),
            "column": pa.array([x for _, x, _ in places], pa.int16()),
            "row": pa.array([y for _, _, y in places], pa.int16()),
            "labels": pa.array([labels or ["Coniferous forest"]] * len(places)),
        }
    )


def close_index() -> pa.Table:
    """The same without gaps between the patches, as the blocks of v1 need."""
    table = index()
    for name in ("column", "row"):
        values = pa.array(np.asarray(table[name]) // 7, pa.int16())
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def ground(rule: str) -> pa.Table:
    return close_index() if rule == "ben-v1" else index()


@pytest.mark.parametrize("rule", COMPUTED)
@settings(max_examples=10)
@given(order=st.permutations(range(720)), seed=st.integers(0, 9))
def test_a_split_is_reproducible_and_disjoint(rule: str, order: list[int], seed: int) -> None:
    table = ground(rule)
    split = make_split(table, rule, seed=seed)
    assert sum(split.sizes.values()) == len(split) == len(table)
    ids = [set(split.part(part).to_pylist()) for part in PARTS]
    assert not ids[0] & ids[1] | ids[0] & ids[2] | ids[1] & ids[2]
    assert make_split(table.take(order), rule, seed=seed).digest == split.digest
    assert split.seed == (seed if RULES[rule].seeded else None)


@pytest.mark.parametrize("rule", COMPUTED)
def test_flagged_patches_are_left_out(rule: str) -> None:
    table = ground(rule)
    marks = np.arange(len(table)) % 11 == 0
    flags = Flags.of("mine", "a test", table["patch_id"], {SEASONAL_SNOW: marks, "haze": ~marks})
    more = Flags.of("more", "a test", table["patch_id"][:1], {CLOUD_OR_SHADOW: np.array([True])})
    split = make_split(table, rule, flags=[flags, more])
    named = set(split.table["patch_id"].to_pylist())
    assert named == set(table["patch_id"].filter(pa.array(~marks)).to_pylist())
    assert split.parameters["flags"] == ["mine", "more"]
    assert split.parameters["flagged"] == marks.sum()
    assert split.parameters["not_looked_at"] == {"more": len(table) - 1}
    assert "not_looked_at" not in make_split(table, rule, flags=[flags]).parameters


def test_patches_without_a_label_are_left_out_where_asked() -> None:
    table = index()
    labels = [["Airports"], [], ["Airports", "Sea and ocean"], None] + [["Pastures"]] * 716
    table = table.set_column(4, "labels", pa.array(labels, pa.list_(pa.string())))
    bare = set(table["patch_id"][:2].to_pylist())

    def left_out(split: Split) -> set[str]:
        return set(table["patch_id"].to_pylist()) - set(split.table["patch_id"].to_pylist())

    assert left_out(make_split(table, "paper-random")) == set()
    split = make_split(table, "paper-random", labelled="ben-19")
    assert (left_out(split), split.parameters["unlabelled"]) == (bare, 2)
    assert [split.sizes[part] for part in PARTS] == [431, 144, 143]
    close = table.set_column(2, "column", close_index()["column"])
    close = close.set_column(3, "row", close_index()["row"])
    assert left_out(make_split(close, "ben-v1")) == bare
    assert left_out(make_split(close, "ben-v1", labelled="none")) == set()


def test_the_label_less_of_v1_keep_their_place_in_the_draw() -> None:
    table = close_index()
    labels = [["Airports"]] + [["Pastures"]] * 719
    bare = table.set_column(4, "labels", pa.array(labels))
    with_it, without = (make_split(t, "ben-v1") for t in (table, bare))
    assert with_it.assign(without.table["patch_id"]).equals(without.table["part"])


def test_an_empty_part_is_an_error() -> None:
    small = index().slice(0, 30)
    with pytest.raises(InputError, match=r"the rule ben-v2 leaves test empty, of 30 patches"):
        make_split(small, "ben-v2")
    with pytest.raises(InputError, match=r"validation and test empty"):
        make_split(small.slice(0, 1), "paper-random")


def test_an_unknown_rule_names_the_known() -> None:
    with pytest.raises(InputError, match=r"'random'.*paper-random .*by-tile"):
        load_rule("random")


def test_published_needs_lists() -> None:
    with pytest.raises(MissingError, match="--lists"):
        make_split(index(), "published")
