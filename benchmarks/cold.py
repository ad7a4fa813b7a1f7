"""Patches read from the disk itself: the page cache is dropped, at random and in their order.

`python -m benchmarks.cold`. Before every timing, files are closed, unmapped and opened again, and
the system is asked to forget their contents (`posix_fadvise`); names, inodes and indexes stay, and
of ours one patch a shard. The floor is the disk: `preadv` of the same ranges of the same files, in
the same order. What the disk's host keeps in its own memory is not dropped, so ratios count, not
rates.
"""

from __future__ import annotations

import os
import shutil
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import seconds, show, table
from benchmarks.peers import Database, ParquetFile, Tiffs
from benchmarks.readers import (
    BATCH,
    NOTES,
    Benforge,
    Ranges,
    Reader,
    Work,
    Zarr,
)
from benchmarks.tile import Tile, write_scenes

WORK = Path(__file__).parent / "work" / "cold"
SIZES = {
    "toy": (14, 14, 1, 20, 5),
    "quarter": (46, 46, 1, 300, 20),
    "full": (91, 91, 3, 800, 60),
}
"""Rows, columns, rounds, patches that are read at random, and how many the slow ones read."""

BLOCKS = 16
"""Shards whose patches are mixed, in an order that a disk can follow."""
OURS, FLOOR = "benforge, none", "disk, the ranges of none (floor)"
BATCHES = f"{OURS}, batches of {BATCH}"
RANDOM, BLOCKWISE, LYING = "at random", "shuffled in blocks", "in order"
SLOW = ("zarr-python", "GeoTIFF")


def write_all(tile: Tile, few: int) -> dict[str, tuple[Reader, Work]]:
    """Everyone's layout, and how each is read."""
    write_scenes(tile, WORK, ("none", "blosc", "lz4"))
    ours = {name: Benforge(tile, WORK / name) for name in ("none", "blosc", "lz4")}
    floors = {name: Ranges(tile, WORK / name) for name in ("none", "lz4")}
    database, parquet = Database(tile, WORK / "lmdb"), ParquetFile(tile, WORK / "parquet")
    shards, tiffs = Zarr(tile, WORK / "none"), Tiffs(tile, WORK / "tiffs", 10 * few)
    found: dict[str, tuple[Reader, Work]] = {
        f"disk, the ranges of {name} (floor)": (floor, floor.read) for name, floor in floors.items()
    }
    found |= {f"benforge, {name}": (reader, reader.read) for name, reader in ours.items()}
    return found | {
        BATCHES: (ours["none"], ours["none"].read_batches),
        "LMDB, as ConfigILM": (database, database.read),
        "LMDB, zero-copy": (database, database.read_zero_copy),
        "Parquet": (parquet, parquet.read),
        "zarr-python, none": (shards, shards.read),
        "GeoTIFF per band, rasterio": (tiffs, tiffs.read),
    }


def forget(reader: Reader) -> None:
    """Have the system forget what lies in a reader's files, but for pages that are mapped."""
    for path in reader.files():
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def read_cold(reader: Reader, work: Work, order: list[int]) -> float:
    """Patches a second."""
    forget(reader)
    reader.open()
    forget(reader)
    rate = len(order) / seconds(lambda: work(order))
    reader.close()
    return rate


def run(size: str = "full") -> dict[str, Any]:
    """Patches per second of everyone in both orders, and ratios."""
    rows, columns, rounds, count, few = SIZES[size]
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    rates: dict[str, dict[str, list[float]]] = {}
    try:
        tile = Tile.draw(WORK, rows, columns)
        works = write_all(tile, few)
        os.sync()
        for reader, _ in works.values():
            reader.close()
        for number in range(rounds):
            for name, (reader, work) in works.items():
                for kind, order in _orders(reader, name, number, count, few).items():
                    rate = read_cold(reader, work, order)
                    rates.setdefault(kind, {}).setdefault(name, []).append(rate)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    medians = {
        kind: {name: statistics.median(some) for name, some in found.items()}
        for kind, found in rates.items()
    }
    ratios = {kind: _ratios(found) for kind, found in medians.items()}
    epoch = medians[BLOCKWISE][BATCHES] / medians[LYING][BATCHES]
    ratios[BLOCKWISE]["in batches, of the same in order"] = epoch
    return {"rates": medians, "ratios": ratios}


def _orders(reader: Reader, name: str, number: int, count: int, few: int) -> dict[str, list[int]]:
    """Other patches in each round; those who are slow read fewer, and only we read in blocks."""
    random = np.random.default_rng(number)
    lying = list(reader.sequence)
    if name.startswith(SLOW):
        start = number * few % (len(lying) - few + 1)
        drawn = random.permutation(lying)[:few].tolist()
        return {RANDOM: drawn, LYING: lying[start : start + few]}
    orders = {RANDOM: random.permutation(lying)[:count].tolist(), LYING: lying}
    if name in (FLOOR, OURS, BATCHES):
        orders[BLOCKWISE] = _mix(lying, random)
    return orders


def _mix(lying: list[int], random: np.random.Generator) -> list[int]:
    """Shards in a random order, the patches of a few of them mixed."""
    shards = np.array_split(lying, -(-len(lying) // 13**2))
    random.shuffle(shards)
    mixed = []
    for start in range(0, len(shards), BLOCKS):
        mixed += random.permutation(np.concatenate(shards[start : start + BLOCKS])).tolist()
    return mixed


def _ratios(rates: dict[str, float]) -> dict[str, float]:
    """Of what everyone does in one order."""
    ours = rates[OURS]
    found = {
        "of the disk, the same ranges": ours / rates[FLOOR],
        "in batches, of the disk, the same ranges": rates[BATCHES] / rates[FLOOR],
    }
    peers = {
        "LMDB as ConfigILM": "LMDB, as ConfigILM",
        "LMDB, zero-copy": "LMDB, zero-copy",
        "Parquet": "Parquet",
        "zarr-python": "zarr-python, none",
        "GeoTIFF per band": "GeoTIFF per band, rasterio",
    }
    return found | {f"times {n}": ours / rates[p] for n, p in peers.items() if p in rates}


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found, (rows, columns, rounds, count, few) = run(size), SIZES[size]
    parts = []
    for kind, rates in found["rates"].items():
        lines = [
            {"reader": name, "patches/s": f"{r:,.0f}", "of the disk": f"{r / rates[FLOOR]:.3f}"}
            for name, r in rates.items()
        ]
        parts.append(table(f"Patches {kind}, cold, one process", lines))
        ratios = [{OURS: name, "ratio": f"{r:.2f}"} for name, r in found["ratios"][kind].items()]
        parts.append(table(f"Ratios, cold, {kind}", ratios))
    parts.append(
        f"A tile of {rows * columns:,} patches; {count} a round at random, all in order, {few} by "
        f"zarr-python and rasterio; medians of {rounds} rounds. In order means as each "
        "layout has them on the disk. Opening is not counted. Shuffled in blocks: "
        f"shards in a random order, the patches of {BLOCKS} of them mixed.\n"
    )
    notes = "\n".join(f"- **{who}**: {what}" for who, what in NOTES.items())
    return "\n".join([*parts, notes, ""])


if __name__ == "__main__":
    show(report, SIZES)
