import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benforge.core.split import PARTS
from benforge.errors import InputError
from benforge.published.lists import find_lists
from benforge.splits.rules import (
    ben_v1_parts,
    ben_v2_parts,
    by_tile_parts,
    check_whole,
    draw_lots,
    paper_random_parts,
)

SEEDS = st.integers(0, 2**40)
CELLS = st.tuples(st.sampled_from(["33UUP", "33UUQ", "34VDM"]), st.integers(0, 90))
PLACES = st.lists(st.tuples(CELLS, st.integers(0, 90)), max_size=60)


def names(count: int) -> list[str]:
    return [f"S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_{n:02d}_00" for n in range(count)]


def test_lots_are_the_first_bytes_of_a_hash() -> None:
    expected = hashlib.sha256(b"7 S2A").digest()[:8]
    assert draw_lots(7, ["S2A"]).tolist() == [int.from_bytes(expected, "big")]
    assert len(draw_lots(7, [])) == 0


@given(st.integers(0, 300), SEEDS)
def test_the_random_split_keeps_its_shares(count: int, seed: int) -> None:
    sizes = Counter(paper_random_parts(names(count), seed))
    assert sum(sizes.values()) == count
    for part, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
        assert abs(sizes[part] - share * count) < 1
        assert sizes[part] > 0 or count < 3


@given(st.permutations(range(40)), SEEDS)
def test_the_order_of_the_rows_does_not_matter(order: list[int], seed: int) -> None:
    patches = names(40)
    straight = dict(zip(patches, paper_random_parts(patches, seed), strict=True))
    shuffled = [patches[i] for i in order]
    assert dict(zip(shuffled, paper_random_parts(shuffled, seed), strict=True)) == straight


def test_another_seed_gives_another_split_and_the_same_the_same() -> None:
    one, other = (paper_random_parts(names(100), seed).tolist() for seed in (1, 2))
    assert one != other
    assert one == paper_random_parts(names(100), 1).tolist()


def test_the_random_split_ranks_by_hash() -> None:
    patches = names(50)
    ranked = sorted(patches, key=lambda name: hashlib.sha256(f"3 {name}".encode()).digest()[:8])
    parts = dict(zip(patches, paper_random_parts(patches, 3), strict=True))
    expected = ["train"] * 30 + ["validation"] * 10 + ["test"] * 10
    assert [parts[name] for name in ranked] == expected


@given(PLACES, SEEDS)
def test_blocks_of_v1_follow_the_rule(places: list[tuple[tuple[str, int], int]], seed: int) -> None:
    tiles = [tile for (tile, _), _ in places]
    columns, rows = (
        np.array(v, int) // 8 for v in ([c for (_, c), _ in places], [r for _, r in places])
    )
    parts = ben_v1_parts(tiles, columns, rows, seed)
    cells = dict(zip(zip(tiles, columns.tolist(), rows.tolist(), strict=True), parts, strict=True))
    assert [cells[t, c, r] for t, c, r in zip(tiles, columns, rows, strict=True)] == parts.tolist()
    blocks: dict[tuple[str, int, int], list[str]] = {}
    for (tile, column, row), part in cells.items():
        blocks.setdefault((tile, column // 2, row // 2), []).append(part[:2])
    expected = {1: "tr", 2: "tr tr", 3: "te tr tr", 4: "te tr tr va"}
    assert all(" ".join(sorted(found)) == expected[len(found)] for found in blocks.values())


@given(st.permutations(range(36)), SEEDS)
def test_blocks_of_v1_do_not_depend_on_the_order(order: list[int], seed: int) -> None:
    columns, rows = np.divmod(np.arange(36), 6)
    straight = ben_v1_parts(["33UUP"] * 36, columns, rows, seed)
    shuffled = ben_v1_parts(["33UUP"] * 36, columns[order], rows[order], seed)
    assert shuffled.tolist() == straight[order].tolist()


@pytest.mark.parametrize(
    ("column", "row", "part"),
    [
        (0, 0, "train"),
        (12, 45, "train"),
        (13, 45, "validation"),
        (45, 22, "validation"),
        (23, 68, "test"),
        (69, 68, "validation"),
        (77, 77, "validation"),
        (78, 45, "train"),
        (45, 90, "train"),
    ],
)
def test_v2_cuts_a_tile_into_middle_ring_and_rim(column: int, row: int, part: str) -> None:
    assert ben_v2_parts([column], [row]).tolist() == [part]


TILES = st.dictionaries(st.text("ABCDE", min_size=5, max_size=5), st.integers(1, 30), min_size=1)


@settings(max_examples=40)
@given(TILES, SEEDS)
def test_a_tile_is_never_divided(sizes: dict[str, int], seed: int) -> None:
    tiles = [tile for tile, size in sizes.items() for _ in range(size)]
    labels = [["sea"] if n % 3 else ["sea", "land"] for n in range(len(tiles))]
    parts = by_tile_parts(tiles, labels, seed)
    assert len(set(zip(tiles, parts, strict=True))) == len(sizes)
    assert len(set(parts)) == 3 or len(sizes) < 3
    backward = by_tile_parts(tiles[::-1], labels[::-1], seed)
    assert backward[::-1].tolist() == parts.tolist()


@settings(max_examples=10)
@given(SEEDS)
def test_many_tiles_come_near_the_shares_of_patches_and_classes(seed: int) -> None:
    random = np.random.default_rng(0)
    tiles = [
        f"33U{a}{b}" for a in "ABCDEFG" for b in "PQRSTUVW" for _ in range(random.integers(5, 50))
    ]
    labels = [["sea"] if tile[4] in "PQRST" else ["land"] for tile in tiles]
    parts = by_tile_parts(tiles, labels, seed)
    for kind in (["sea"], ["land"]):
        mine = Counter(p for p, names in zip(parts, labels, strict=True) if names == kind)
        for part, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
            assert abs(mine[part] / mine.total() - share) < 0.04


def test_an_empty_part_is_an_error_that_says_why() -> None:
    with pytest.raises(InputError, match=r"validation and test empty.*needs at least three"):
        check_whole({"train": 9, "validation": 0, "test": 0}, "by-tile", 9)


def test_the_rule_of_v2_gives_the_published_column(published_metadata: Path) -> None:
    table = find_lists(published_metadata).v2().to_pandas()
    places = table["patch_id"].str.rsplit("_", n=2, expand=True)[[1, 2]].astype(int).to_numpy()
    parts = ben_v2_parts(*places.T)
    assert (len(table), int((parts == table["split"]).sum())) == (549_488, 549_488)


def test_the_published_lists_of_v1_follow_its_rule(published_metadata: Path) -> None:
    """How many cells a block holds decides how many of each part it has, in all 63,650 blocks.

    23 cells are not in the lists: all their patches lack a 19-class label.
    """
    lists = find_lists(published_metadata)
    place = lists.geometry().to_pandas().rename(columns={"v1_name": "name"})
    place[["x", "y"]] = place["name"].str.rsplit("_", n=2, expand=True)[[1, 2]].astype(int)
    flagged = [lists.names(kind).to_pylist() for kind in ("seasonal_snow", "cloud_or_shadow")]
    kept = place[~place["name"].isin([*flagged[0], *flagged[1]])]
    kinds = {"train": "train", "val": "validation", "test": "test"}
    told = {name: part for kind, part in kinds.items() for name in lists.names(kind).to_pylist()}
    ours = ben_v1_parts(kept["tile"].tolist(), kept["x"].to_numpy(), kept["y"].to_numpy(), 1)
    both = kept.assign(published=kept["name"].map(told), ours=ours)
    listed = both.dropna().drop_duplicates(["tile", "x", "y", "published"])
    cells = both.drop_duplicates(["tile", "x", "y"])
    assert not listed.duplicated(["tile", "x", "y"]).any(), "the dates of a cell stay together"
    expected, found = count_blocks(cells, "ours"), count_blocks(listed, "published")
    assert len(expected) == 63_650
    missing = expected - found
    left_out = missing.sum(axis=1)
    assert (int(left_out.sum()), (missing >= 0).all(axis=None)) == (23, True)
    assert (missing[left_out == 0] == 0).all(axis=None)


def count_blocks(cells: pd.DataFrame, column: str) -> pd.DataFrame:
    """How many cells of each part the blocks have."""
    parts = pd.get_dummies(cells[column]).astype(int)
    return parts.groupby([cells["tile"], cells["x"] // 2, cells["y"] // 2]).sum()
