"""A patch in files has the pixels that it has in an archive, whichever way it lies there."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from benforge.archive.archive import Archive
from benforge.core.sensor import load_sensor
from benforge.errors import BenError, InputError, MissingError
from benforge.retrieval.image import read_image

SENSOR = load_sensor()
NAMES = [band.name for band in SENSOR.patch_bands]


def write_file(
    path: Path,
    bands: np.ndarray,
    names: list[str] | None = None,
    crs: str | None = "EPSG:32633",
    pixel: float = 10,
) -> Path:
    count, height, width = bands.shape
    kind = {"driver": "GTiff", "count": count, "height": height, "width": width}
    transform = rasterio.Affine(pixel, 0, 12, 0, -pixel, 50)
    with rasterio.open(path, "w", dtype=bands.dtype, crs=crs, transform=transform, **kind) as file:
        file.write(bands)
        file.descriptions = names or [None] * count
    return path


def at_10_m(archive: Archive, position: int) -> np.ndarray:
    patch = archive[position]
    return np.stack(
        [
            np.kron(patch.band(b.name), np.ones((b.pixel_size // 10,) * 2, np.uint16))
            for b in SENSOR.patch_bands
        ]
    )


def test_folder_file_and_archive_agree(
    v1_sample: Path, imported_sample: Archive, tmp_path: Path
) -> None:
    stored = imported_sample[7].arrays
    bands = at_10_m(imported_sample, 7)
    back = list(reversed(range(12)))
    mixed = write_file(tmp_path / "mixed.tif", bands[back], [NAMES[i] for i in back])
    earth_engine = [name.replace("B0", "B") for name in NAMES]
    gdal = [f"{name}, central wavelength 665 nm" for name in earth_engine]
    more = np.concatenate([bands[:5], bands[:1], bands[5:]])
    ways = [
        write_file(tmp_path / "ee.tif", bands[back], [earth_engine[i] for i in back]),
        write_file(tmp_path / "gdal.tif", more, [*gdal[:5], "B10, cirrus", *gdal[5:]]),
        write_file(tmp_path / "degrees.tif", bands, crs="EPSG:4326", pixel=9e-5),
        write_file(tmp_path / "nowhere.tif", bands, crs=None),
        write_file(tmp_path / "float.tif", bands.astype(np.float32)),
        write_file(tmp_path / "wide.tif", bands.astype(np.int32)),
        v1_sample / imported_sample.record(7).v1_name,
        write_file(tmp_path / "plain.tif", bands),
        mixed,
    ]
    for path in ways:
        found = read_image(path)
        assert {s: a.dtype for s, a in found.items()} == dict.fromkeys((10, 20, 60), np.uint16)
        assert all((found[size] == stored[size]).all() for size in stored)


def test_images_that_are_no_patch(
    v1_sample: Path, imported_sample: Archive, tmp_path: Path
) -> None:
    bands = at_10_m(imported_sample, 0)
    text = tmp_path / "text.tif"
    text.write_text("no picture")
    lacking = tmp_path / "lacking"
    shutil.copytree(v1_sample / imported_sample.record(0).v1_name, lacking)
    next(lacking.glob("*_B8A.tif")).unlink()
    swapped = tmp_path / "swapped"
    shutil.copytree(v1_sample / imported_sample.record(0).v1_name, swapped)
    shutil.copy(next(swapped.glob("*_B02.tif")), next(swapped.glob("*_B01.tif")))
    cases: list[tuple[Path, type[BenError], str]] = [
        (tmp_path / "none.tif", MissingError, "no such file or folder"),
        (text, InputError, "not a GeoTIFF, or damaged"),
        (lacking, MissingError, "the band B8A is missing"),
        (swapped, InputError, r"1 band\(s\) of 120 x 120 pixels, where a patch has 1 band of 20"),
        (write_file(tmp_path / "3.tif", bands[:3]), InputError, "the bands are 3 without names"),
        (
            write_file(tmp_path / "other.tif", bands, [f"band {i}" for i in range(12)]),
            InputError,
            "the bands are band 0, .*, band 11; B01, B02, .* cannot be told among them",
        ),
        (
            write_file(tmp_path / "b9.tif", bands, [*NAMES[:9], "red", *NAMES[10:]]),
            InputError,
            "B09 cannot be told among them",
        ),
        (write_file(tmp_path / "13.tif", np.concatenate([bands, bands[:1]])), InputError, "13 wit"),
        (write_file(tmp_path / "8.tif", (bands // 40).astype(np.uint8)), InputError, "uint8 that"),
        (write_file(tmp_path / "0.tif", bands * 0), InputError, "no data: all pixels are 0"),
        (write_file(tmp_path / "20.tif", bands, pixel=20), InputError, "pixels of 20 m, where a"),
        (
            write_file(tmp_path / "deg.tif", bands, crs="EPSG:4326", pixel=1e-3),
            InputError,
            "pixels of 111 m, where",
        ),
        (write_file(tmp_path / "s.tif", bands[:, :64, :64]), InputError, "64 x 64 pixels, where"),
        (write_file(tmp_path / "f.tif", bands / 1e4), InputError, "numbers of float64 that"),
        (
            write_file(tmp_path / "n.tif", bands.astype(np.int32) - 9999),
            InputError,
            "Give reflectance x 10,000 as whole numbers",
        ),
    ]
    for path, kind, said in cases:
        with pytest.raises(kind, match=said):
            read_image(path)
