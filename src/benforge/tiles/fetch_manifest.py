"""What was fetched: the file `fetch.json` beside the products."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from benforge.errors import ConflictError
from benforge.tiles.files import write_atomic

NAME = "fetch.json"


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A product that is there.

    Args:
        path: zip or folder, below the manifest's folder.
        size: bytes.
        files: how many.
        href: where it came from, without query.
        catalogue: which catalogue told so.
        checksum: of a zip, "md5:…"; "" for a folder.
        verified: whether the catalogue told checksums, and all held.
        simulated: whether its data are made up.
    """

    path: str
    size: int
    files: int = 1
    href: str = ""
    catalogue: str = ""
    checksum: str = ""
    verified: bool = False
    simulated: bool = False


class _Document(msgspec.Struct, frozen=True):
    products: dict[str, Fetched] = msgspec.field(default_factory=dict)
    failed: dict[str, str] = msgspec.field(default_factory=dict)
    version: int = 1


class Manifest:
    """Products that are there, written anew after each; any thread may add."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._lock = threading.Lock()
        document = _read(out / NAME)
        self.products: dict[str, Fetched] = dict(document.products)
        self.failed: dict[str, str] = dict(document.failed)

    def holds(self, name: str) -> bool:
        """Whether a product is there as it was fetched: its zip of the same size, its folder."""
        found = self.products.get(name)
        if found is None:
            return False
        path = self.out / found.path
        if path.is_dir():
            sizes = [file.stat().st_size for file in path.rglob("*") if file.is_file()]
            return (len(sizes), sum(sizes)) == (found.files, found.size)
        return path.is_file() and path.stat().st_size == found.size

    def add(self, name: str, fetched: Fetched) -> None:
        """Note a product.

        Raises:
            StorageError: the manifest cannot be written.
        """
        with self._lock:
            self.products[name] = fetched
            self.failed.pop(name, None)
            self._write()

    def note_failed(self, reasons: Mapping[str, str]) -> None:
        """Note why products did not come, until they do.

        Raises:
            StorageError: the manifest cannot be written.
        """
        with self._lock:
            self.failed |= reasons
            self._write()

    def _write(self) -> None:
        products, failed = dict(sorted(self.products.items())), dict(sorted(self.failed.items()))
        data = msgspec.json.format(msgspec.json.encode(_Document(products, failed)), indent=1)
        write_atomic(self.out / NAME, data)


def read_fetched(out: Path) -> dict[str, Any]:
    """Product id to what was noted of it, for whoever goes on from a fetch."""
    return dict(_read(out / NAME).products)


def _read(path: Path) -> _Document:
    if not path.is_file():
        return _Document()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConflictError(
            "not a manifest of a fetch", where=path, do="Fetch into another folder, or remove it"
        ) from error
