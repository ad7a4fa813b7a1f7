"""Loading: batches beside copies in memory, preparation beside torch's bicubic, cold reads.

`python -m benchmarks.loader`. The pixels are the 66 real sample patches, laid out at random over
one tile. Floors: copying the same bytes between arrays in the same batches (warm); the same places
read with `pread` by 64 threads, after the page cache was dropped (cold, random); whole files read
one after the other (cold, sequential). Where the cache cannot be dropped, cold is not measured.
"""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.measure import interleaved, show, table
from benchmarks.tile import SCENE, SENSOR, Tile, write_scenes
from benforge.archive.bands import room_for
from benforge.archive.layout import SHARD, scene_path
from benforge.archive.pixels import PixelReader
from benforge.core.contract import Normalisation
from benforge.loading.order import cut, shuffle, shuffle_blocks
from benforge.loading.prepare import Preparer
from benforge.loading.reading import read_ahead

WORK = Path(__file__).parent / "work" / "loader"
BATCH = 64
SIZES = {"toy": (14, 14, 2, 8), "full": (91, 91, 7, 256)}
"""Rows, columns, rounds, and patches that are prepared."""

Pixels = npt.NDArray[np.uint16]


class Loaded:
    """One scene of real patches, read in several ways.

    Args:
        rows: of patches.
        columns: of patches.
    """

    def __init__(self, rows: int, columns: int) -> None:
        tile = Tile.draw(WORK, rows, columns)
        write_scenes(tile, WORK, ("none",))
        os.sync()
        self.root, self.count, self.columns = WORK / "none", tile.count, columns
        self.memory = dict(zip(tile.sample, tile.arrays, strict=True))
        self.bytes = sum(array[0].nbytes for array in self.memory.values())
        places = np.arange(self.count)
        blocks = places // columns // SHARD * 1000 + places % columns // SHARD
        self.full = shuffle(places, 1, 0)
        self.blocks = shuffle_blocks(places, blocks, 1, 0)
        self.reader = PixelReader(self.root, SENSOR)
        self.room = {s: room_for((BATCH, *a.shape[1:])) for s, a in self.memory.items()}

    def read(self, order: npt.NDArray[np.int64], workers: int = 0) -> None:
        """All patches in batches; with workers each into new arrays."""

        def one(part: slice) -> int:
            chosen = order[part].tolist()
            places = [(SCENE, patch % self.columns, patch // self.columns) for patch in chosen]
            if workers:
                return len(self.reader.read_many(places))
            room = {size: array[: len(places)] for size, array in self.room.items()}
            return len(self.reader.read_many(places, room))

        for _ in read_ahead(one, cut(len(order), BATCH), workers):
            pass

    def copy(self) -> None:
        """The floor of a warm read."""
        pairs = [(array, self.room[size]) for size, array in self.memory.items()]
        for part in cut(self.count, BATCH):
            for position, patch in enumerate(self.full[part].tolist()):
                for array, room in pairs:
                    room[position] = array[patch]

    def files(self) -> list[Path]:
        """The shards."""
        return [path for path in scene_path(self.root, SCENE).rglob("c/*/*/*") if path.is_file()]

    def drop(self) -> bool:
        """Have the page cache forget the shards; whether it did."""
        self.reader.close()
        for path in self.files():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_inblock
        self.read(self.full[:BATCH])
        fetched = resource.getrusage(resource.RUSAGE_SELF).ru_inblock - before
        self.reader.close()
        for path in self.files():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return fetched > 0

    def places_on_disk(self) -> Iterator[tuple[Path, int, int]]:
        """File, offset and bytes of every chunk, in the order of the full shuffle."""
        shards = -(-self.columns // SHARD)
        for patch in self.full.tolist():
            row, column = divmod(patch, self.columns)
            wide = min(SHARD, self.columns)
            high = min(SHARD, self.count // self.columns)
            shard = row // high * shards + column // wide
            for size, array in self.memory.items():
                path = scene_path(self.root, SCENE) / f"r{size}m" / "c" / "0"
                path = path / str(shard // shards) / str(shard % shards)
                slot = self._slot(row, column, high, wide)
                yield path, slot * array[0].nbytes, array[0].nbytes

    def _slot(self, row: int, column: int, high: int, wide: int) -> int:
        """Which chunk of its shard: all patches are kept, shards at the edge are narrower."""
        width = min(wide, self.columns - column // wide * wide)
        return row % high * width + column % wide

    def raw(self, workers: int) -> None:
        """The disk's own speed: the same chunks with pread, as many at a time."""
        todo = list(self.places_on_disk())
        open_files = {path: os.open(path, os.O_RDONLY) for path in {path for path, _, _ in todo}}

        def one(place: tuple[Path, int, int]) -> int:
            path, offset, size = place
            return len(os.pread(open_files[path], size, offset))

        try:
            with ThreadPoolExecutor(workers) as pool:
                got = sum(pool.map(one, todo, chunksize=8))
        finally:
            for handle in open_files.values():
                os.close(handle)
        assert got == self.count * self.bytes

    def sequential(self) -> None:
        """Whole files, one after the other."""
        for path in self.files():
            with path.open("rb", buffering=0) as file:
                while file.read(2**22):
                    pass


def _cold(loaded: Loaded, rounds: int) -> dict[str, float] | None:
    """Seconds of each way to read all patches from the disk; None where they stay cached."""
    ways: dict[str, Callable[[], object]] = {
        "pread at random places, 64 threads (floor)": lambda: loaded.raw(64),
        "benforge, full shuffle": lambda: loaded.read(loaded.full, 2),
        "files in sequence (floor)": loaded.sequential,
        "benforge, blocks": lambda: loaded.read(loaded.blocks, 2),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            if not loaded.drop():
                return None
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: sorted(t)[len(t) // 2] for name, t in times.items()}


def _prepared(loaded: Loaded, patches: int, rounds: int) -> dict[str, float]:
    """Patches a second that become 12 x 120 x 120 floats, here and by torch's bicubic."""
    stored = {size: np.ascontiguousarray(a[:patches]) for size, a in loaded.memory.items()}
    names = [band.name for band in SENSOR.patch_bands]
    normal = Normalisation(source="none", mean=(900.0,) * 12, std=(700.0,) * 12)
    prepare = Preparer(
        SENSOR, names, normal, "cubic-0.75", native=False, device=torch.device("cpu")
    )

    def bicubic() -> torch.Tensor:
        parts = [
            torch.nn.functional.interpolate(
                torch.from_numpy(array.astype(np.float32)), size=(120, 120), mode="bicubic"
            )
            for array in stored.values()
        ]
        return torch.cat(parts, 1).sub_(900).div_(700)

    seen = prepare({size: a[:2] for size, a in stored.items()})
    assert isinstance(seen, torch.Tensor)
    order = [names.index(b.name) for size in SENSOR.pixel_sizes for b in SENSOR.bands_at(size)]
    assert torch.allclose(seen[:, order], bicubic()[:2], atol=1e-3)
    times = interleaved({"benforge": lambda: prepare(stored), "torch bicubic": bicubic}, rounds)
    return {name: patches / taken for name, taken in times.items()}


def run(size: str = "full") -> dict[str, Any]:
    """All figures."""
    rows, columns, rounds, patches = SIZES[size]
    shutil.rmtree(WORK, ignore_errors=True)
    try:
        loaded = Loaded(rows, columns)
        loaded.read(loaded.full)
        warm = interleaved(
            {
                "copy in memory": loaded.copy,
                "benforge": lambda: loaded.read(loaded.full),
                "benforge, 1 worker": lambda: loaded.read(loaded.full, 1),
                "benforge, 2 workers": lambda: loaded.read(loaded.full, 2),
            },
            rounds,
        )
        prepared = _prepared(loaded, patches, rounds)
        cold = _cold(loaded, max(1, rounds // 2))
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    ratios = {
        "warm, of copying": warm["copy in memory"] / warm["benforge"],
        "two workers, times one": warm["benforge, 1 worker"] / warm["benforge, 2 workers"],
        "model-ready, times torch bicubic": prepared["benforge"] / prepared["torch bicubic"],
    }
    if cold:
        raw, full, whole, blocks = cold.values()
        ratios |= {"cold, of pread": raw / full, "cold, blocks, of sequential": whole / blocks}
    return {
        "warm": {name: loaded.count / taken for name, taken in warm.items()},
        "prepared": prepared,
        "cold": {name: loaded.count / taken for name, taken in (cold or {}).items()},
        "ratios": ratios,
        "batch_mib": BATCH * loaded.bytes / 2**20,
    }


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found = run(size)
    titles = {
        "warm": "All 12 bands in batches of 64, warm",
        "prepared": "12 x 120 x 120 floats from stored patches",
        "cold": "The same patches, page cache dropped",
    }
    tables = [
        table(title, [{"way": k, "patches/s": f"{v:,.0f}"} for k, v in found[name].items()])
        for name, title in titles.items()
        if found[name]
    ]
    ratios = [{"figure": k, "ratio": f"{v:.2f}"} for k, v in found["ratios"].items()]
    notes = (
        f"A worker holds at most three batches of 64 beside the one in use, "
        f"{found['batch_mib']:.1f} MiB each."
    )
    if not found["cold"]:
        notes += " Cold reads are not measured: this system kept the files in memory."
    return "\n".join([*tables, table("Ratios", ratios), notes + "\n"])


if __name__ == "__main__":
    show(report, SIZES)
