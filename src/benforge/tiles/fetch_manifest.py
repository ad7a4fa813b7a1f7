"""What was fetched: the file `fetch.json` beside the products."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from benforge.core.files import write_atomic
from benforge.errors import ConflictError
from benforge.tiles.checksums import checksum_of

NAME = "fetch.json"


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A product that is there.

    Args:
        path: zip or folder, below the manifest's folder.
        size: bytes.
        files: how many.
        href: where it came from, without query.
        catalogue: which catalogue told so.
        checksum: of a zip, "md5:…"; of a folder, of all its files' names and contents.
        changed: when it was last written, nanoseconds since 1970.
        verified: whether the catalogue told checksums, and all held.
        simulated: whether its data are made up.
    """

    path: str
    size: int
    files: int = 1
    href: str = ""
    catalogue: str = ""
    checksum: str = ""
    changed: int = 0
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
        """Whether a product is there as it was fetched: of its size and, if touched, checksum."""
        found = self.products.get(name)
        if found is None:
            return False
        path = self.out / found.path
        files = _files(path)
        if (len(files), sum(file.stat().st_size for file in files)) != (found.files, found.size):
            return False
        if not found.checksum or changed_at(path) == found.changed:
            return True
        algorithm = found.checksum.partition(":")[0]
        return state_of(path, algorithm) == found.checksum

    def fetched_to(self, path: Path, name: str) -> bool:
        """Whether a product was put there by a fetch, and nothing was added to its folder since."""
        found = self.products.get(name)
        ours = found is not None and self.out / found.path == path
        return ours and (found is None or len(_files(path)) <= found.files)

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


def state_of(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file, or of all names and contents of a folder."""
    if not path.is_dir():
        return str(checksum_of(path, algorithm))
    files = ((one.relative_to(path).as_posix(), checksum_of(one)) for one in _files(path))
    lines = "".join(f"{checksum} {name}\n" for name, checksum in files)
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def changed_at(path: Path) -> int:
    """When a file, or the newest of a folder, was last written, nanoseconds since 1970."""
    return max((file.stat().st_mtime_ns for file in _files(path)), default=0)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path] if path.is_file() else []


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
