"""Loading: batches beside copies in memory, preparation beside torch's bicubic.

`python -m benchmarks.loader`. The pixels are the 66 real sample patches, laid out at random over
one tile, all in the page cache; `benchmarks.cold` reads from the disk. The floor of reading is
copying the same bytes between arrays in the same batches: patch by patch, and by one call for each
pixel size and batch (`numpy.take`), which leaves Python's lock alone and so is what several
threads are held against.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.measure import interleaved, show, table
from benchmarks.tile import SCENE, SENSOR, Tile, write_scenes
from benforge.archive.bands import room_for
from benforge.archive.pixels import PixelReader
from benforge.core.contract import Normalisation
from benforge.loading.order import cut, shuffle
from benforge.loading.prepare import Preparer
from benforge.loading.reading import read_ahead

WORK = Path(__file__).parent / "work" / "loader"
BATCH = 64
SIZES = {"toy": (14, 14, 2, 8), "full": (91, 91, 7, 256)}
"""Rows, columns, rounds, and patches that are prepared."""

STORED = ("none", "lz4", "zstd")
CODED = 8
"""Of a compressed archive, one patch in so many is read."""

Pixels = npt.NDArray[np.uint16]


class Loaded:
    """One scene of real patches, read in several ways.

    Args:
        rows: of patches.
        columns: of patches.
    """

    def __init__(self, rows: int, columns: int) -> None:
        tile = Tile.draw(WORK, rows, columns)
        write_scenes(tile, WORK, STORED)
        self.count, self.columns = tile.count, columns
        self.memory = dict(zip(tile.sample, tile.arrays, strict=True))
        self.bytes = sum(array[0].nbytes for array in self.memory.values())
        self.full = shuffle(np.arange(self.count), 1, 0)
        self.readers = {name: PixelReader(WORK / name, SENSOR) for name in STORED}
        self.room = self.new_room()

    def new_room(self) -> dict[int, Pixels]:
        """Where a batch fits."""
        return {s: room_for((BATCH, *a.shape[1:])) for s, a in self.memory.items()}

    def read(self, workers: int = 0, stored: str = "none") -> None:
        """All patches in batches; with workers each into new arrays."""
        reader = self.readers[stored]
        order = self.full if stored == "none" else self.full[: len(self.full) // CODED]

        def one(part: slice) -> int:
            chosen = order[part].tolist()
            places = [(SCENE, patch % self.columns, patch // self.columns) for patch in chosen]
            if workers:
                return len(reader.read_many(places))
            room = {size: array[: len(places)] for size, array in self.room.items()}
            return len(reader.read_many(places, room))

        for _ in read_ahead(one, cut(len(order), BATCH), workers):
            pass

    def take(self, workers: int) -> None:
        """The floor of several threads: batches gathered from arrays in memory into new ones."""

        def one(part: slice) -> int:
            chosen, room = self.full[part], self.new_room()
            for size, array in self.memory.items():
                np.take(array, chosen, axis=0, out=room[size][: len(chosen)], mode="clip")
            return len(room)

        for _ in read_ahead(one, cut(self.count, BATCH), workers):
            pass

    def copy(self) -> None:
        """The floor of a warm read."""
        pairs = [(array, self.room[size]) for size, array in self.memory.items()]
        for part in cut(self.count, BATCH):
            for position, patch in enumerate(self.full[part].tolist()):
                for array, room in pairs:
                    room[position] = array[patch]


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


def _warm(loaded: Loaded) -> dict[str, Callable[[], None]]:
    """Every way to read all patches in batches."""
    return {
        "copy in memory": loaded.copy,
        "copy in memory, a call a batch, 1 thread": lambda: loaded.take(1),
        "copy in memory, a call a batch, 2 threads": lambda: loaded.take(2),
        "benforge": loaded.read,
        "benforge, 1 worker": lambda: loaded.read(1),
        "benforge, 2 workers": lambda: loaded.read(2),
    }


def _coded(loaded: Loaded) -> dict[str, Callable[[], None]]:
    """Every way to read some of those that are compressed."""
    return {
        f"benforge, {name}, {workers} worker{'s' * (workers > 1)}": (
            lambda name=name, workers=workers: loaded.read(workers, name)
        )
        for name in STORED[1:]
        for workers in (1, 2)
    }


def run(size: str = "full") -> dict[str, Any]:
    """All figures."""
    rows, columns, rounds, patches = SIZES[size]
    shutil.rmtree(WORK, ignore_errors=True)
    try:
        loaded = Loaded(rows, columns)
        loaded.read()
        warm = interleaved(_warm(loaded), rounds)
        coded = interleaved(_coded(loaded), rounds)
        prepared = _prepared(loaded, patches, rounds)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    two = warm["benforge, 2 workers"]
    ratios = {
        "warm, of copying": warm["copy in memory"] / warm["benforge"],
        "two workers, times one": warm["benforge, 1 worker"] / two,
        "two threads that copy, times one": (
            warm["copy in memory, a call a batch, 1 thread"]
            / warm["copy in memory, a call a batch, 2 threads"]
        ),
        "two workers, of two threads that copy": (
            warm["copy in memory, a call a batch, 2 threads"] / two
        ),
        **{
            f"two workers, times one, {name}": (
                coded[f"benforge, {name}, 1 worker"] / coded[f"benforge, {name}, 2 workers"]
            )
            for name in STORED[1:]
        },
        "model-ready, times torch bicubic": prepared["benforge"] / prepared["torch bicubic"],
    }
    some = loaded.count // CODED
    return {
        "warm": {name: loaded.count / taken for name, taken in warm.items()}
        | {name: some / taken for name, taken in coded.items()},
        "prepared": prepared,
        "ratios": ratios,
        "batch_mib": BATCH * loaded.bytes / 2**20,
    }


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found = run(size)
    titles = {
        "warm": "All 12 bands in batches of 64, warm",
        "prepared": "12 x 120 x 120 floats from stored patches",
    }
    tables = [
        table(title, [{"way": k, "patches/s": f"{v:,.0f}"} for k, v in found[name].items()])
        for name, title in titles.items()
    ]
    ratios = [{"figure": k, "ratio": f"{v:.2f}"} for k, v in found["ratios"].items()]
    notes = (
        f"A worker holds at most three batches of 64 beside the one in use, "
        f"{found['batch_mib']:.1f} MiB each."
    )
    return "\n".join([*tables, table("Ratios", ratios), notes + "\n"])


if __name__ == "__main__":
    show(report, SIZES)
