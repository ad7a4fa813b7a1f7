"""Patch folders written by nobody's reader or writer: the floor of an export to v1.

GDAL makes one header of each band size; after that a file is that header, its corner put in, and
the pixels from memory, packed by libdeflate where they are packed. Nothing of benforge is used.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import deflate
import numpy as np
import numpy.typing as npt
from rasterio.io import MemoryFile
from rasterio.transform import Affine

Compression = Literal["none", "deflate"]
Pixels = npt.NDArray[np.uint16]

EPSG, LEFT, TOP, EDGE = 32633, 300_000, 5_400_000, 1200
LEVEL = 1
"""Of libdeflate: its fastest."""
_MARK = (312_345.0, 5_412_345.0)
"""A corner that occurs nowhere else in a header."""
_ENTRY = struct.Struct("<HHII")
_OFFSET, _COUNT = 273, 279
_LONG = 4


@cache
def read_patches(path: Path) -> dict[str, Pixels]:
    """Band to `patch row col` from an .npz file; read once in a process."""
    with np.load(path) as arrays:
        return dict(arrays)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of patches to be written.

    Args:
        out: the folder for patch folders.
        pixels: the file of the patches to repeat.
        row: which row.
        columns: how many patches.
        stem: what their names begin with.
        compression: of the files.
        metadata: the JSON of every patch but for its corners; None for none.
    """

    out: Path
    pixels: Path
    row: int
    columns: int
    stem: str
    compression: Compression
    metadata: Mapping[str, Any] | None = None


def write_row(job: Row) -> None:
    """The folders of a row."""
    bands = read_patches(job.pixels)
    for column in range(job.columns):
        left, top = LEFT + EDGE * column, TOP - EDGE * job.row
        folder = job.out / f"{job.stem}_{column}_{job.row}"
        folder.mkdir()
        for band, patches in bands.items():
            data = encode(patches[place(column, job.row, len(patches))], left, top, job.compression)
            _write(f"{folder}/{folder.name}_{band}.tif", data)
        if job.metadata is not None:
            box = {"ulx": left, "uly": top, "lrx": left + EDGE, "lry": top - EDGE}
            text = json.dumps({**job.metadata, "coordinates": box})
            (folder / f"{folder.name}_labels_metadata.json").write_text(text)


def place(column: int, row: int, patches: int) -> int:
    """The patch that is repeated at a place: mixed, the same every time."""
    return (column * 7919 + row * 104_729) % patches


def encode(pixels: Pixels, left: int, top: int, compression: Compression) -> bytes:
    """The bytes of a GeoTIFF of one strip at a corner."""
    head, corner, count = _header(pixels.shape[0], compression)
    body = _pack(pixels) if compression == "deflate" else pixels.tobytes()
    made = bytearray(head)
    struct.pack_into("<2d", made, corner, left, top)
    struct.pack_into("<I", made, count, len(body))
    return bytes(made) + body


def _pack(pixels: Pixels) -> bytes:
    differences = pixels.copy()
    differences[:, 1:] -= pixels[:, :-1]
    return bytes(deflate.zlib_compress(differences, LEVEL))


@cache
def _header(edge: int, compression: Compression) -> tuple[bytes, int, int]:
    """What GDAL writes before the strip, and where in it corner and strip length stand."""
    size = EDGE / edge
    packed = {"compress": "deflate", "predictor": 2} if compression == "deflate" else {}
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", count=1, dtype="uint16", height=edge, width=edge, blockysize=edge,
            crs=f"EPSG:{EPSG}", transform=Affine(size, 0, _MARK[0], 0, -size, _MARK[1]), **packed,
        ) as file:  # fmt: skip
            file.write(np.ones((edge, edge), np.uint16), 1)
        data = bytes(memory.getbuffer())
    start, _ = _entry(data, _OFFSET)
    _, count = _entry(data, _COUNT)
    return data[:start], data.index(struct.pack("<2d", *_MARK)), count


def _entry(data: bytes, code: int) -> tuple[int, int]:
    """The single value of a tag of the first directory, and the byte where it stands."""
    (first,) = struct.unpack_from("<I", data, 4)
    (number,) = struct.unpack_from("<H", data, first)
    for at in range(first + 2, first + 2 + 12 * number, 12):
        found, kind, values, value = _ENTRY.unpack_from(data, at)
        if found == code:
            assert (kind, values) == (_LONG, 1), "GDAL writes one strip, its place and size as LONG"
            return value, at + 8
    raise AssertionError(f"GDAL writes tag {code}")


def _write(path: str, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    os.write(file, data)
    os.close(file)
