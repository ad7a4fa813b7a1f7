"""A map of a whole product, beside decoding its bands and asking the model alone.

`python -m benchmarks.mapping`. Both in one process, in turns, on all cores. Decoding is the same
bands by the same reader, as many at a time; asking is the model on batches of random numbers in
memory, as many as the map has, without cutting, normalising or upsampling. The product is
simulated, without clouds, so that every window is asked about; the model is not trained, which
changes no time.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import peak_memory, seconds, show, table
from benforge.archive.executors import available_cores
from benforge.core.contract import Contract, Normalisation
from benforge.core.nomenclature import load_nomenclature
from benforge.inference.windows import open_model
from benforge.mapping.map import map_products
from benforge.mapping.reading import narrow_sensor
from benforge.mapping.scene import MapWork
from benforge.models.checkpoint import write_checkpoint
from benforge.models.registry import build_model, find_model
from benforge.patches.cut import read_mosaics
from benforge.patches.plan import plan_patches
from benforge.scenes.open import open_scene
from benforge.scenes.simulate import SimulateDate, SimulateRecipe, simulate

WORK = Path(__file__).parent / "work" / "mapping"
SIZES = {"toy": 720, "quarter": 5490, "full": 10_980}
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


def decode(product: Path) -> int:
    """Every band and the scene classification once; how many patches there are."""
    scene = open_scene(product)
    sensor = narrow_sensor(scene.metadata.sensor, find_model(MODEL).bands)
    assert sensor.patch_bands == scene.metadata.sensor.patch_bands
    plan = plan_patches(scene.metadata.grid)
    scene.read_classification()
    read_mosaics(scene, plan, threads=available_cores())
    return len(plan)


def ask(run: Path, patches: int) -> None:
    """The model on so many patches."""
    model = open_model(run, "cpu")
    batch = torch.randn(BATCH, 12, 120, 120)
    with torch.inference_mode():
        for start in range(0, patches, BATCH):
            torch.sigmoid(model.model(batch[: min(BATCH, patches - start)]))


def run(size: str = "full") -> dict[str, Any]:
    """Seconds of decoding, of asking, and of the map; the map over the two, and GiB."""
    torch.manual_seed(1)
    recipe = SimulateRecipe(size=SIZES[size], dates=(SimulateDate(date=date(2017, 6, 13)),))
    [product] = simulate(WORK / size, recipe).products
    checkpoint = make_model(WORK / "run")
    patches = plan_patches(open_scene(product).metadata.grid)
    rows = []
    for turn in range(2 if size == "toy" else 1):
        shutil.rmtree(WORK / "out", ignore_errors=True)
        decoding = seconds(lambda: decode(product))
        asking = seconds(lambda: ask(checkpoint, len(patches)))
        mapping = seconds(lambda: _map(checkpoint, product))
        rows.append(
            {
                "turn": turn + 1,
                "decode": round(decoding, 2),
                "forward": round(asking, 2),
                "ben map": round(mapping, 2),
                "ratio": round(mapping / (decoding + asking), 3),
            }
        )
    best = min(float(str(row["ratio"])) for row in rows)
    return {"rows": rows, "patches": len(patches), "ratio": best, "GiB": peak_memory()}


def _map(checkpoint: Path, product: Path) -> None:
    work = MapWork(batch_size=BATCH)
    [found] = map_products(checkpoint, [product], WORK / "out", work, device="cpu").maps
    assert not found.left_alone


def report(size: str = "full") -> str:
    """A table."""
    found = run(size)
    title = (
        f"Seconds of a map of {SIZES[size]} x {SIZES[size]} pixels, {found['patches']:,} patches, "
        f"{find_model(MODEL).title}; {found['GiB']:.1f} GiB at most"
    )
    return table(title, found["rows"])


if __name__ == "__main__":
    show(report, SIZES)
