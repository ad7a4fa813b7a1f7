"""Pixels held on a GPU: batches beside the card's own copying, training beside a ready batch.

`python -m benchmarks.gpu --archive FOLDER`, `--device cpu --size toy` to try it without a card;
`--save FOLDER` writes the archive, which needs rasterio, and ends. The pixels are the 66 real
patches of the sample, each held as often as it takes to fill the store, so that no cache helps.
Every way is checked against the plain one in float32 on the CPU before it is timed. With `OUT` in
the environment the figures go to `$OUT/gpu.json` too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from benchmarks.gpu_training import Size, trained
from benchmarks.measure import machine, table
from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split
from benforge.core.contract import Normalisation
from benforge.core.sensor import load_sensor
from benforge.loading.fused import Fused
from benforge.loading.held import DevicePixels
from benforge.loading.normalisation import find_normalisation
from benforge.loading.order import draw_turns
from benforge.loading.prepare import Preparer
from benforge.loading.reading import PatchReader

SENSOR = load_sensor()
ALL = tuple(band.name for band in SENSOR.patch_bands)
RGB = ("B04", "B03", "B02")
STORED = 160_000
"""Bytes of a stored patch, all 12 bands."""


TRAININGS = (
    ("scnn-all", "fp32"),
    ("scnn-all", "tf32"),
    ("scnn-all", "bf16"),
    ("scnn-rgb", "fp32"),
    ("scnn-rgb", "bf16"),
    ("resnet50", "tf32"),
    ("resnet50", "bf16"),
)
SIZES = {
    "toy": Size(66, 8, 2, 2**20, 4, 2, (("scnn-rgb", "fp32"), ("scnn-rgb", "bf16")), 1),
    "full": Size(200_000, 4096, 11, 2**32, 256, 40, TRAININGS, 4),
}


def timed(work: Callable[[], object], rounds: int, device: torch.device) -> float:
    """Median seconds of one call on the device, after two to warm up."""
    for _ in range(2):
        work()
    times = []
    for _ in range(rounds):
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            work()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) / 1000)
        else:
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
    return statistics.median(times)


def copy_bandwidth(size: Size, device: torch.device) -> float:
    """Bytes a second that the device copies within its memory, read and written."""
    source = torch.randint(0, 2**31 - 1, (size.copied // 4,), dtype=torch.int32, device=device)
    target = torch.empty_like(source)
    return 2 * size.copied / timed(lambda: target.copy_(source), size.rounds, device)


def repeated(archive: Archive, count: int) -> Archive:
    """The archive with its rows again and again."""
    rows = np.resize(np.arange(len(archive)), count)
    return replace(archive, index=archive.index.take(pa.array(rows)))


def ways(
    normalisation: Mapping[tuple[str, ...], Normalisation], device: torch.device
) -> Iterator[tuple[str, tuple[str, ...], torch.dtype, Preparer]]:
    """Every way to prepare batches: name, bands, type of the result."""

    def make(bands: tuple[str, ...], dtype: torch.dtype, fused: bool) -> Preparer:
        return Preparer(
            SENSOR, bands, normalisation[bands], "cubic-0.5", native=False, device=device,
            dtype=dtype, fused=fused,
        )  # fmt: skip

    for bands in (ALL, RGB):
        for dtype in (torch.float32, torch.bfloat16):
            yield "torch", bands, dtype, make(bands, dtype, False)
            if make(bands, dtype, True)._fused is None:
                continue
            for warps in (1, 2, 4, 8):
                one = make(bands, dtype, True)
                assert one._fused is not None
                one._fused = Fused(one._fused._kernels, warps)
                yield f"fused, {warps} warps", bands, dtype, one


def prepared(
    held: DevicePixels, size: Size, normalisation: Any, ceiling: float
) -> tuple[list[dict[str, Any]], float]:
    """Batches alone: their speed, and their largest distance to the plain way on the CPU."""
    random, device, rows, worst = np.random.default_rng(0), held.device, [], 0.0
    cpu = torch.device("cpu")
    for name, bands, dtype, prepare in ways(normalisation, device):
        few = random.integers(0, size.store, 16)
        turns = np.arange(16, dtype=np.uint8) % 8
        plain = Preparer(
            SENSOR, bands, normalisation[bands], "cubic-0.5", native=False, device=cpu
        )(held.read(few), turns)
        seen = prepare(held.pixels, turns, held.rows(few))
        assert isinstance(seen, torch.Tensor)
        assert isinstance(plain, torch.Tensor)
        off = float((seen.float().cpu() - plain).abs().max())
        if dtype == torch.float32:
            worst = max(worst, off)
            assert off <= 1e-3, f"{name} is {off} off"
        else:
            assert torch.allclose(seen.float().cpu(), plain, rtol=2**-7, atol=1e-3), name
        which = held.rows(random.integers(0, size.store, size.batch))
        drawn = torch.from_numpy(draw_turns(size.batch, 1, 0)).to(device)
        taken = timed(lambda p=prepare, d=drawn, w=which: p(held.pixels, d, w), size.rounds, device)  # type: ignore[misc]
        each = _read(bands) + seen[0].numel() * seen.element_size()
        rate = size.batch / taken
        rows.append(
            {
                "way": name,
                "bands": len(bands),
                "type": str(dtype).removeprefix("torch."),
                "patches/s": f"{rate:,.0f}",
                "GB/s": f"{rate * each / 1e9:,.0f}",
                "of copying": f"{rate * each / ceiling:.2f}",
                "largest difference, std": f"{off:.1e}",
            }
        )
        print(rows[-1], flush=True)
    return rows, worst


def _read(bands: tuple[str, ...]) -> int:
    """Bytes of the bands as stored."""
    return sum(2 * (1200 // SENSOR.band(name).pixel_size) ** 2 for name in bands)


def groups(held: DevicePixels, size: Size, ceiling: float) -> list[dict[str, str]]:
    """The one pass, a pixel size at a time, into float32: which of them is the slow one."""
    random, device = np.random.default_rng(0), held.device
    normal = Normalisation(source="none", mean=(0.0,) * 12, std=(1e4,) * 12)
    prepare = Preparer(SENSOR, ALL, normal, "cubic-0.5", native=False, device=device)
    if prepare._fused is None:
        return []
    which = held.rows(random.integers(0, size.store, size.batch))
    turns = torch.from_numpy(draw_turns(size.batch, 1, 0)).to(device)
    out = torch.empty(size.batch, 12, 120, 120, device=device)
    fused, rows = prepare._fused, []
    for pixels, group in prepare._fused_groups.items():
        for told, drawn in (("turned", turns), ("as they lie", None)):

            def work(p: int = pixels, g: Any = group, d: Any = drawn) -> None:
                fused.run(held.pixels[p], which, d, g, "cubic-0.5", (None, None), out)

            taken = timed(work, size.rounds, device)
            names = [band.name for band in SENSOR.bands_at(pixels)]
            moved = size.batch * (_read(tuple(names)) + len(names) * 120 * 120 * 4)
            rows.append(
                {
                    "pixel size, m": str(pixels),
                    "patches": told,
                    "ms": f"{1000 * taken:.3f}",
                    "of copying": f"{moved / taken / ceiling:.2f}",
                }
            )
    return rows


def run(name: str, device: torch.device, root: Path, work: Path, only: str = "") -> dict[str, Any]:
    """All figures.

    Args:
        name: "toy" or "full".
        device: where.
        root: an archive of the sample with the split "all".
        work: folder for what is written.
        only: "batches" or "training"; both if empty.
    """
    size, archive = SIZES[name], Archive.open(root)
    assert read_split(root, "all").part("train")
    ceiling = copy_bandwidth(size, device)
    print(f"copying: {ceiling / 1e9:,.0f} GB/s", flush=True)
    if device.type == "cuda":
        torch.cuda.empty_cache()
    big = repeated(archive, size.store)
    start = time.perf_counter()
    held = DevicePixels(big, ALL, np.arange(size.store), device, workers=size.workers)
    fetched = time.perf_counter() - start
    print(f"fetched {size.store:,} patches in {fetched:.1f} s", flush=True)
    reader, some = PatchReader(archive, ALL), np.arange(len(archive))
    normalisation = {
        bands: find_normalisation("published", reader, some, bands, SENSOR) for bands in (ALL, RGB)
    }
    rows, worst = prepared(held, size, normalisation, ceiling) if only != "training" else ([], 0.0)
    found: dict[str, Any] = {
        "device": _name(device),
        "torch": torch.__version__,
        "copy_bytes_per_second": ceiling,
        "store_patches": size.store,
        "store_gib": size.store * held.bands.patch_bytes / 2**30,
        "fetched_seconds": fetched,
        "fetched_patches_per_second": size.store / fetched,
        "worst": worst,
        "prepared": rows,
        "groups": groups(held, size, ceiling) if rows else [],
        "trained": [],
    }
    if only != "batches":
        found["trained"] = trained(root, big, held, size, work)
    return found


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def report(found: Mapping[str, Any], size: Size) -> str:
    """The figures as Markdown."""
    notes = (
        f"{found['device']}, torch {found['torch']}; it copies "
        f"{found['copy_bytes_per_second'] / 1e9:,.0f} GB/s, read and written. "
        f"{found['store_patches']:,} patches held, {found['store_gib']:.1f} GiB, fetched in "
        f"{found['fetched_seconds']:.1f} s; batches of {size.batch:,}. GB/s count the stored bytes "
        "of the bands read and the bytes of the result written, each once.\n"
    )
    titles = {
        "prepared": "Batches from pixels on the device",
        "groups": "The one pass, a pixel size at a time",
        "trained": f"Training, {size.patches} patches a step; from the disk means the page cache, "
        "which holds the 66 patches",
    }
    tables = [table(title, found[name]) for name, title in titles.items() if found[name]]
    return "\n".join([notes, *tables])


def main() -> None:
    """Parse, run, print and save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=list(SIZES), default="full")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--archive", type=Path, help="as --save wrote it; made anew if left out")
    parser.add_argument("--save", type=Path, help="write the archive into this folder, and end")
    parser.add_argument("--only", choices=["batches", "training"], default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = asked.archive
        if root is None:
            from benchmarks.training import save_archive

            root = save_archive(asked.save or Path(folder))
        if asked.save:
            print(root)
            return
        print(machine())
        found = run(asked.size, torch.device(asked.device), root, Path(folder), asked.only)
    text = report(found, SIZES[asked.size])
    print(text)
    if out := os.environ.get("OUT"):
        (Path(out) / "gpu.json").write_text(json.dumps(found, indent=2))
        (Path(out) / "gpu.md").write_text(text)


if __name__ == "__main__":
    main()
