"""The files of a SAFE product, in a folder or in a zip, under one interface.

A zip is not trusted: member names are checked before anything is read, nothing is extracted,
and GDAL sees bytes in memory instead of the archive.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Protocol

from rasterio.io import MemoryFile

from benforge.errors import MissingError, ProductError
from benforge.scenes.safe_checksum import ListedFile, has_checksum
from benforge.scenes.safe_codestream import DamagedError, check_codestream

PRODUCT_XML = re.compile(r"MTD_MSIL(1C|2A)\.xml|S2[A-Z]_(OPER|USER)_MTD_SAFL(1C|2A)[^/]*\.xml")
"""Name of a product's main metadata file, compact and as before December 2016."""

_PATH_AND_TILE = re.compile(r"(.+)#(\d{2}[A-Z]{3})")


class ProductFiles(Protocol):
    """The files of one product; names are relative to its root, with `/`."""

    @property
    def name(self) -> str:
        """Name of the product's folder or zip, without `.zip`."""
        ...

    @property
    def sizes(self) -> Mapping[str, int]:
        """File name to size in bytes: the files at the root and those below `GRANULE`."""
        ...

    def where(self, name: str = "") -> str:
        """The file as an error message names it."""
        ...

    def head(self, name: str, length: int) -> bytes:
        """The first `length` bytes, fewer where the file is shorter.

        Raises:
            ProductError: the file cannot be read.
        """
        ...

    @property
    def packed(self) -> bool:
        """Whether `raster` has to unpack the whole file first."""
        ...

    def raster(self, name: str, listed: ListedFile | None = None) -> AbstractContextManager[str]:
        """A path that GDAL can open while the context lasts, of a JPEG 2000 file that is whole.

        Args:
            name: which file.
            listed: what the manifest lists of it; None leaves its checksum unchecked.

        Raises:
            ProductError: the file cannot be read, breaks off, or has another checksum.
        """
        ...


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """A product in a folder. Links inside it are followed; names never leave it."""

    root: Path
    sizes: Mapping[str, int]

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.root.resolve().name

    def where(self, name: str = "") -> str:
        """Path of the file."""
        return str(self.root / name)

    def head(self, name: str, length: int) -> bytes:
        """The first `length` bytes."""
        try:
            with (self.root / name).open("rb") as stream:
                return stream.read(length)
        except OSError as error:
            raise _unreadable(self.where(name), error) from error

    @property
    def packed(self) -> bool:
        """No: GDAL reads the file where it lies."""
        return False

    @contextmanager
    def raster(self, name: str, listed: ListedFile | None = None) -> Iterator[str]:
        """The path itself."""
        try:
            with (self.root / name).open("rb") as stream:
                _check_image(stream, listed, self.where(name))
        except OSError as error:
            raise _unreadable(self.where(name), error) from error
        yield str(self.root / name)


@dataclass(frozen=True, slots=True)
class ZipFiles:
    """A product in a zip, which is opened anew for each read: any thread or process may read.

    Args:
        path: the zip.
        prefix: the folder in the zip that holds the product, with a final `/`, or "".
        sizes: names, without the prefix, to uncompressed sizes.
    """

    path: Path
    prefix: str
    sizes: Mapping[str, int]

    @property
    def name(self) -> str:
        """The product's folder in the zip, or the zip's own name."""
        return self.prefix.rstrip("/") or self.path.stem

    def where(self, name: str = "") -> str:
        """Path of the zip, then the member."""
        return str(self.path / self.prefix / name)

    def head(self, name: str, length: int) -> bytes:
        """The first `length` bytes; never more than the zip's directory announces."""
        with self._member(name) as stream:
            return stream.read(length)

    @property
    def packed(self) -> bool:
        """Yes."""
        return True

    @contextmanager
    def raster(self, name: str, listed: ListedFile | None = None) -> Iterator[str]:
        """A file in memory with the member's bytes, for which the zip's own checksum held."""
        with self._member(name) as stream:
            data = stream.read()
        _check_image(io.BytesIO(data), listed, self.where(name))
        with MemoryFile(data, ext=".jp2") as memory:
            yield memory.name

    @contextmanager
    def _member(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.prefix + name) as stream:
                yield stream
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise _unreadable(self.where(name), error) from error


def split_tile(path: Path) -> tuple[Path, str | None]:
    """A product's path and the tile named after it, as in `PRODUCT.SAFE#32TNM`.

    The path as it is and None where no tile is named, or where a file is called so.
    """
    match = _PATH_AND_TILE.fullmatch(str(path))
    if match is None or _exists(path):
        return path, None
    return Path(match[1]), match[2]


def open_files(path: Path) -> ProductFiles:
    """The files of the product at `path`: its folder, its main metadata file, or its zip.

    Raises:
        MissingError: there is nothing at `path`.
        ProductError: neither of the three, or a zip that is damaged or not to be trusted.
    """
    if not _exists(path):
        raise MissingError("there is no such product", where=path, do="Check the path")
    if path.is_dir():
        return FolderFiles(path, _folder_sizes(path))
    if PRODUCT_XML.fullmatch(path.name):
        return FolderFiles(path.parent, _folder_sizes(path.parent))
    if zipfile.is_zipfile(path):
        return _open_zip(path)
    what, do = "neither a product folder nor a zip", "Give the .SAFE folder or its zip"
    if path.suffix == ".zip":
        what, do = "a zip that breaks off, or none", "Download the product again"
    raise ProductError(what, where=path, do=do)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a folder that may not be entered, a name that is too long
        raise _unreadable(str(path), error) from error


def _folder_sizes(root: Path) -> dict[str, int]:
    """Files at the root and below `GRANULE`: a product's quality reports are never needed.

    Links are followed, of files and of folders; as no product nests deeper than a folder of
    bands (`GRANULE/*/IMG_DATA/R10m`), a link to a folder above it does no harm.
    """
    try:
        below = chain.from_iterable(root.glob("GRANULE" + "/*" * depth) for depth in range(1, 5))
        found = sorted(chain(root.iterdir(), below))
        _check_links(found)
        return {
            file.relative_to(root).as_posix(): file.stat().st_size
            for file in found
            if file.is_file()
        }
    except OSError as error:
        raise _unreadable(str(root), error) from error


def _check_links(files: Sequence[Path]) -> None:
    """Raise where a link leads nowhere, as to a data store that is not mounted."""
    for file in files:
        if file.is_symlink() and not file.exists():
            raise ProductError(
                f"a link to {file.readlink()}, where there is nothing",
                where=file,
                do="Make its goal reachable, or link to where the file is",
            )


def _open_zip(path: Path) -> ZipFiles:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _unreadable(str(path), error) from error
    _check_names([member.orig_filename for member in members], path)
    sizes = {member.filename: member.file_size for member in members if not member.is_dir()}
    prefix = _product_folder(list(sizes), path)
    inside = {name: size for name, size in sorted(sizes.items()) if name.startswith(prefix)}
    return ZipFiles(path, prefix, {n.removeprefix(prefix): size for n, size in inside.items()})


def _check_names(names: Sequence[str], path: Path) -> None:
    """Refuse a zip that has a member which could mean a file elsewhere, or two files."""
    for name in names:
        parts = name.removesuffix("/").split("/")
        if {"", ".", ".."} & set(parts) or re.search(r"[\\\0]|^[A-Za-z]:", name):
            raise ProductError(
                f"the zip has a member with the unsafe name {name!r}",
                where=path,
                do="Download the product again from a source that you trust",
            )
    if len(set(names)) < len(names):
        raise ProductError("the zip has two members of one name", where=path, do="Zip it again")


def _product_folder(names: Sequence[str], path: Path) -> str:
    """The one folder at the top that holds a product, such as `X.SAFE/`, or nothing."""
    folders = sorted(
        {head + slash for head, slash, tail in map(_split, names) if PRODUCT_XML.fullmatch(tail)}
    )
    if "" in folders or not folders:
        return ""
    if len(folders) > 1:
        listed = ", ".join(folder.rstrip("/") for folder in folders)
        raise ProductError(f"the zip holds several products: {listed}", where=path, do="Split it")
    return folders[0]


def _split(name: str) -> tuple[str, str, str]:
    """The folder at the top, its `/`, and the rest; two empty texts for a file at the root."""
    head, slash, tail = name.partition("/")
    return (head, slash, tail) if slash else ("", "", head)


def _check_image(
    stream: io.BufferedReader | io.BytesIO, listed: ListedFile | None, where: str
) -> None:
    """Whole by its markers, and, where it is listed, the file of the manifest."""
    again = "Download the product again"
    try:
        check_codestream(stream)
    except DamagedError as error:
        raise ProductError(f"a damaged JPEG 2000 file: {error}", where=where, do=again) from error
    if listed is not None and not has_checksum(stream, listed):
        raise ProductError("its checksum is not that of manifest.safe", where=where, do=again)


def _unreadable(where: str, error: Exception) -> ProductError:
    return ProductError(
        f"cannot be read ({error})",
        where=where,
        do="Check its permissions, or download the product again",
    )
