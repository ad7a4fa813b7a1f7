"""Training beside the same steps on data already in memory, and the preparation of batches.

`python -m benchmarks.training`. The patches are the 66 real ones of the sample, again and again, so
files are in the page cache. The floor of a training is its own model's step on one batch that lies
ready; that of a preparation is torch's bicubic interpolation of the same bands.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.measure import interleaved, show, table
from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_split
from benforge.core.split import Split
from benforge.demo.sample import unpack_sample
from benforge.layouts.v1_import import import_v1
from benforge.loading.inputs import Batch
from benforge.loading.order import draw_turns
from benforge.loading.upsampling import upsample
from benforge.training.figures import Figures
from benforge.training.loop import backward
from benforge.training.processes import Processes
from benforge.training.recipe import TrainRecipe, TrainRequest
from benforge.training.setup import Setup, set_up

PAPER = 311_603
"""Training patches of the paper: 60 % of 519,339."""
SIZES: dict[str, tuple[tuple[str, ...], int, int, int]] = {
    "toy": (("scnn-rgb",), 1, 4, 1),
    "full": (("scnn-rgb", "scnn-all", "convnext-native", "resnet18"), 8, 64, 3),
}
"""Models, steps, patches a step, rounds."""


def save_archive(folder: Path) -> Path:
    """The sample as an archive with a split in which every patch trains."""
    archive = folder / "archive"
    import_v1(unpack_sample(folder), archive)
    ids = Archive.open(archive).index["patch_id"]
    parts = np.full(len(ids), "train", object)
    write_split(archive, Split.of("all", "by-hand", ids, parts))
    return archive


class Trained:
    """A model, its batches from the archive, and one that lies ready.

    Args:
        archive: its folder.
        model: in the registry.
        precision: "fp32" or "bf16".
        steps: of a round.
        size: patches a step.
        work: folder for what it writes.
    """

    def __init__(
        self, archive: Path, model: str, precision: str, steps: int, size: int, work: Path
    ) -> None:
        recipe = TrainRecipe(
            batch_size=size,
            precision=precision,  # type: ignore[arg-type]
            keep="last",
        )
        request = TrainRequest(model=model, split="all", recipe=recipe)
        processes = Processes(0, 1, torch.device("cpu"))
        self.setup: Setup = set_up(archive, request, processes, work)
        self.setup.network.train()
        self.positions = np.resize(np.arange(66), steps * size)
        self.turns, self.size = draw_turns(len(self.positions), 1, 0), size
        self.ready = next(self._batches())

    def _batches(self) -> Any:
        return self.setup.inputs.batches(self.positions, self.size, turns=self.turns)

    def from_the_archive(self) -> None:
        """Steps on batches that are read and prepared."""
        for batch in self._batches():
            self._step(batch)

    def from_memory(self) -> None:
        """As many steps on one batch."""
        for _ in range(len(self.positions) // self.size):
            self._step(self.ready)

    def prepare_only(self) -> None:
        """The batches without any step."""
        for _ in self._batches():
            pass

    def _step(self, batch: Batch) -> None:
        self.setup.optimiser.zero_grad(set_to_none=True)
        figures = Figures(torch.device("cpu"))
        backward(self.setup, batch, len(batch.positions), figures)
        self.setup.optimiser.step()


def run(size: str = "full") -> dict[str, Any]:
    """Patches a second of each, and the share that reading and preparing costs."""
    names, steps, patches, rounds = SIZES[size]
    rows, stalls = [], {}
    with tempfile.TemporaryDirectory() as folder:
        archive = save_archive(Path(folder))
        for name in names:
            for precision in ("fp32", "bf16"):
                one = Trained(archive, name, precision, steps, patches, Path(folder))
                one.from_memory()
                times = interleaved(
                    {
                        "archive": one.from_the_archive,
                        "memory": one.from_memory,
                        "prepare": one.prepare_only,
                    },
                    rounds,
                )
                rate = {what: steps * patches / s for what, s in times.items()}
                stalls[name, precision] = 1 - times["memory"] / times["archive"]
                rows.append(_row(name, precision, rate, stalls[name, precision]))
    return {"rows": rows, "stalls": stalls, "cubic": _cubic(patches, rounds)}


def _row(name: str, precision: str, rate: dict[str, float], stall: float) -> dict[str, str]:
    return {
        "model": name,
        "precision": precision,
        "patches/s, from the archive": f"{rate['archive']:,.0f}",
        "from memory (floor)": f"{rate['memory']:,.0f}",
        "stall": f"{100 * stall:.1f} %",
        "batches alone, patches/s": f"{rate['prepare']:,.0f}",
        f"100 epochs of {PAPER:,}, hours": f"{100 * PAPER / rate['archive'] / 3600:,.0f}",
    }


def _cubic(patches: int, rounds: int) -> dict[str, float]:
    """Patches a second that 20 and 60 m bands are brought to 10 m, as matrices and by torch."""
    coarse = [torch.rand(patches, 6, 60, 60), torch.rand(patches, 2, 20, 20)]

    def torch_bicubic() -> None:
        for bands in coarse:
            torch.nn.functional.interpolate(bands, size=(120, 120), mode="bicubic")

    def matrices() -> None:
        for bands in coarse:
            upsample(bands, 120, "cubic-0.75")

    times = interleaved({"matrices": matrices, "torch bicubic": torch_bicubic}, 3 * rounds)
    return {name: patches / seconds for name, seconds in times.items()}


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    start = time.perf_counter()
    found = run(size)
    cubic = [
        {"20 and 60 m bands to 10 m": name, "patches/s": f"{rate:,.0f}"}
        for name, rate in found["cubic"].items()
    ]
    notes = (
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, no GPU: what a GPU does is "
        "unmeasured here. A stall is the share of a training's time that it would not take if "
        f"batches lay ready. Hours are extrapolated. Measured in "
        f"{time.perf_counter() - start:.0f} s.\n"
    )
    title = "Training, from the archive and from memory"
    return "\n".join([table(title, found["rows"]), notes, table("Interpolation", cubic)])


if __name__ == "__main__":
    show(report, SIZES)
