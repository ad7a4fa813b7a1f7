"""Zips from elsewhere: whether one is a product, whole, and safe to open."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

RATIO = 100
"""How many times larger than the zip its content may say it is; products hardly shrink at all."""
LARGEST = 50_000_000_000
"""Bytes that the content of one product may say it has."""

_METADATA = re.compile(r"(MTD_MSIL\w+|S2[A-D]_OPER_MTD_SAFL\w+)\.xml")
"""Metadata of a whole product, in either layout."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
"""What reading a damaged zip may raise; `RuntimeError` for one that is locked or of odd kind."""


def flaw_of(path: Path, root: str) -> str:
    """What keeps a file from being the zip of a product; "" if nothing does.

    Every byte is read and held to its CRC; nothing is written.

    Args:
        path: the file.
        root: the one folder that must hold all of it, "X.SAFE".
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            return _flaw_of_names(members, root) or _flaw_of_sizes(members, path) or _flaw(archive)
    except _BROKEN:
        return "is no zip of this product"


def _flaw_of_names(members: Sequence[zipfile.ZipInfo], root: str) -> str:
    names = [member.orig_filename for member in members]
    inside = [name.removeprefix(f"{root}/") for name in names if name.startswith(f"{root}/")]
    if not inside or len(inside) < len(names):
        return "is no zip of this product: not all of it lies in its folder"
    if any(map(_is_link, members)) or any(map(_leads_out, inside)):
        return "is no zip of this product: names in it lead elsewhere"
    if not any(_METADATA.fullmatch(name) for name in inside):
        return "is no zip of this product: its metadata MTD_MSIL*.xml are missing"
    return ""


def _leads_out(name: str) -> bool:
    odd = "\\" in name or "\0" in name or name.startswith("/")
    return odd or ".." in name.split("/")


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _flaw_of_sizes(members: Sequence[zipfile.ZipInfo], path: Path) -> str:
    told = sum(member.file_size for member in members)
    held = path.stat().st_size
    if told > min(LARGEST, RATIO * held):
        return f"is a zip of {held:,} bytes that says it holds {told:,}, as no product does"
    return ""


def _flaw(archive: zipfile.ZipFile) -> str:
    broken = archive.testzip()
    return f"is a damaged zip: {broken!r} does not have its CRC" if broken else ""
