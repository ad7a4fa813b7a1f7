"""Random patch reads, all 12 bands, warm, one process: benforge and its peers beside each other.

`python -m benchmarks.reads`. The pixels are the 66 real sample patches of BigEarthNet, laid out at
random over one tile. The floor is copying the same 160,000 bytes from an array in memory that is
as large as the tile: as one piece, and as the three arrays that a patch consists of.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import rasterio
import zarr

from benchmarks.measure import interleaved, show, table
from benforge.archive.bands import room_for
from benforge.archive.layout import SceneFrame, array_name, scene_path
from benforge.archive.pixels import PixelReader
from benforge.archive.scene_writer import SceneWriter
from benforge.archive.storage import StorageRecipe
from benforge.core.grid import Grid
from benforge.core.record import SCHEMA
from benforge.core.sensor import load_sensor
from benforge.demo.sample import unpack_sample
from benforge.layouts.v1_read import list_v1_patches, read_v1_bands, read_v1_patch

WORK = Path(__file__).parent / "work" / "reads"
SENSOR = load_sensor()
SCENE = "S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP"
COMPRESSIONS: tuple[Literal["none", "zstd", "blosc"], ...] = ("none", "zstd", "blosc")
SIZES = {"toy": (14, 14, 2, 10), "full": (91, 91, 7, 300)}
"""Rows, columns, rounds, and how many patches the slow readers read."""

BATCH = 64

Pixels = npt.NDArray[np.uint16]
Patches = dict[int, Pixels]
"""Pixel size to `patch band row col`."""


def read_sample() -> Patches:
    """The real patches, by pixel size."""
    folders = list_v1_patches(unpack_sample(WORK))
    bands = [dict(read_v1_bands(read_v1_patch(f, SENSOR), SENSOR)) for f in folders]
    return {
        size: np.stack([[patch[band] for band in SENSOR.bands_at(size)] for patch in bands])
        for size in SENSOR.pixel_sizes
    }


def write_scenes(
    sample: Patches,
    which: Pixels,
    work: Path = WORK,
    compressions: Sequence[Literal["none", "zstd", "blosc"]] = COMPRESSIONS,
) -> None:
    """One archive a compression; `which` tells the sample patch at each `row col`."""
    rows, columns = which.shape
    grid = Grid("EPSG:32633", 300000, 5400000, 10, rows * 120, columns * 120)
    frame = SceneFrame(grid, columns, rows, 120)
    for compression in compressions:
        storage = StorageRecipe(compression=compression)
        with SceneWriter(work / compression, SCENE, frame, SENSOR, storage, threads=2) as writer:
            for size, patches in sample.items():
                writer.write_mosaic(array_name(size), _mosaic(patches, which))
            writer.finish(SCHEMA.empty_table(), {"product": SCENE, "source": "benchmark"})


def _mosaic(patches: Pixels, which: Pixels) -> Pixels:
    rows, columns = which.shape
    _, bands, edge, _ = patches.shape
    mosaic = np.empty((bands, rows * edge, columns * edge), np.uint16)
    for row, column in np.ndindex(which.shape):
        here = slice(row * edge, (row + 1) * edge), slice(column * edge, (column + 1) * edge)
        mosaic[:, *here] = patches[which[row, column]]
    return mosaic


def write_tiffs(sample: Patches, which: Pixels, places: list[tuple[int, int]]) -> None:
    """Some patches as published: one uncompressed GeoTIFF a band."""
    for row, column in places:
        folder = WORK / "tiffs" / f"{column}_{row}"
        folder.mkdir(parents=True, exist_ok=True)
        for size, patches in sample.items():
            edge = patches.shape[-1]
            left, top = 300000 + 1200 * column, 5400000 - 1200 * row
            transform = rasterio.Affine(size, 0, left, 0, -size, top)
            options = {"driver": "GTiff", "dtype": "uint16", "count": 1, "crs": "EPSG:32633"}
            for band, pixels in zip(
                SENSOR.bands_at(size), patches[which[row, column]], strict=True
            ):
                with rasterio.open(
                    folder / f"{band.name}.tif", "w", height=edge, width=edge,
                    transform=transform, **options,
                ) as file:  # fmt: skip
                    file.write(pixels, 1)


def read_tiffs(places: list[tuple[int, int]]) -> None:
    """Twelve files a patch through rasterio."""
    for row, column in places:
        for band in SENSOR.patch_bands:
            path = WORK / "tiffs" / f"{column}_{row}" / f"{band.name}.tif"
            with rasterio.open(path) as file:
                file.read(1)


def read_zarr(places: list[tuple[int, int]]) -> None:
    """Three slices a patch through zarr-python."""
    group = zarr.open_group(scene_path(WORK / "none", SCENE), mode="r")
    arrays = [(group[array_name(size)], 1200 // size) for size in SENSOR.pixel_sizes]
    for row, column in places:
        for array, edge in arrays:
            down, across = (slice(i * edge, (i + 1) * edge) for i in (row, column))
            array[:, down, across]


def read_ours(reader: PixelReader, places: list[tuple[int, int]]) -> None:
    """One call a patch."""
    for row, column in places:
        reader.read(SCENE, column, row)


def read_batches(reader: PixelReader, places: list[tuple[int, int]], out: Patches) -> None:
    """Batches into the same arrays."""
    named = [(SCENE, column, row) for row, column in places]
    for start in range(0, len(named) - BATCH + 1, BATCH):
        reader.read_many(named[start : start + BATCH], out)


def copy_one(flat: Pixels, order: list[int]) -> None:
    """The floor, one piece."""
    for patch in order:
        flat[patch].copy()


def copy_three(arrays: list[Pixels], order: list[int]) -> None:
    """The floor, three arrays."""
    for patch in order:
        for array in arrays:
            array[patch].copy()


def copy_batches(arrays: list[Pixels], order: list[int], out: Patches) -> None:
    """The floor of batches."""
    targets = list(out.values())
    for start in range(0, len(order) - BATCH + 1, BATCH):
        for position, patch in enumerate(order[start : start + BATCH]):
            for array, target in zip(arrays, targets, strict=True):
                target[position] = array[patch]


def run(size: str = "full") -> dict[str, Any]:
    """Patches per second of everyone, and ratios.

    Args:
        size: "toy" for tests, "full" for one tile, 8,281 patches and 1.3 GB a copy.
    """
    rows, columns, rounds, slow = SIZES[size]
    shutil.rmtree(WORK, ignore_errors=True)
    random = np.random.default_rng(0)
    sample = read_sample()
    which = random.integers(0, len(sample[10]), (rows, columns), np.uint16)
    order = [int(i) for i in random.permutation(which.size)]
    places = [divmod(i, columns) for i in order]
    try:
        write_scenes(sample, which)
        write_tiffs(sample, which, places[:slow])
        disk = {name: _bytes(WORK / name) / which.size for name in COMPRESSIONS}
        works, counts = _works(sample, which.ravel(), order, places)
        few, few_counts = _slow_works(places[:slow])
        _check(sample, which, places)
        works, counts = works | few, counts | few_counts
        for work in works.values():
            work()
        times = interleaved(works, rounds)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    return _report({name: counts[name] / s for name, s in times.items()}, disk)


def _works(
    sample: Patches, which: Pixels, order: list[int], places: list[tuple[int, int]]
) -> tuple[dict[str, Callable[[], object]], dict[str, int]]:
    """What is timed, and how many patches each reads."""
    three = [patches[which] for patches in sample.values()]
    flat = np.concatenate([a.reshape(len(a), -1) for a in three], axis=1)
    reader = PixelReader(WORK / "none", SENSOR)
    out = {size: room_for((BATCH, *p.shape[1:])) for size, p in sample.items()}
    works: dict[str, Callable[[], object]] = {
        "copy in memory, one piece": lambda: copy_one(flat, order),
        "copy in memory, three arrays": lambda: copy_three(three, order),
        "benforge, none": lambda: read_ours(reader, places),
        "copy in memory, batches of 64": lambda: copy_batches(three, order, out),
        "benforge, none, batches of 64": lambda: read_batches(reader, places, out),
    }
    counts = dict.fromkeys(works, len(order))
    for name in works:
        if "batches" in name:
            counts[name] = len(order) // BATCH * BATCH
    return works, counts


def _slow_works(
    places: list[tuple[int, int]],
) -> tuple[dict[str, Callable[[], object]], dict[str, int]]:
    """The same for readers that take long."""
    readers = {name: PixelReader(WORK / name, SENSOR) for name in COMPRESSIONS}
    works: dict[str, Callable[[], object]] = {
        "benforge, zstd": lambda: read_ours(readers["zstd"], places),
        "benforge, blosc": lambda: read_ours(readers["blosc"], places),
        "zarr-python, none": lambda: read_zarr(places),
        "GeoTIFF per band, rasterio": lambda: read_tiffs(places),
    }
    return works, dict.fromkeys(works, len(places))


def _check(sample: Patches, which: Pixels, places: list[tuple[int, int]]) -> None:
    """Everyone reads the right pixels."""
    row, column = places[0]
    for name in COMPRESSIONS:
        arrays = PixelReader(WORK / name, SENSOR).read(SCENE, column, row)
        for size, array in arrays.items():
            assert np.array_equal(array, sample[size][which[row, column]])
    with rasterio.open(WORK / "tiffs" / f"{column}_{row}" / "B02.tif") as file:
        assert np.array_equal(file.read(1), sample[10][which[row, column], 0])


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _report(rates: dict[str, float], disk: dict[str, float]) -> dict[str, Any]:
    ours = rates["benforge, none"]
    batch = rates["benforge, none, batches of 64"] / rates["copy in memory, batches of 64"]
    rows = [
        {
            "reader": name,
            "patches/s": f"{rate:,.0f}",
            "of one piece copied": f"{rate / rates['copy in memory, one piece']:.4f}",
        }
        for name, rate in rates.items()
    ]
    ratios = {
        "of one piece copied": ours / rates["copy in memory, one piece"],
        "of three arrays copied": ours / rates["copy in memory, three arrays"],
        "of batches copied": batch,
        "times zarr-python": ours / rates["zarr-python, none"],
        "times GeoTIFF per band": ours / rates["GeoTIFF per band, rasterio"],
    }
    return {"rows": rows, "ratios": ratios, "bytes_per_patch": disk}


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found = run(size)
    ratios = [{"benforge, none": k, "ratio": f"{v:.2f}"} for k, v in found["ratios"].items()]
    sizes = [{"compression": k, "bytes": f"{v:,.0f}"} for k, v in found["bytes_per_patch"].items()]
    return "\n".join(
        [
            table("Random patches, all 12 bands, warm, one process", found["rows"]),
            table("Ratios", ratios),
            table("Bytes of a patch on disk", sizes),
        ]
    )


if __name__ == "__main__":
    show(report, SIZES)
