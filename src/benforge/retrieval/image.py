"""A patch that lies in files: a folder with a GeoTIFF a band, or one GeoTIFF of all bands."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from benforge.core.bigearthnet import EDGE
from benforge.core.sensor import Sensor, load_sensor
from benforge.errors import BenError, InputError, MissingError

Pixels = Mapping[int, npt.NDArray[np.uint16]]
"""Pixel size (m) to `band row col`, all bands of that size."""
Stored = npt.NDArray[np.uint16]

_BAND = re.compile(r"B0?(\d{1,2}A?)\b", re.IGNORECASE)
_DEGREE = 111_320.0
"""Metres of a degree of latitude, about."""
_TOLERANCE = 0.2
"""Of a patch's edge: grids in degrees are not as exact."""


def read_image(path: Path) -> Pixels:
    """The pixels of one patch as archives store them.

    Args:
        path: a folder of BigEarthNet v1 or v2, which holds a file `..._B02.tif` a band at its own
            pixel size; or one GeoTIFF of all bands at 10 m, named by its bands' descriptions
            (B02, B2) or in the order of the sensor, whose 20 and 60 m bands are averaged back.

    Raises:
        MissingError: there is no such file, or a band is not there.
        InputError: other bands, sizes or numbers than a patch has, or a damaged file.
    """
    sensor = load_sensor()
    if path.is_dir():
        bands = _read_folder(path, sensor)
    elif path.is_file():
        bands = _read_file(path, sensor)
    else:
        raise MissingError(
            "no such file or folder", where=path, do="Name a GeoTIFF or the folder of a patch"
        )
    if not any(band.any() for band in bands.values()):
        raise InputError("no data: all pixels are 0", where=path, do="Give a patch with data")
    return {
        size: np.stack([bands[band.name] for band in sensor.bands_at(size)])
        for size in sensor.pixel_sizes
    }


def _read_folder(folder: Path, sensor: Sensor) -> dict[str, Stored]:
    found = {}
    for band in sensor.patch_bands:
        files = sorted(folder.glob(f"*_{band.name}.tif"))
        if len(files) != 1:
            what = "is missing" if not files else f"has {len(files)} files"
            raise MissingError(
                f"the band {band.name} {what}",
                where=folder,
                do="Give the folder of one patch of BigEarthNet v1 or v2, with all 12 bands",
            )
        pixels, _ = _read(files[0])
        edge = EDGE // band.pixel_size
        if pixels.shape != (1, edge, edge):
            raise _wrong_form(files[0], pixels, f"1 band of {edge} x {edge}")
        found[band.name] = pixels[0]
    return found


def _read_file(path: Path, sensor: Sensor) -> dict[str, Stored]:
    pixels, names = _read(path)
    wanted = [band.name for band in sensor.patch_bands]
    edge = EDGE // min(sensor.pixel_sizes)
    if pixels.shape[1:] != (edge, edge):
        raise _wrong_form(path, pixels, f"{len(wanted)} bands of {edge} x {edge}")
    known = [_band_of(name) for name in names]
    if set(wanted) <= set(known):
        order = [known.index(name) for name in wanted]
    elif len(pixels) == len(wanted) and not any(names):
        order = list(range(len(wanted)))
    else:
        raise _other_bands(path, names, [name for name in wanted if name not in known])
    return {
        band.name: _coarsen(pixels[at], band.pixel_size // min(sensor.pixel_sizes))
        for band, at in zip(sensor.patch_bands, order, strict=True)
    }


def _band_of(description: str) -> str:
    """The band that a description begins with: B02 of "B2", "b02" or "B2, central wavelength"."""
    match = _BAND.match(description.strip())
    return f"B{match[1].upper().zfill(2)}" if match else ""


def _coarsen(band: Stored, step: int) -> Stored:
    """Means of `step` x `step` pixels."""
    rows, cols = band.shape[0] // step, band.shape[1] // step
    cells = band.reshape(rows, step, cols, step).mean(axis=(1, 3), dtype=np.float64)
    found: Stored = np.rint(cells).astype(np.uint16)
    return found


def _read(path: Path) -> tuple[Stored, list[str]]:
    """All bands of a file, and their descriptions; "" where a band has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as source:
                _check_ground(source, path)
                pixels: npt.NDArray[Any] = source.read()
                return _stored(pixels, path), [name or "" for name in source.descriptions]
    except BenError:
        raise
    except (RasterioError, OSError, ValueError) as error:
        raise InputError("not a GeoTIFF, or damaged", where=path) from error


def _check_ground(source: DatasetReader, path: Path) -> None:
    """Raise where pixels are of another size than a band of a patch has, as far as that is told."""
    crs, size = source.crs, abs(source.transform.e)
    if not crs or source.transform.is_identity:
        return
    metres = size * (_DEGREE if crs.is_geographic else crs.linear_units_factor[1])
    edge = metres * source.height
    if abs(edge - EDGE) > _TOLERANCE * EDGE and source.height == EDGE // 10:
        raise InputError(
            f"pixels of {metres:.3g} m, where a patch has some of 10 m",
            where=path,
            do="Resample it to 120 x 120 pixels of 10 m",
        )


def _stored(pixels: npt.NDArray[Any], path: Path) -> Stored:
    """Pixels as whole numbers of 16 bits."""
    with np.errstate(invalid="ignore"):
        whole = pixels.dtype.kind in "iu" or bool((pixels == np.rint(pixels)).all())
    low, high = (pixels.min(), pixels.max()) if pixels.size else (0, 0)
    if not whole or low < 0 or high > np.iinfo(np.uint16).max or pixels.dtype.itemsize == 1:
        raise InputError(
            f"numbers of {pixels.dtype} that archives do not hold",
            where=path,
            do="Give reflectance x 10,000 as whole numbers, without the offset of products",
        )
    return pixels.astype(np.uint16)


def _wrong_form(path: Path, pixels: npt.NDArray[Any], wanted: str) -> InputError:
    count, rows, cols = pixels.shape
    return InputError(
        f"{count} band(s) of {rows} x {cols} pixels, where a patch has {wanted}",
        where=path,
        do="Cut 1,200 m x 1,200 m of ground out of it, with all 12 bands",
    )


def _other_bands(path: Path, names: list[str], lacking: list[str]) -> InputError:
    told = ", ".join(names) if any(names) else f"{len(names)} without names"
    return InputError(
        f"the bands are {told}; {', '.join(lacking)} cannot be told among them",
        where=path,
        do="Name all 12 in their descriptions (B01 to B12 and B8A), or give these 12 in order",
    )
