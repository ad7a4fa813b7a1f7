"""Build one product: benforge, the floor of decoding alone, and the naive way beside it.

`python -m benchmarks.build` makes a simulated full-size product first (minutes, once).
"""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

from benchmarks.measure import run_alone, seconds, show, table
from benforge.archive.executors import available_cores
from benforge.core.sensor import load_sensor

WORK = Path(__file__).parent / "work"
SIZES = {"toy": (1200, 40), "full": (10980, 20000)}


def prepare(size: str) -> tuple[Path, Path]:
    """A simulated product and its land-cover map, made once."""
    pixels, polygons = SIZES[size]
    folder = WORK / size
    if not (folder / "land_cover.gpkg").exists() or not list(folder.glob("*.SAFE")):
        words = ["--size", str(pixels), "--polygons", str(polygons), "--date", "2017-06-13"]
        run_alone([*_ben(), "simulate", "--out", str(folder), *words])
    return next(folder.glob("*.SAFE")), folder / "land_cover.gpkg"


def band_files(product: Path) -> list[Path]:
    """The 12 bands of an L2A product at native pixel size."""
    sensor = load_sensor()
    return [
        next(product.glob(f"GRANULE/*/IMG_DATA/R{b.pixel_size}m/*_{b.name}_{b.pixel_size}m.jp2"))
        for b in sorted(sensor.patch_bands, key=lambda b: b.pixel_size)
    ]


def decode_bands_beside(product: Path, threads: int) -> None:
    """Every band once, `threads` bands at a time."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda file: _decode(file, 1), band_files(product)))


def decode_threads_inside(product: Path, threads: int) -> None:
    """Every band once, one after the other, `threads` threads inside the decoder."""
    for file in band_files(product):
        _decode(file, threads)


def _decode(file: Path, threads: int) -> int:
    with rasterio.Env(GDAL_NUM_THREADS=str(threads)), rasterio.open(file) as source:
        pixels: np.ndarray[Any, Any] = source.read(1)
    return int(pixels.size)


def build_naive(product: Path, out: Path) -> int:
    """What a first script does: window by window from the JP2, one GeoTIFF a band."""
    files, count = band_files(product), 0
    for file in files:
        with rasterio.open(file) as source:
            edge = round(1200 / source.res[0])
            for row in range(source.height // edge):
                for column in range(source.width // edge):
                    window = Window(column * edge, row * edge, edge, edge)
                    _write_tiff(source, window, out / f"{column}_{row}" / f"{file.stem}.tif")
                    count += 1
    return count


def _write_tiff(source: Any, window: Window, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = source.res[0]
    left = source.bounds.left + window.col_off * size
    top = source.bounds.top - window.row_off * size
    profile = {
        "driver": "GTiff",
        "dtype": "uint16",
        "count": 1,
        "height": window.height,
        "width": window.width,
        "crs": source.crs,
        "transform": rasterio.Affine(size, 0, left, 0, -size, top),
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(source.read(1, window=window), 1)


def run(size: str = "full") -> dict[str, Any]:
    """Seconds, GiB and ratios to the floor."""
    product, land_cover = prepare(size)
    threads = available_cores()
    archive, tiffs = WORK / f"{size}-archive", WORK / f"{size}-tiffs"
    for folder in (archive, tiffs):
        shutil.rmtree(folder, ignore_errors=True)
    floors = {
        f"decode alone, {threads} bands at a time": seconds(
            lambda: decode_bands_beside(product, threads)
        ),
        f"decode alone, {threads} threads in the decoder": seconds(
            lambda: decode_threads_inside(product, threads)
        ),
    }
    words = ["build", str(product), "--land-cover", str(land_cover), "--out", str(archive)]
    build_seconds, memory = run_alone([*_ben(), *words])
    found = {**floors, "ben build": build_seconds}
    found["naive: windows from the JP2, one GeoTIFF a band, no labels"] = seconds(
        lambda: build_naive(product, tiffs)
    )
    shutil.rmtree(tiffs, ignore_errors=True)
    floor = min(floors.values())
    rows = [
        {"work": name, "seconds": f"{s:.1f}", "of the floor": f"{s / floor:.2f}"}
        for name, s in found.items()
    ]
    return {"rows": rows, "ratio": build_seconds / floor, "memory_gib": memory}


def _ben() -> list[str]:
    return [sys.executable, "-m", "benforge.cli"]


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found = run(size)
    polygons = SIZES[size][1]
    return (
        table(
            f"One simulated L2A product of {SIZES[size][0]:,} px, {polygons:,} polygons",
            found["rows"],
        )
        + f"\nPeak memory of `ben build`: {found['memory_gib']:.2f} GiB. It reads the product, "
        "verifies its checksums, makes exact shares and the reference map, and writes the "
        "archive with checksums, in a fresh process.\n"
    )


if __name__ == "__main__":
    show(report, SIZES)
