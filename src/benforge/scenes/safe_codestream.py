"""Whether a JPEG 2000 file is whole, from its markers alone.

GDAL cannot be asked: with several threads it returns a truncated file as if it were whole, the
missing tiles left as they were in memory. Here the boxes of the file and the lengths of the
tile-parts are followed to the end-of-codestream marker, which takes milliseconds and finds any
truncation. Source: ISO/IEC 15444-1, annexes A and I.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

_START, _TILE_PART, _END = b"\xff\x4f", b"\xff\x90", b"\xff\xd9"


class DamagedError(Exception):
    """A JPEG 2000 file that is not whole; the message says where it breaks off."""


def check_codestream(stream: BinaryIO) -> None:
    """Follow a JP2 file, or a bare codestream, from its first marker to its last.

    Raises:
        DamagedError: it is not JPEG 2000, breaks off, or ends without its end marker.
    """
    begin, end = _find_codestream(stream)
    position = _skip_main_header(stream, begin, end)
    while (marker := _read(stream, position, 2)) == _TILE_PART:
        (length,) = struct.unpack(">I", _read(stream, position + 6, 4))
        if length == 0:  # the last tile-part reaches to the end marker
            position, marker = end - 2, _read(stream, end - 2, 2)
            break
        if length < 14 or position + length > end:
            raise DamagedError(f"a tile breaks off after {end - position} of {length} bytes")
        position += length
    if marker != _END:
        raise DamagedError(f"no end marker at byte {position}")


def _find_codestream(stream: BinaryIO) -> tuple[int, int]:
    """First byte of the codestream and the byte after its last."""
    size = stream.seek(0, os.SEEK_END)
    if size >= 2 and _read(stream, 0, 2) == _START:
        return 0, size
    position = 0
    while position < size:
        length, kind = struct.unpack(">I4s", _read(stream, position, 8))
        header = 8
        if length == 1:
            (length,), header = struct.unpack(">Q", _read(stream, position + 8, 8)), 16
        box_end = position + length if length else size
        if box_end > size or box_end < position + header:
            raise DamagedError(f"the box at byte {position} breaks off")
        if kind == b"jp2c":
            return position + header, box_end
        position = box_end
    raise DamagedError("no codestream")


def _skip_main_header(stream: BinaryIO, begin: int, end: int) -> int:
    """Where the first tile-part starts."""
    if _read(stream, begin, 2) != _START:
        raise DamagedError(f"no codestream at byte {begin}")
    position = begin + 2
    while position < end:
        marker, length = struct.unpack(">2sH", _read(stream, position, 4))
        if marker == _TILE_PART:
            return position
        if marker[0] != 0xFF or length < 2:
            break
        position += 2 + length
    raise DamagedError(f"the header breaks off at byte {position}")


def _read(stream: BinaryIO, position: int, length: int) -> bytes:
    stream.seek(position)
    data = stream.read(length)
    if len(data) < length:
        raise DamagedError(f"the file ends at byte {position + len(data)}")
    return data
