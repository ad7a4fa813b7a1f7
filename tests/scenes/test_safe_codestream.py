from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from benforge.scenes.safe_codestream import DamagedError, check_codestream


def _jp2(height: int, width: int, **options: str) -> bytes:
    pixels = np.random.default_rng(3).integers(0, 5000, (1, height, width)).astype(np.uint16)
    with MemoryFile(ext=".jp2") as memory:
        with memory.open(
            driver="JP2OpenJPEG",
            height=height,
            width=width,
            count=1,
            dtype="uint16",
            crs="EPSG:32633",
            transform=rasterio.Affine(10, 0, 3e5, 0, -10, 5e6),
            REVERSIBLE="YES",
            **options,
        ) as target:
            target.write(pixels)
        data: bytes = memory.read()
    return data


TILED = _jp2(90, 130, BLOCKXSIZE="64", BLOCKYSIZE="64")
FORMS = {
    "one tile": _jp2(40, 40),
    "tiles": TILED,
    "bare codestream": _jp2(40, 40, CODEC="J2K"),
    "tile-parts": _jp2(130, 130, BLOCKXSIZE="64", BLOCKYSIZE="64", TILEPARTS="RESOLUTIONS"),
    "tile lengths": _jp2(130, 130, BLOCKXSIZE="64", BLOCKYSIZE="64", TLM="YES"),
    "boxes behind": _jp2(40, 40, GEOBOXES_AFTER_JP2C="YES"),
}


@pytest.mark.parametrize("form", FORMS)
def test_whole_files_pass(form: str) -> None:
    check_codestream(io.BytesIO(FORMS[form]))


@given(length=st.integers(0, len(TILED) - 1))
def test_every_truncation_is_found(length: int) -> None:
    with pytest.raises(DamagedError):
        check_codestream(io.BytesIO(TILED[:length]))


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_verdict(data: bytes) -> None:
    with pytest.raises(DamagedError):
        check_codestream(io.BytesIO(data))


@given(at=st.integers(0, len(TILED) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_never_hangs_or_raises_anything_else(at: int, byte: int) -> None:
    data = bytearray(TILED)
    data[at] = byte
    try:
        check_codestream(io.BytesIO(bytes(data)))
    except DamagedError as error:
        assert str(error)  # noqa: PT017


def test_a_last_tile_of_open_length_passes() -> None:
    data = bytearray(FORMS["bare codestream"])
    at = data.index(b"\xff\x90\x00\x0a")
    data[at + 6 : at + 10] = struct.pack(">I", 0)
    check_codestream(io.BytesIO(bytes(data)))
    with pytest.raises(DamagedError, match="end marker"):
        check_codestream(io.BytesIO(bytes(data[:-5])))


def test_a_box_of_64_bit_length_passes() -> None:
    data = FORMS["one tile"]
    at = data.index(b"jp2c") - 4
    (length,) = struct.unpack(">I", data[at : at + 4])
    length = length or len(data) - at
    long = struct.pack(">I4sQ", 1, b"jp2c", length + 8)
    check_codestream(io.BytesIO(data[:at] + long + data[at + 8 :]))


def test_the_real_band_passes_and_its_truncations_do_not(shared_data: Path) -> None:
    [band] = (shared_data / "sentinel2" / "eodag_SAFE_T31TDH").rglob("*_B01.jp2")
    data = band.read_bytes()
    check_codestream(io.BytesIO(data))
    for length in (len(data) - 1, len(data) - 2, len(data) * 9 // 10, len(data) // 3, 2000, 80):
        with pytest.raises(DamagedError):
            check_codestream(io.BytesIO(data[:length]))
