"""Memory maps that hold no file descriptor.

Python's `mmap` keeps a descriptor open for every map (until `trackfd` in 3.13), and a process may
open 1,024 of them by default; the whole of BigEarthNet is 18,375 shards.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
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
_FAILED = ctypes.c_void_p(-1).value

_libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_PAGE = mmap.PAGESIZE


def in_memory(address: int) -> bool:
    """Whether the page of a map at this address is in the page cache.

    True where that is not told: the system tells it of files that the user may write.
    """
    told = ctypes.create_string_buffer(1)
    return bool(_libc.mincore(address & -_PAGE, 1, told)) or told.raw[0] & 1 == 1


def ask_for(address: int, size: int) -> None:
    """Have the system fetch these bytes of a map from the disk, and go on."""
    start = address & -_PAGE
    _libc.madvise(start, address + size - start, mmap.MADV_WILLNEED)


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
        address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
    if address == _FAILED:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(path))
    data = (ctypes.c_ubyte * size).from_address(address)
    weakref.finalize(data, _libc.munmap, address, size).atexit = False
    return memoryview(data).cast("B").toreadonly()
