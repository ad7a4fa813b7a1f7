"""The published v1 layout in and out, beside rasterio and beside a floor, in the same run.

`python -m benchmarks.layouts`. A tile of 91 x 91 patches, their pixels those of the 66 real sample
patches of BigEarthNet. The floor of an export is `benchmarks.geotiffs`: as many files of the same
pixels from GDAL's header and libdeflate, by as many processes, without benforge. Nothing is deleted
before the end: creating files right after deleting many is 5 to 20 times slower on ext4.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from benchmarks.geotiffs import EPSG, Compression, Row, write_row
from benchmarks.measure import interleaved, seconds, show, table
from benforge.archive.archive import Archive
from benforge.archive.executors import available_cores, run_tasks
from benforge.core.sensor import load_sensor
from benforge.demo.sample import unpack_sample
from benforge.layouts.port import ExportOptions, ImportOptions
from benforge.layouts.v1_export import export_v1
from benforge.layouts.v1_import import V1Source, import_v1
from benforge.layouts.v1_names import published_projection
from benforge.layouts.v1_read import list_v1_patches, read_v1_bands, read_v1_patch
from benforge.published.lists import PublishedLists

WORK = Path(__file__).parent / "work" / "layouts"
SENSOR = load_sensor()
PATCHES = 590_326
"""Patches of BigEarthNet v1, for extrapolation."""
SIZES = {"toy": (2, 3, 1, 4), "quarter": (46, 46, 1, 200), "full": (91, 91, 2, 300)}
"""Rows, columns, rounds, and how many patches rasterio reads and writes."""

DATES = ("20170613", "20170723")
"""Rows are of two products in turn, so that an import has work for two processes."""
SOURCE = "S2A_MSIL1C_{0}T101031_N0205_R022_T33UUP_{0}T101608.SAFE"

_numbers = count()


def save_sample(folder: Path) -> Path:
    """The real patches in one file that a process reads at once: band to `patch row col`."""
    patches = [
        {band.name: pixels for band, pixels in read_v1_bands(read_v1_patch(f, SENSOR), SENSOR)}
        for f in list_v1_patches(unpack_sample(folder))
    ]
    path = folder / "sample.npz"
    np.savez(path, **{band: np.stack([patch[band] for patch in patches]) for band in patches[0]})
    return path


def _metadata(date: str) -> dict[str, Any]:
    return {
        "labels": ["Pastures", "Mixed forest"],
        "projection": published_projection(f"EPSG:{EPSG}"),
        "tile_source": SOURCE.format(date),
        "acquisition_date": f"{date[:4]}-{date[4:6]}-{date[6:]} 10:10:31",
    }


def write_rasterio(folders: Sequence[Path], out: Path, compression: Compression) -> None:
    """Every file of some patches through rasterio."""
    packed = {"compress": "deflate", "predictor": 2} if compression == "deflate" else {}
    for folder in folders:
        patch = read_v1_patch(folder, SENSOR)
        (out / folder.name).mkdir()
        for band, pixels in read_v1_bands(patch, SENSOR):
            transform = rasterio.Affine(
                band.pixel_size, 0, patch.ulx, 0, -band.pixel_size, patch.uly
            )
            height, width = pixels.shape
            with rasterio.open(
                out / folder.name / f"{folder.name}_{band.name}.tif", "w", driver="GTiff",
                dtype="uint16", count=1, height=height, width=width, crs=patch.crs,
                transform=transform, **packed,
            ) as file:  # fmt: skip
                file.write(pixels, 1)


def read_rasterio(folders: Sequence[Path]) -> None:
    """Twelve times rasterio.open a patch."""
    for folder in folders:
        for band in SENSOR.patch_bands:
            with rasterio.open(folder / f"{folder.name}_{band.name}.tif") as file:
                file.read(1)


def read_ours(source: V1Source, folders: Sequence[Path]) -> None:
    """What the import does with a patch before it is stored."""
    for folder in folders:
        source.read(source.describe(folder.name), SENSOR)


def describe_ours(source: V1Source, folders: Sequence[Path]) -> None:
    """The same without the pixels."""
    for folder in folders:
        source.describe(folder.name)


def run(size: str = "full") -> dict[str, Any]:
    """Patches per second of everyone, and ratios.

    Args:
        size: "toy" for tests; "full" for one tile, which takes 11 GB of disk.
    """
    rows, columns, rounds, slow = SIZES[size]
    run_folder = WORK / str(os.getpid())
    run_folder.mkdir(parents=True)
    try:
        (run_folder / "sample").mkdir()
        sample = save_sample(run_folder / "sample")
        layout = _fresh(run_folder)
        for _ in map(write_row, _rows(layout, sample, rows, columns, "none", metadata=True)):
            pass
        patches = rows * columns
        first = list_v1_patches(layout)[:slow]
        imports, archive = _imports(run_folder, layout, first, rounds)
        rates = {name: n / s for name, (n, s) in imports(patches).items()}
        for kind in ("none", "deflate"):
            times = _exports(run_folder, archive, sample, (rows, columns), kind, rounds)
            rates |= {name: patches / s for name, s in times.items()}
            out = _fresh(run_folder)
            spent = seconds(lambda o=out, k=kind: write_rasterio(first, o, k))  # type: ignore[misc]
            rates[f"rasterio, export, {kind}"] = len(first) / spent
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)
    return _report(rates)


def _fresh(folder: Path) -> Path:
    """A new folder that was never there."""
    found = folder / f"out{next(_numbers)}"
    found.mkdir()
    return found


def _rows(
    out: Path, sample: Path, rows: int, columns: int, kind: Compression, *, metadata: bool = False
) -> Iterator[Row]:
    for row in range(rows):
        date = DATES[row % 2]
        stem, told = f"S2A_MSIL2A_{date}T101031", _metadata(date) if metadata else None
        yield Row(out, sample, row, columns, stem, kind, told)


Counts = dict[str, tuple[int, float]]


def _imports(
    folder: Path, layout: Path, first: Sequence[Path], rounds: int
) -> tuple[Callable[[int], Counts], Archive]:
    """The readings timed, how to count them, and an archive that was imported."""
    source = V1Source(layout, PublishedLists({}))
    works: dict[str, Callable[[], object]] = {
        "benforge, describe, one process": lambda: describe_ours(source, first),
        "benforge, describe and read, one process": lambda: read_ours(source, first),
        "rasterio, read, one process": lambda: read_rasterio(first),
    }
    for work in works.values():
        work()
    few = interleaved(works, 3)
    archives: list[Path] = []

    def whole() -> None:
        archives.append(folder / f"archive{len(archives)}")
        import_v1(layout, archives[-1], ImportOptions())

    warm = interleaved({"benforge, import": whole}, rounds)
    _drop_from_cache(layout)
    cold = {"benforge, import, cold": seconds(whole)}

    def counted(patches: int) -> Counts:
        found = {name: (len(first), s) for name, s in few.items()}
        return found | {name: (patches, s) for name, s in (warm | cold).items()}

    return counted, Archive.open(archives[0])


def _drop_from_cache(layout: Path) -> None:
    """Have the system forget the files' contents; names and inodes stay in memory."""
    os.sync()
    for path in layout.glob("*/*"):
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def _exports(
    folder: Path,
    archive: Archive,
    sample: Path,
    shape: tuple[int, int],
    kind: Compression,
    rounds: int,
) -> dict[str, float]:
    """Seconds of the floor and of the export, each into new folders, in turns."""
    workers = available_cores() if len(archive) > 512 else 1
    ours: list[Path] = []
    floors: list[Path] = []

    def floor() -> None:
        floors.append(_fresh(folder))
        for _ in run_tasks(write_row, _rows(floors[-1], sample, *shape, kind), workers):
            pass

    def export() -> None:
        ours.append(_fresh(folder))
        export_v1(archive, ours[-1], ExportOptions(compression=kind, workers=workers))

    works = {f"floor, {kind}": floor, f"benforge, export, {kind}": export}
    times = interleaved(works, rounds)
    _check(floors[0], ours[0])
    return times


def _check(floor: Path, ours: Path) -> None:
    """Both wrote the same names, and files that are equal through rasterio."""
    folders = sorted(floor.iterdir())
    assert [f.name for f in folders] == [f.name for f in list_v1_patches(ours)]
    for folder in folders[::97]:
        for path in folder.iterdir():
            with rasterio.open(path) as a, rasterio.open(ours / folder.name / path.name) as b:
                assert (a.crs, a.transform) == (b.crs, b.transform)
                assert np.array_equal(a.read(1), b.read(1))


def _report(rates: dict[str, float]) -> dict[str, Any]:
    rows = [
        {
            "work": name,
            "patches/s": f"{rate:,.0f}",
            f"{PATCHES:,} patches, minutes": f"{PATCHES / rate / 60:,.1f}",
        }
        for name, rate in rates.items()
    ]
    ours = "benforge, describe and read, one process"
    ratios = {
        "reading, times rasterio": rates[ours] / rates["rasterio, read, one process"],
        "import, of reading with rasterio": rates["benforge, import"]
        / rates["rasterio, read, one process"],
    }
    for kind in ("none", "deflate"):
        export = rates[f"benforge, export, {kind}"]
        ratios |= {
            f"export {kind}, seconds of the floor's": rates[f"floor, {kind}"] / export,
            f"export {kind}, times rasterio": export / rates[f"rasterio, export, {kind}"],
        }
    return {"rows": rows, "ratios": ratios, "rates": rates}


def report(size: str = "full") -> str:
    """The figures as Markdown."""
    found = run(size)
    ratios = [{"ratio": k, "value": f"{v:.2f}"} for k, v in found["ratios"].items()]
    notes = (
        f"Import, export and floor with {available_cores()} processes, rasterio with one. The "
        "floor packs with libdeflate at its level 1. Cold: "
        "contents of the files dropped from the page cache (posix_fadvise), their names and "
        "inodes not. Minutes are extrapolated.\n"
    )
    rows = table("The published v1 layout, in and out", found["rows"])
    return "\n".join([rows, notes, table("Ratios", ratios)])


if __name__ == "__main__":
    show(report, SIZES)
