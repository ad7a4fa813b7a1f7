"""A map of a whole product, beside decoding its bands and asking the model alone.

`python -m benchmarks.mapping`. All in one process, in turns, on all cores, and on the GPU where
there is one. Decoding is what the map does, alone: the same bands and the scene classification,
held to their checksums. Asking is the model on batches of random numbers that the device holds, as
many as the map has, without cutting, normalising or upsampling. The product is simulated, without
clouds, so that every window is asked about; the model is not trained, which changes no time. Each
is done once on a small product before, so that none pays for what a process does but once.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import peak_memory, seconds, show, table
from benforge.archive.executors import available_cores
from benforge.core.contract import Contract, Normalisation
from benforge.core.nomenclature import load_nomenclature
from benforge.inference.windows import WindowModel, open_model
from benforge.mapping.map import map_products
from benforge.mapping.reading import decode_scene
from benforge.mapping.scene import MapWork
from benforge.models.checkpoint import write_checkpoint
from benforge.models.registry import build_model, find_model
from benforge.patches.plan import plan_patches
from benforge.scenes.open import open_scene
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate

WORK = Path(__file__).parent / "work" / "mapping"
SIZES = {"toy": 720, "small": 2_760, "quarter": 5_490, "full": 10_980}
"""Pixels of 10 m along the tile."""
BATCH = 128
MODEL = "scnn-all"


def make_model(folder: Path) -> Path:
    """A checkpoint of S-CNN-All with random weights, 43 classes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec, classes = find_model(MODEL), load_nomenclature("clc-43").names
    norm = Normalisation(source="none", mean=(800.0,) * 12, std=(700.0,) * 12)
    contract = Contract(
        model=MODEL,
        title=spec.title,
        options={},
        bands=spec.bands,
        quantification=10_000,
        kernel="cubic-0.5",
        normalisation=norm,
        nomenclature="clc-43",
        classes=classes,
        split="",
        split_digest="",
        archive="",
        simulated=True,
    )
    write_checkpoint(folder, build_model(MODEL, spec.bands, len(classes), {}), contract)
    return folder


def decode(product: Path) -> None:
    """Every band and the scene classification once."""
    decode_scene(
        open_scene(product), find_model(MODEL).bands, clouds=True, threads=available_cores()
    )


def ask(model: WindowModel, patches: int) -> None:
    """The model on so many patches."""
    batch = torch.randn(BATCH, 12, 120, 120, device=model.device)
    with torch.inference_mode():
        for start in range(0, patches, BATCH):
            torch.sigmoid(model.model(batch[: min(BATCH, patches - start)]))
    if model.device.type == "cuda":
        torch.cuda.synchronize()


def run(size: str = "full") -> dict[str, Any]:
    """Seconds of decoding, of asking, and of the map; the map over the two, and GiB."""
    torch.manual_seed(1)
    checkpoint = make_model(WORK / "run")
    model = open_model(checkpoint)
    small, product = _simulate("toy"), _simulate(size)
    patches = len(plan_patches(open_scene(product).metadata.grid))
    for work in _works(checkpoint, model, small, BATCH).values():
        work()
    rows = []
    for turn in range(2 if size in ("toy", "small") else 1):
        works = _works(checkpoint, model, product, patches)
        decoding, asking, mapping = (seconds(work) for work in works.values())
        rows.append(
            {
                "turn": turn + 1,
                **{
                    name: round(s, 2)
                    for name, s in zip(works, (decoding, asking, mapping), strict=True)
                },
                "ratio": round(mapping / (decoding + asking), 3),
                "of decode": round(mapping / decoding, 3),
            }
        )
    best = min(float(str(row["ratio"])) for row in rows)
    device = torch.cuda.get_device_name() if model.device.type == "cuda" else "CPU"
    return {
        "rows": rows,
        "patches": patches,
        "ratio": best,
        "GiB": peak_memory(),
        "device": device,
    }


def _simulate(size: str) -> Path:
    recipe = SimulateRecipe(size=SIZES[size], dates=(SimulateDate(date=date(2017, 6, 13)),))
    [product] = simulate(WORK / size, recipe).products
    return Path(product)


def _works(
    checkpoint: Path, model: WindowModel, product: Path, patches: int
) -> dict[str, Callable[[], None]]:
    return {
        "decode": lambda: decode(product),
        "forward": lambda: ask(model, patches),
        "ben map": lambda: _map(checkpoint, product),
    }


def _map(checkpoint: Path, product: Path) -> None:
    shutil.rmtree(WORK / "out", ignore_errors=True)
    [found] = map_products(checkpoint, [product], WORK / "out", MapWork(batch_size=BATCH)).maps
    assert not found.left_alone


def report(size: str = "full") -> str:
    """A table."""
    found = run(size)
    title = (
        f"Seconds of a map of {SIZES[size]} x {SIZES[size]} pixels, {found['patches']:,} patches, "
        f"{find_model(MODEL).title} on {found['device']}; {found['GiB']:.1f} GiB at most"
    )
    return table(title, found["rows"])


if __name__ == "__main__":
    show(report, SIZES)
