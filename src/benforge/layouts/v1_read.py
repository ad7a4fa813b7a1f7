"""One patch of the published v1 layout: its JSON and files checked, its bands read."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from benforge.core.bigearthnet import EDGE, TILE_PATCHES
from benforge.core.grid import Grid
from benforge.core.identity import ProductId
from benforge.core.nomenclature import load_nomenclature
from benforge.core.sensor import Band, Sensor
from benforge.errors import InputError, MissingError
from benforge.layouts.geotiff import read_geotiff
from benforge.layouts.source import SourcePatch
from benforge.layouts.v1_names import (
    V1Name,
    mend_tile_source,
    parse_projection,
    published_metadata,
)

UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".aria2", ".download")
"""How the names of files and folders end that are still being downloaded."""
_COPY = "Copy the whole patch folder again"


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


def is_v1(root: Path) -> bool:
    """Whether a folder holds at least one folder named like a v1 patch."""
    if not root.is_dir():
        return False
    with os.scandir(root) as entries:
        return any(V1Name.matches(entry.name) and entry.is_dir() for entry in entries)


def list_v1_patches(root: Path) -> list[Path]:
    """What lies in a folder of v1 patches, by name: folders, and downloads that did not end.

    Hidden ones are passed over, and other files. Folders that are no patches are listed:
    reading them says what is wrong.

    Raises:
        MissingError: `root` is not a folder.
        InputError: there is no patch in it.
    """
    if not root.is_dir():
        raise MissingError("no such folder", where=root)
    with os.scandir(root) as entries:
        names = sorted(
            e.name
            for e in entries
            if not e.name.startswith(".") and (e.name.endswith(UNFINISHED) or _is_folder(e))
        )
    if not any(V1Name.matches(name) for name in names):
        instead = f", but {names[0]}" if names else ""
        raise InputError(
            f"holds no BigEarthNet v1 patch{instead}",
            where=root,
            do="Give the folder that holds S2A_MSIL2A_20170613T101031_26_57 and its like",
        )
    return [root / name for name in names]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link that leads nowhere, which reading will tell."""
    return entry.is_dir() or (entry.is_symlink() and not os.path.exists(entry.path))  # noqa: PTH110


def read_v1_patch(folder: Path, sensor: Sensor, product: str | None = None) -> SourcePatch:
    """What a patch folder says without its pixels: all files there, the JSON whole and in order.

    Args:
        folder: named like a v1 patch.
        sensor: which bands must be there.
        product: full id of its product where the published names tell it, without `.SAFE`; None
            mends the JSON's `tile_source`.

    Raises:
        MissingError: the JSON or a band is missing, or only half there.
        InputError: another folder; the JSON is damaged, contradicts itself, or has an unknown
            label.
    """
    name = _parse_name(folder)
    sizes = _sizes(folder, sensor)
    json_path = folder / f"{folder.name}_labels_metadata.json"
    try:
        text = json_path.read_bytes()
        return _parse_patch(folder, name, text, _fingerprint(text, sizes), product)
    except InputError as error:
        where = f"{json_path}: {error.where}" if error.where else json_path
        raise InputError(error.what, where=where, do=error.do) from error
    except OSError as error:
        raise InputError(f"cannot be read, {error.strerror}", where=json_path) from error


def _parse_name(folder: Path) -> V1Name:
    if folder.name.endswith(UNFINISHED):
        raise InputError(
            "a download that did not end", where=folder, do="Finish it, or take it out"
        )
    try:
        return V1Name.parse(folder.name)
    except InputError as error:
        raise InputError(error.what, where=folder, do=error.do) from error


def _sizes(folder: Path, sensor: Sensor) -> Mapping[str, int]:
    """Name and size of every band file."""
    json_name, *bands = _file_names(folder.name, sensor)
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.stat().st_size for entry in entries}
    except OSError as error:
        raise InputError(f"cannot be read, {error.strerror}", where=folder) from error
    unfinished = sorted(name for name in found if name.endswith(UNFINISHED))
    for needed in (json_name, *bands):
        if needed not in found:
            half = f", only {unfinished[0]} is there" if unfinished else ""
            raise MissingError(f"the file is missing{half}", where=folder / needed, do=_COPY)
    if unfinished:
        raise InputError("a download that did not end", where=folder / unfinished[0], do=_COPY)
    return {band: found[band] for band in bands}


def _file_names(patch: str, sensor: Sensor) -> list[str]:
    """The JSON, then the bands."""
    bands = [f"{patch}_{band.name}.tif" for band in sensor.patch_bands]
    return [f"{patch}_labels_metadata.json", *bands]


def _fingerprint(text: bytes, sizes: Mapping[str, int]) -> bytes:
    files = "".join([f"{name} {size}\n" for name, size in sizes.items()])
    return hashlib.sha256(text + files.encode()).digest()


def _parse_patch(
    folder: Path, name: V1Name, text: bytes, fingerprint: bytes, product: str | None
) -> SourcePatch:
    raw, found = _parse_json(text)
    box = found.coordinates
    if (box.lrx - box.ulx, box.uly - box.lry) != (EDGE, EDGE):
        raise InputError(f"not the corners of {EDGE} m x {EDGE} m", where="coordinates", do=_COPY)
    if name.column >= TILE_PATCHES or name.row >= TILE_PATCHES:
        raise InputError(f"a tile has {TILE_PATCHES} x {TILE_PATCHES} patches", where=str(name))
    labels, classes = _parse_labels(tuple(found.labels))
    source = product or mend_tile_source(found.tile_source)
    facts: dict[str, Any] = {
        "labels": labels,
        "crs": parse_projection(found.projection),
        "ulx": box.ulx,
        "uly": box.uly,
        "source": source,
        "sensing_time": _sensing_time(name, source, found.acquisition_date),
    }
    return SourcePatch(
        name=folder.name,
        where=folder,
        product=product_text(source),
        column=name.column,
        row=name.row,
        v1_name=folder.name,
        classes=classes,
        kept=_kept(raw, published_metadata(edge=EDGE, **facts)),
        fingerprint=fingerprint,
        **facts,
    )


def _kept(raw: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> Mapping[str, Any]:
    """The published values that a record does not rebuild; equal texts are one in memory."""
    kept = {key: raw[key] for key in raw if key not in rebuilt or raw[key] != rebuilt[key]}
    return {k: sys.intern(v) if isinstance(v, str) else v for k, v in kept.items()}


def _sensing_time(name: V1Name, source: str, published: str) -> datetime:
    """When the patch was sensed: as published, unless its name was counted up (fidelity 4).

    Then the published date was counted up with it, and its product tells the time.
    """
    date = _parse_time(published)
    product = _parse_product(source)
    return product.sensing_time if name.counted(product) else date


@cache
def _parse_product(source: str) -> ProductId:
    return ProductId.parse(source)


@cache
def product_text(source: str) -> str:
    """The product id, without generation time, of a product's full id."""
    return str(_parse_product(source))


def _parse_json(text: bytes) -> tuple[dict[str, Any], _Metadata]:
    try:
        raw = msgspec.json.decode(text)
        return raw, msgspec.convert(raw, _Metadata)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"not the metadata of a v1 patch: {error}", do=_COPY) from error


@lru_cache(maxsize=1024)
def _parse_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a time", where="acquisition_date") from error
    if time.isoformat(" ", "seconds") != text:
        raise InputError(
            f"{text!r} is not a time",
            where="acquisition_date",
            do="One looks like 2017-06-13 10:10:31",
        )
    return time.replace(tzinfo=UTC)


@lru_cache(maxsize=65_536)
def _parse_labels(published: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names as `clc-43` spells them, in the order given, and their codes, ascending."""
    nomenclature = load_nomenclature("clc-43")
    classes = [nomenclature.by_name(label) for label in published]
    if not classes:
        raise InputError(
            "there is no label", where="labels", do="A patch has 1 to 12; take this one out"
        )
    codes = tuple(sorted({c.code for c in classes}))
    if len(codes) < len(classes):
        raise InputError("a class is named twice", where="labels")
    return tuple(c.name for c in classes), codes


def read_v1_bands(
    patch: SourcePatch, sensor: Sensor
) -> Iterator[tuple[Band, npt.NDArray[np.uint16]]]:
    """Every band and its pixels, `row col` at native size; not to be written into.

    Raises:
        MissingError: a GeoTIFF is missing.
        ArchiveError: one is corrupt, or its size, type, CRS or corner is not the patch's.
    """
    head = f"{patch.where}/{patch.name}_"
    grids = {
        size: Grid(patch.crs, patch.ulx, patch.uly, size, EDGE // size, EDGE // size)
        for size in sensor.pixel_sizes
    }
    for band in sensor.patch_bands:
        yield band, read_geotiff(f"{head}{band.name}.tif", grids[band.pixel_size])
