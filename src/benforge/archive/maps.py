"""Memory maps that hold no file descriptor.

Python's `mmap` keeps a descriptor open for every map (until `trackfd` in 3.13), and a process may
open 1,024 of them by default; the whole of BigEarthNet is 18,375 shards.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_FAILED = ctypes.c_void_p(-1).value

_PROT_NONE, _MAP_FIXED = 0, 0x10
"""Of Linux, macOS and the BSDs alike; Python's `mmap` does not name them."""
_NO_FILE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


def map_file(path: Path) -> memoryview:
    """The bytes of a file, read-only; unmapped when the last view of them is gone.

    An empty file gives an empty view.

    Raises:
        OSError: the file is missing or cannot be mapped.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return memoryview(b"")
        address = _map(size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno())
    data = (ctypes.c_ubyte * size).from_address(address)
    weakref.finalize(data, _libc.munmap, address, size).atexit = False
    return memoryview(data).cast("B").toreadonly()


class Reserve:
    """Addresses without memory behind them, where files are mapped at chosen places.

    They are kept for as long as the process lives.

    Args:
        size: bytes.
        alignment: of the first address, a power of two.

    Raises:
        OSError: the system does not give so many.
    """

    def __init__(self, size: int, alignment: int) -> None:
        if size > sys.maxsize - alignment:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        address = _map(size + alignment, _PROT_NONE, _NO_FILE)
        self._start = -(-address // alignment) * alignment
        data = (ctypes.c_ubyte * size).from_address(self._start)
        self.view = memoryview(data).cast("B").toreadonly()

    def map_file(
        self, path: Path, start: int, room: int, free: Callable[[int], object]
    ) -> memoryview:
        """A file's bytes, mapped at a place where no other is; at least one, at most `room`.

        Args:
            path: of the file.
            start: its first byte within `view`; a multiple of the system's pages.
            room: bytes that it takes up there. Looking at pages behind its end ends the process.
            free: called with `start` once the place is empty: no view of the file is left, or it
                could not be mapped.

        Raises:
            OSError: the file is missing, does not fit, or cannot be mapped.
        """
        address = self._start + start
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if not 0 < size <= room:
                    raise OSError(errno.EFBIG, f"{size} bytes where 1 to {room} fit", str(path))
                # anywhere first: a system that refuses has by then given the place to others
                tried = _map(room, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno())
                _libc.munmap(tried, room)
                _map(room, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), address)
        except OSError:
            _vacate(address, room, start, free)
            raise
        data = (ctypes.c_ubyte * size).from_address(address)
        weakref.finalize(data, _vacate, address, room, start, free).atexit = False
        return memoryview(data).cast("B").toreadonly()


def _vacate(address: int, room: int, start: int, free: Callable[[int], object]) -> None:
    with suppress(OSError):  # then the place stays taken
        _map(room, _PROT_NONE, _NO_FILE, address=address)
        free(start)


def _map(size: int, protection: int, flags: int, file: int = -1, address: int | None = None) -> int:
    fixed = 0 if address is None else _MAP_FIXED
    found: int | None = _libc.mmap(address, size, protection, flags | fixed, file, 0)
    if found is None or found == _FAILED:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return found


def read_ahead(address: int, length: int) -> None:
    """Have the system begin to read a part of a map from the disk, without waiting for it.

    A hint: where the system declines, the part is read when it is looked at.

    Args:
        address: of its first byte.
        length: in bytes.
    """
    start = address & -mmap.PAGESIZE
    _libc.madvise(start, address + length - start, mmap.MADV_WILLNEED)
