"""Loading: batches beside copies in memory, preparation beside torch's bicubic.

`python -m benchmarks.loader`. The pixels are the 66 real sample patches, laid out at random over
one tile, all in the page cache; `benchmarks.cold` reads from the disk. The floor of reading is
copying the same bytes between arrays in the same batches.
"""

from __future__ import annotations

import shutil
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
        self.root, self.count, self.columns = WORK / "none", tile.count, columns
        self.memory = dict(zip(tile.sample, tile.arrays, strict=True))
        self.bytes = sum(array[0].nbytes for array in self.memory.values())
        self.full = shuffle(np.arange(self.count), 1, 0)
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
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    ratios = {
        "warm, of copying": warm["copy in memory"] / warm["benforge"],
        "two workers, times one": warm["benforge, 1 worker"] / warm["benforge, 2 workers"],
        "model-ready, times torch bicubic": prepared["benforge"] / prepared["torch bicubic"],
    }
    return {
        "warm": {name: loaded.count / taken for name, taken in warm.items()},
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
