"""The rules that divide patches into train, validation and test: arrays in, parts out. Pure.

Chance is a hash of the seed and a name, never a random number generator: the same seed gives the
same split on every machine, with every version of every library, and in any order of the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benforge.core.record import number_texts
from benforge.core.split import PARTS
from benforge.errors import InputError

Parts = npt.NDArray[np.object_]
"""`patch`: a name of `benforge.core.split.PARTS`, or None for a patch that is left out."""
Ints = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]

Texts: TypeAlias = pa.ChunkedArray | Sequence[str]
"""`patch`: a text of each."""

AT_ONCE = 65_536
"""Texts that are looked at together."""

TRAIN, VALIDATION, TEST = PARTS
SHARES = (6, 2, 2)
"""Tenths of the patches that train, validate and test (fidelity rule 21)."""
BLOCK = 2
"""Cells along the edge of a block of the v1 split."""
ORDERS = 32
"""Orders of the tiles that `by_tile_parts` tries."""


def ben_v2_parts(columns: npt.ArrayLike, rows: npt.ArrayLike) -> Parts:
    """The geographic split of BigEarthNet v2 (fidelity rule 23), by the place in the tile.

    The middle of the tile tests, a ring around it validates, the rim trains.

    Args:
        columns: patches to the right of the tile's corner.
        rows: patches downward.
    """
    ends = np.stack([np.asarray(columns), np.asarray(rows)])
    low, high = ends.min(axis=0), ends.max(axis=0)
    parts = np.full(low.shape, TRAIN, object)
    parts[(low >= 13) & (high <= 77)] = VALIDATION
    parts[(low >= 23) & (high <= 68)] = TEST
    return parts


def paper_random_parts(patch_ids: Texts, seed: int) -> Parts:
    """The random split of the paper (fidelity rule 21): 60, 20 and 20 of 100 patches.

    The patches are ranked by `draw_lots`; the first 60 % train, the next 20 % validate. The sizes
    are whole numbers nearest to the shares; from three patches on no part is empty.

    Args:
        patch_ids: distinct; only those that may be used.
        seed: another seed gives another split.
    """
    names = _column(patch_ids)
    lots = draw_lots(seed, _each(names))
    ranked = np.argsort(lots, kind="stable")
    drawn = lots[ranked]
    if (drawn[1:] == drawn[:-1]).any():
        ranked = np.lexsort((np.asarray(names.to_pylist(), object), lots))
    parts = np.full(len(names), None, object)
    parts[ranked] = np.repeat(np.array(PARTS, object), share_out(len(names)))
    return parts


def _column(texts: Texts) -> pa.ChunkedArray:
    return texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts], pa.string())


def _each(column: pa.ChunkedArray) -> Iterator[str]:
    """The texts one by one, few of them in memory."""
    for start in range(0, len(column), AT_ONCE):
        yield from column.slice(start, AT_ONCE).to_pylist()


def share_out(count: int) -> tuple[int, int, int]:
    """How many of `count` patches train, validate and test: each within 1 of its exact share."""
    sizes = [count * tenths // 10 for tenths in SHARES]
    by_rest = sorted(range(3), key=lambda part: -(count * SHARES[part] % 10))
    for part in by_rest[: count - sum(sizes)]:
        sizes[part] += 1
    if count >= 3 and not sizes[2]:
        sizes[0], sizes[2] = sizes[0] - 1, 1
    return sizes[0], sizes[1], sizes[2]


def ben_v1_parts(tiles: Texts, columns: Ints, rows: Ints, seed: int) -> Parts:
    """The official split of BigEarthNet v1 (fidelity rule 22), as far as its lists tell the rule.

    A tile is cut into blocks of 2 x 2 cells from its corner on; the dates of a cell stay together.
    Of a block with four cells in use two train, one validates and one tests; with three, two
    train and one tests; with fewer, all train. Measured on the published lists: no block of
    63,650 departs from this. Which cell of a block takes which part is drawn there by an unknown
    seed (each of the twelve ways is about equally frequent, in every tile, and says nothing of
    the next block), and here by `draw_lots`.

    Args:
        tiles: the tile of each patch; only patches without flags.
        columns: `patch`.
        rows: `patch`.
        seed: another seed gives another split.
    """
    names, tile = _number(tiles)
    places, cell = np.unique(_key(tile, columns, rows), return_inverse=True)
    t, x, y = places >> 40, places >> 20 & 0xFFFFF, places & 0xFFFFF
    named = zip(names[t].tolist(), x.tolist(), y.tolist(), strict=True)
    lots = draw_lots(seed, (f"{tile} {column} {row}" for tile, column, row in named))
    blocks = _key(t, x // BLOCK, y // BLOCK)
    _, block, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    rank = _rank_within(block, sizes, lots)
    size = sizes[block]
    parts = np.full(len(places), TRAIN, object)
    parts[(size == 4) & (rank == 2)] = VALIDATION
    parts[(size == 4) & (rank == 3) | (size == 3) & (rank == 2)] = TEST
    return np.asarray(parts[cell], object)


def _number(texts: Texts) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """The distinct texts, sorted, and the place of each text among them."""
    names, numbers = number_texts(_column(texts))
    found = np.asarray(names, object)
    order = np.argsort(found)
    return found[order], np.argsort(order)[numbers]


def _key(tile: Ints, columns: Ints, rows: Ints) -> npt.NDArray[np.int64]:
    """One number for tile, column and row, 20 bits for each of the latter."""
    return tile.astype(np.int64) << 40 | columns.astype(np.int64) << 20 | rows.astype(np.int64)


def _rank_within(group: Ints, sizes: Ints, lots: npt.NDArray[np.uint64]) -> Ints:
    """The place of each in the order of lots of its group."""
    order = np.lexsort((lots, group))
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(starts, sizes)
    return rank


def by_tile_parts(
    tiles: Texts, labels: pa.ChunkedArray | Sequence[Sequence[str]], seed: int
) -> Parts:
    """Whole tiles to a part, as near to 60, 20 and 20 of the patches, and of each class, as found.

    The tiles are dealt in `ORDERS` orders that the seed draws, each tile to where it lowers the
    squared distance from the wanted shares most; the order that ends nearest is taken. From three
    tiles on no part is empty. Nothing of a tile is divided, but neighbouring tiles overlap:
    `ben split --leakage` tells by how much.

    Args:
        tiles: the tile of each patch.
        labels: the classes of each patch.
        seed: another seed gives another split.
    """
    names, tile = _number(tiles)
    if not isinstance(labels, pa.ChunkedArray):
        labels = pa.chunked_array([labels], pa.list_(pa.string()))
    shares = _tile_shares(tile, len(names), labels)
    best = min((_deal(shares, _order(names, seed, n)) for n in range(ORDERS)), key=_by_distance)
    return np.asarray(np.array(PARTS, object)[best[1]][tile], object)


def _tile_shares(
    tile: npt.NDArray[np.int64], count: int, labels: pa.ChunkedArray
) -> npt.NDArray[np.float64]:
    """`tile feature`: each tile's share of all patches, weighed as all classes are, and of each."""
    known, label = _number(pc.list_flatten(labels))
    sizes = np.asarray(pc.fill_null(pc.list_value_length(labels), 0))
    pairs = np.repeat(tile, sizes) * len(known) + label
    counts = np.bincount(pairs, minlength=count * len(known)).reshape(count, len(known))
    patches = np.bincount(tile, minlength=count)[:, None]
    weight = np.sqrt(max(1, len(known)))
    classes = counts / np.maximum(counts.sum(axis=0), 1)
    return np.hstack([weight * patches / max(1, patches.sum()), classes])


def _order(names: npt.NDArray[np.object_], seed: int, number: int) -> npt.NDArray[np.intp]:
    return np.argsort(draw_lots(seed, (f"{number} {name}" for name in names)), kind="stable")


def _deal(
    shares: npt.NDArray[np.float64], order: npt.NDArray[np.intp]
) -> tuple[float, npt.NDArray[np.intp]]:
    """The distance from the wanted shares, and the part of each tile."""
    wanted = np.array(SHARES)[:, None] / 10 * shares.sum(axis=0)
    have, part = np.zeros_like(wanted), np.zeros(len(order), np.intp)
    for left, tile in zip(range(len(order), 0, -1), order, strict=True):
        gain = (shares[tile] * (2 * (wanted - have) - shares[tile])).sum(axis=1)
        empty = ~have.any(axis=1)
        if left <= np.count_nonzero(empty):
            gain[~empty] = -np.inf
        part[tile] = np.argmax(gain.round(12))
        have[part[tile]] += shares[tile]
    return float(((wanted - have) ** 2).sum()), part


def _by_distance(dealt: tuple[float, npt.NDArray[np.intp]]) -> float:
    return round(dealt[0], 12)


def draw_lots(seed: int, names: Iterable[str]) -> npt.NDArray[np.uint64]:
    """A number for each name: the first 8 bytes of SHA-256 over `<seed> <name>`, big-endian."""
    start = hashlib.sha256(f"{seed} ".encode())
    digests = bytearray()
    for name in names:
        lot = start.copy()
        lot.update(name.encode())
        digests += lot.digest()[:8]
    return np.frombuffer(bytes(digests), ">u8").astype(np.uint64)


def check_whole(sizes: dict[str, int], rule: str, patches: int) -> None:
    """Raise where a part of a new split would be empty: training would fail late, or in silence.

    Raises:
        InputError: names the empty parts, and what the rule needs.
    """
    if empty := [part for part in PARTS if not sizes[part]]:
        raise InputError(
            f"the rule {rule} leaves {' and '.join(empty)} empty, of {patches:,} patches in use",
            do=_NEEDS.get(rule, "Name another rule"),
        )


_NEEDS = {
    "paper-random": "It needs three patches that no flag leaves out",
    "ben-v1": "It validates and tests only in blocks of 2 x 2 cells that are full; "
    "small archives are divided by --rule paper-random",
    "ben-v2": "It tests in columns and rows 23 to 68 of a tile, validates around that up to 13 and "
    "77, and trains on the rim; archives of less than full tiles need --rule paper-random",
    "by-tile": "It gives whole tiles, so it needs at least three; "
    "fewer tiles are divided by --rule ben-v1 or ben-v2",
    "published": "The lists name patches of this archive in the other parts only; "
    "such an archive is divided by another --rule",
}
