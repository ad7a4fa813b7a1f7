"""Patch reads, all 12 bands, warm, one process: benforge and its peers beside each other.

`python -m benchmarks.reads`. The pixels are the 66 real sample patches of BigEarthNet, laid out at
random over one tile. The floor is copying the same 160,000 bytes from an array in memory that is
as large as the tile: as one piece, and as the three arrays that a patch consists of. Who is
compared, and how: `benchmarks.readers`; what is not in memory: `benchmarks.cold`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import interleaved, show, table
from benchmarks.peers import Database, ParquetFile, Tiffs
from benchmarks.readers import (
    BATCH,
    NOTES,
    Benforge,
    Reader,
    Work,
    Zarr,
    ZarrFiles,
    by_band,
)
from benchmarks.tile import Patches, Pixels, Tile, write_scenes
from benforge.archive.bands import room_for
from benforge.archive.storage import COMPRESSIONS

WORK = Path(__file__).parent / "work" / "reads"
SIZES = {"toy": (14, 14, 2, 40, 10), "full": (91, 91, 5, 2000, 150)}
"""Rows, columns, rounds, and how many patches the slower and the slowest read."""

OF = "of three arrays copied"
OURS, ONE, THREE = "benforge, none", "copy in memory, one piece", "copy in memory, three arrays"
OUR_BATCHES, BATCHES = f"{OURS}, batches of {BATCH}", f"copy in memory, batches of {BATCH}"


def copy_one(flat: Pixels, order: Sequence[int]) -> None:
    """The floor, one piece."""
    for patch in order:
        flat[patch].copy()


def copy_three(arrays: list[Pixels], order: Sequence[int]) -> None:
    """The floor, three arrays."""
    for patch in order:
        for array in arrays:
            array[patch].copy()


def copy_batches(arrays: list[Pixels], order: Sequence[int], out: Patches) -> None:
    """The floor of batches."""
    targets = list(out.values())
    for start in range(0, len(order) - BATCH + 1, BATCH):
        for position, patch in enumerate(order[start : start + BATCH]):
            for array, target in zip(arrays, targets, strict=True):
                target[position] = array[patch]


Timed = dict[str, tuple[Callable[[], object], int]]
"""What is timed, and how many patches it reads."""


def run(size: str = "full") -> dict[str, Any]:
    """Patches per second of everyone, and ratios.

    Args:
        size: "toy" for tests, "full" for one tile, 8,281 patches and 1.3 GB a copy.
    """
    rows, columns, rounds, some, few = SIZES[size]
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    try:
        tile = Tile.draw(WORK, rows, columns)
        write_scenes(tile, WORK)
        disk = {name: _bytes(WORK / name) / tile.count for name in COMPRESSIONS}
        order = np.random.default_rng(0).permutation(tile.count).tolist()
        peers, lying = write_peers(tile, few), Benforge(tile, WORK / "none").sequence
        timed = {
            "at random": _fast(tile, order) | _slow(peers, order, some, few),
            "in order": _fast(tile, lying) | _slow(peers, None, some, few),
        }
        times = {kind: _time(works, rounds) for kind, works in timed.items()}
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    rates = {
        kind: {name: timed[kind][name][1] / spent for name, spent in found.items()}
        for kind, found in times.items()
    }
    return {
        "rates": rates,
        "ratios": {kind: _ratios(found) for kind, found in rates.items()},
        "bytes_per_patch": disk,
    }


def _time(works: Timed, rounds: int) -> dict[str, float]:
    """Median seconds, after everything was done once."""
    calls = {name: work for name, (work, _) in works.items()}
    for call in calls.values():
        call()
    return interleaved(calls, rounds)


def _fast(tile: Tile, order: Sequence[int]) -> Timed:
    """The floors and ours, which read the whole tile."""
    ours = Benforge(tile, WORK / "none")
    out = {s: room_for((BATCH, *p.shape[1:])) for s, p in tile.sample.items()}
    whole = len(order) // BATCH * BATCH
    return {
        ONE: (lambda: copy_one(tile.flat, order), len(order)),
        THREE: (lambda: copy_three(tile.arrays, order), len(order)),
        OURS: (lambda: ours.read(order), len(order)),
        BATCHES: (lambda: copy_batches(tile.arrays, order, out), whole),
        OUR_BATCHES: (lambda: ours.read_batches(order[:whole], out), whole),
    }


def write_peers(tile: Tile, few: int) -> dict[str, tuple[Reader, Work]]:
    """Everyone else's layout, and how each is read; all checked against the sample."""
    ours = {name: Benforge(tile, WORK / name) for name in COMPRESSIONS}
    database, parquet = Database(tile, WORK / "lmdb"), ParquetFile(tile, WORK / "parquet")
    shards, tiffs = Zarr(tile, WORK / "none"), Tiffs(tile, WORK / "tiffs", few)
    files = ZarrFiles(tile, WORK / "zarr", few)
    database.open()
    for number in (0, few - 1):
        right = by_band(tile.patch(number))
        found = [r.patch(number) for r in (*ours.values(), database, parquet, shards, files, tiffs)]
        for bands in [*found, database.patch_zero_copy(number)]:
            assert all(np.array_equal(bands[name], pixels) for name, pixels in right.items())
    coded = {f"benforge, {name}": (r, r.read) for name, r in ours.items() if name != "none"}
    return coded | {
        "LMDB, as ConfigILM": (database, database.read),
        "LMDB, zero-copy": (database, database.read_zero_copy),
        "Parquet": (parquet, parquet.read),
        "zarr-python, a file a chunk": (files, files.read),
        "zarr-python, our shards": (shards, shards.read),
        "GeoTIFF per band, rasterio": (tiffs, tiffs.read),
        "GeoTIFF per band, as torchgeo": (tiffs, tiffs.read_as_torchgeo),
    }


def _slow(
    peers: dict[str, tuple[Reader, Work]], order: Sequence[int] | None, some: int, few: int
) -> Timed:
    """Everyone else, who reads a part of the tile, in this order or in his own."""
    timed: Timed = {}
    for name, (reader, work) in peers.items():
        here = set(reader.sequence)
        count = few if name.startswith(("zarr", "GeoTIFF")) else some
        count = len(here) if name == "LMDB, zero-copy" else count
        chosen = [n for n in (reader.sequence if order is None else order) if n in here][:count]
        timed[name] = (lambda work=work, chosen=chosen: work(chosen)), len(chosen)
    return timed


def _ratios(rates: dict[str, float]) -> dict[str, float]:
    ours = rates[OURS]
    return {
        "of one piece copied": ours / rates[ONE],
        "of three arrays copied": ours / rates[THREE],
        "of batches copied": rates[OUR_BATCHES] / rates[BATCHES],
        "times LMDB as ConfigILM": ours / rates["LMDB, as ConfigILM"],
        "times LMDB, zero-copy": ours / rates["LMDB, zero-copy"],
        "times Parquet": ours / rates["Parquet"],
        "times zarr-python, a file a chunk": ours / rates["zarr-python, a file a chunk"],
        "times zarr-python, our shards": ours / rates["zarr-python, our shards"],
        "times GeoTIFF per band, rasterio": ours / rates["GeoTIFF per band, rasterio"],
        "times GeoTIFF per band, as torchgeo": ours / rates["GeoTIFF per band, as torchgeo"],
    }


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found, (rows, columns, rounds, some, few) = run(size), SIZES[size]
    parts = []
    for kind, rates in found["rates"].items():
        lines = [
            {
                "reader": name,
                "patches/s": f"{r:,.0f}",
                "of three arrays copied": f"{r / rates[THREE]:.4f}",
            }
            for name, r in rates.items()
        ]
        parts.append(table(f"Patches {kind}, warm, one process", lines))
        ratios = [{OURS: name, "ratio": f"{r:.2f}"} for name, r in found["ratios"][kind].items()]
        parts.append(table(f"Ratios, warm, {kind}", ratios))
    sizes = [{"compression": k, "bytes": f"{v:,.0f}"} for k, v in found["bytes_per_patch"].items()]
    parts.append(table("Bytes of a patch on disk", sizes))
    parts.append(
        f"A tile of {rows * columns:,} patches; compressed archives, ConfigILM's way and Parquet "
        f"read {some:,} of them a round, zarr-python and rasterio {few}; medians of {rounds} "
        "rounds. In order means as each layout has them on the disk.\n"
    )
    notes = "\n".join(f"- **{who}**: {what}" for who, what in NOTES.items())
    return "\n".join([*parts, notes, ""])


if __name__ == "__main__":
    show(report, SIZES)
