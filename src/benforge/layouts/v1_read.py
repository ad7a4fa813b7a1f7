"""One patch of the published v1 layout: its JSON and files checked, its bands read."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from benforge.archive.v1_names import (
    TIME_FORMAT,
    V1Name,
    mend_tile_source,
    parse_projection,
    published_metadata,
)
from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.nomenclature import load_nomenclature
from benforge.core.sensor import Band, Sensor
from benforge.errors import ArchiveError, InputError, MissingError

EDGE = 1200
"""Edge of a v1 patch, m."""
TILE_PATCHES = 91
"""Patches along the edge of a tile (fidelity 1)."""


class _Coordinates(msgspec.Struct):
    ulx: float
    uly: float
    lrx: float
    lry: float


class _Metadata(msgspec.Struct):
    labels: list[str]
    coordinates: _Coordinates
    projection: str
    tile_source: str
    acquisition_date: str


@dataclass(frozen=True, slots=True, eq=False)
class V1Patch:
    """One patch folder of the v1 layout, its pixels not read yet.

    Args:
        folder: where it lies.
        name: its parsed name.
        product: the product it was cut from.
        source: full id of that product, its time mended, without `.SAFE`.
        crs: "EPSG:32633".
        ulx: easting of the upper-left corner, m.
        uly: northing of the same, m.
        labels: class names of `clc-43`, in the published order.
        classes: their CLC codes, ascending.
        sensing_time: `acquisition_date`, UTC.
        differences: JSON keys whose published value is not what `published_metadata` rebuilds.
        fingerprint: SHA-256 over the JSON and over names and sizes of the band files.
    """

    folder: Path
    name: V1Name
    product: ProductId
    source: str
    crs: str
    ulx: float
    uly: float
    labels: tuple[str, ...]
    classes: tuple[int, ...]
    sensing_time: datetime
    differences: Mapping[str, Any]
    fingerprint: bytes

    @property
    def corner(self) -> tuple[str, float, float]:
        """CRS, easting and northing of the upper-left corner of the tile (fidelity 2)."""
        return self.crs, self.ulx - EDGE * self.name.column, self.uly + EDGE * self.name.row

    @property
    def grid(self) -> Grid:
        """The patch's ground in pixels of 10 m."""
        return Grid(self.crs, self.ulx, self.uly, 10, EDGE // 10, EDGE // 10)


def is_v1(root: Path) -> bool:
    """Whether a folder holds at least one folder named like a v1 patch."""
    with os.scandir(root) as entries:
        return any(entry.is_dir() and V1Name.matches(entry.name) for entry in entries)


def list_v1_patches(root: Path) -> list[Path]:
    """The patch folders of a v1 layout, by name; hidden folders are passed over.

    Raises:
        MissingError: `root` is not a folder.
        InputError: a folder in it is not named like a v1 patch, or there is none at all.
    """
    if not root.is_dir():
        raise MissingError("no such folder", where=root)
    with os.scandir(root) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    for name in names:
        try:
            V1Name.parse(name)
        except InputError as error:
            raise InputError(error.what, where=root / name, do=error.do) from error
    if not names:
        raise InputError(
            "holds no BigEarthNet v1 patch",
            where=root,
            do="Give the folder that holds S2A_MSIL2A_20170613T101031_26_57 and its like",
        )
    return [root / name for name in names]


def read_v1_patch(folder: Path, sensor: Sensor) -> V1Patch:
    """What a patch folder says without its pixels: all files there, the JSON whole and in order.

    Raises:
        MissingError: the JSON or a band is missing.
        InputError: the JSON is damaged, contradicts itself, or has an unknown label.
    """
    name = V1Name.parse(folder.name)
    json_path = folder / f"{folder.name}_labels_metadata.json"
    sizes = _sizes(folder, json_path, sensor)
    try:
        text = json_path.read_bytes()
        return _parse_patch(folder, name, text, _fingerprint(text, sizes))
    except InputError as error:
        where = f"{json_path}: {error.where}" if error.where else json_path
        raise InputError(error.what, where=where, do=error.do) from error
    except OSError as error:
        raise InputError(f"cannot be read, {error.strerror}", where=json_path) from error


def _sizes(folder: Path, json_path: Path, sensor: Sensor) -> Mapping[str, int]:
    """Name and size of every band file."""
    with os.scandir(folder) as entries:
        found = {entry.name: entry.stat().st_size for entry in entries}
    bands = [f"{folder.name}_{band.name}.tif" for band in sensor.patch_bands]
    for needed in (json_path.name, *bands):
        if needed not in found:
            raise MissingError(
                "the file is missing",
                where=folder / needed,
                do="Copy the whole patch folder again",
            )
    return {band: found[band] for band in bands}


def _fingerprint(text: bytes, sizes: Mapping[str, int]) -> bytes:
    files = "".join(f"{name} {size}\n" for name, size in sizes.items())
    return hashlib.sha256(text + files.encode()).digest()


def _parse_patch(folder: Path, name: V1Name, text: bytes, fingerprint: bytes) -> V1Patch:
    raw, found = _parse_json(text)
    box = found.coordinates
    if (box.lrx - box.ulx, box.uly - box.lry) != (EDGE, EDGE):
        raise InputError(f"coordinates are not those of {EDGE} m x {EDGE} m", where="coordinates")
    if name.column >= TILE_PATCHES or name.row >= TILE_PATCHES:
        raise InputError(f"a tile has {TILE_PATCHES} x {TILE_PATCHES} patches", where=str(name))
    labels, classes = _parse_labels(found.labels)
    facts: dict[str, Any] = {
        "labels": labels,
        "crs": parse_projection(found.projection),
        "ulx": box.ulx,
        "uly": box.uly,
        "source": mend_tile_source(found.tile_source),
        "sensing_time": _parse_time(found.acquisition_date),
    }
    rebuilt = published_metadata(edge=EDGE, **facts)
    kept = {key: raw[key] for key in raw if key not in rebuilt or raw[key] != rebuilt[key]}
    return V1Patch(
        folder=folder,
        name=name,
        product=ProductId.parse(facts["source"]),
        classes=classes,
        differences=kept,
        fingerprint=fingerprint,
        **facts,
    )


def _parse_json(text: bytes) -> tuple[dict[str, Any], _Metadata]:
    try:
        raw = msgspec.json.decode(text)
        return raw, msgspec.convert(raw, _Metadata)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"not the metadata of a v1 patch: {error}") from error


def _parse_time(text: str) -> datetime:
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{text!r} is not a time", where="acquisition_date") from error


def _parse_labels(published: list[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names as `clc-43` spells them, in the order given, and their codes, ascending."""
    nomenclature = load_nomenclature("clc-43")
    classes = [nomenclature.by_name(label) for label in published]
    codes = tuple(sorted({c.code for c in classes}))
    if len(codes) < len(classes):
        raise InputError("a class is named twice", where="labels")
    return tuple(c.name for c in classes), codes


def read_v1_bands(patch: V1Patch, sensor: Sensor) -> Iterator[tuple[Band, npt.NDArray[np.uint16]]]:
    """Every band and its pixels, `row col` at native size.

    Raises:
        ArchiveError: a GeoTIFF is corrupt, or its size, type, CRS or corner is not the patch's.
    """
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told apart in _check_file
        for band in sensor.patch_bands:
            path = patch.folder / f"{patch.folder.name}_{band.name}.tif"
            yield band, _read_band(path, patch.grid.resized(band.pixel_size))


def _read_band(path: Path, grid: Grid) -> npt.NDArray[np.uint16]:
    try:
        with rasterio.open(path, driver="GTiff") as source:
            _check_file(path, source, grid)
            pixels: npt.NDArray[np.uint16] = source.read(1)
    except RasterioIOError as error:
        raise ArchiveError(
            "the GeoTIFF is corrupt", where=path, do="Copy the patch folder again"
        ) from error
    return pixels


def _check_file(path: Path, source: Any, grid: Grid) -> None:
    form = (source.count, source.dtypes[0], source.shape)
    if form != (1, "uint16", grid.shape):
        raise ArchiveError(
            f"{form[0]} band(s) of {form[1]}, {form[2][0]} x {form[2][1]} pixels, "
            f"where v1 has 1 of uint16, {grid.height} x {grid.width}",
            where=path,
        )
    crs = parse_projection(source.crs.to_wkt()) if source.crs else "no CRS"
    if (crs, tuple(source.transform)[:6]) != (grid.crs, grid.transform):
        raise ArchiveError(
            f"lies at {crs} {source.transform.c:.0f} {source.transform.f:.0f}, "
            f"its JSON says {grid.crs} {grid.ulx:.0f} {grid.uly:.0f}",
            where=path,
        )
