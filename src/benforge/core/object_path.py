"""Objects named as files are: a path whose bytes lie in a bucket.

Whatever reads an archive through `Path` reads it from `s3://bucket/prefix` too. What a bucket
cannot do - renaming, locking, mapping into memory - raises, and says what to do instead.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Generator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PosixPath
from typing import IO, Any, Self

from benforge.core.bucket import BLOCK, Bucket, Facts
from benforge.errors import InputError

_SCHEME = "s3:"


def parse_place(text: str | Path) -> Path:
    """A folder or a file: of this machine, or of an object storage where it begins with `s3://`.

    Raises:
        InputError: the address names no bucket.
    """
    plain = Path(text)
    if plain.parts[:1] != (_SCHEME,):
        return plain
    if len(plain.parts) < 2:
        raise InputError(
            "names no bucket", where=f"{_SCHEME}//", do="Write it as s3://bucket/prefix"
        )
    return ObjectPath(plain)


class ObjectPath(PosixPath):
    """An object, or what lies below a common prefix: a folder.

    `str(path)` is its address, `s3://bucket/key`. A path that a listing gave knows what it is and
    asks no more. Relative parts are plain: `path.relative_to(root)` is not an address.
    """

    _facts: Facts | None = None
    _folder = False

    def __str__(self) -> str:
        if self.parts[:1] != (_SCHEME,):
            return "/".join(self.parts) or "."
        return f"{_SCHEME}//{'/'.join(self.parts[1:])}"

    def __fspath__(self) -> str:
        raise InputError(
            "lies in object storage, where this cannot be done",
            where=str(self),
            do="Copy the archive to a folder first: ben copy",
        )

    def as_posix(self) -> str:
        """The address, or the relative path."""
        return str(self)

    @property
    def bucket(self) -> Bucket:
        """Where it lies."""
        return Bucket(self.parts[1])

    @property
    def key(self) -> str:
        """Its name in the bucket."""
        return "/".join(self.parts[2:])

    def resolve(self, strict: bool = False) -> Self:
        """Itself: addresses have no links."""
        return self

    def absolute(self) -> Self:
        """Itself."""
        return self

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size and kind.

        Raises:
            FileNotFoundError: there is neither an object nor a folder.
            ObjectStorageError: the storage cannot be asked.
        """
        if self.is_file():
            size = self._look().size
            return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, size, 0, 0, 0))
        if self.is_dir():
            return os.stat_result((stat.S_IFDIR, 0, 0, 1, 0, 0, 0, 0, 0, 0))
        raise FileNotFoundError(2, "there is no such object", str(self))

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is an object.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        try:
            return bool(self.key and self._look())
        except FileNotFoundError:
            return False

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether objects lie below it; a bucket itself is a folder if it is empty too.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        return self._folder or self.bucket.holds(self.key) or not self.key

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is an object or a folder.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        return self.is_file() or self.is_dir()

    def iterdir(self) -> Generator[Self, None, None]:
        """What lies directly in it, by one listing; nothing where nothing does.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        folders, objects = self.bucket.children(self.key)
        for key in folders:
            yield self._known(key, None)
        for key, facts in objects.items():
            yield self._known(key, facts)

    def glob(self, pattern: str, **options: Any) -> Iterator[Self]:  # type: ignore[override]
        """What below it a pattern matches, part by part: a listing for each folder on the way.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        first, _, rest = pattern.partition("/")
        if first == "**":
            return self.rglob(rest or "*")
        found = (path for path in self.iterdir() if fnmatchcase(path.name, first))
        return (deep for path in found for deep in path.glob(rest)) if rest else found

    def rglob(self, pattern: str, **options: Any) -> Iterator[Self]:  # type: ignore[override]
        """The objects below it, however deep, whose names a pattern matches; no folders.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        found = (self._known(key, facts) for key, facts in self.bucket.below(self.key).items())
        return (path for path in found if fnmatchcase(path.name, pattern))

    def _known(self, key: str, facts: Facts | None) -> Self:
        path = type(self)(f"{_SCHEME}//{self.parts[1]}/{key}")
        path._facts, path._folder = facts, facts is None
        return path

    def _look(self) -> Facts:
        return self._facts or self.bucket.look(self.key)

    def open(self, mode: str = "r", *args: Any, **options: Any) -> IO[Any]:  # type: ignore[override]
        """The object as a file, read by ranges of `BLOCK` bytes or as much as is asked for.

        Raises:
            FileNotFoundError: there is no such object.
            InputError: it is to be written.
            ObjectStorageError: the storage cannot be asked.
        """
        if mode not in ("r", "rb"):
            self.__fspath__()
        raw = io.BufferedReader(_ObjectFile(self.bucket, self.key, self._look()), BLOCK)
        return raw if mode == "rb" else io.TextIOWrapper(raw, *args, **options)

    def read_bytes(self) -> bytes:
        """The bytes of the object.

        Raises:
            FileNotFoundError: there is no such object.
            ObjectStorageError: the storage cannot be asked.
        """
        return self.bucket.read(self.key)

    def read_text(self, encoding: str | None = None, *args: Any, **options: Any) -> str:
        """Its text.

        Raises:
            FileNotFoundError: there is no such object.
            ObjectStorageError: the storage cannot be asked.
        """
        return self.read_bytes().decode(encoding or "utf-8")

    def write_bytes(self, data: Any) -> int:
        """Write the object, which is seen whole or not at all.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        self.bucket.write(self.key, bytes(data))
        return len(data)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object; that it is missing is never an error.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        self.bucket.remove(self.key)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing: folders are there as soon as an object is."""


class _ObjectFile(io.RawIOBase):
    """An object read by ranges, each of which is tried again by itself."""

    def __init__(self, bucket: Bucket, key: str, facts: Facts) -> None:
        self._bucket, self._key, self._facts, self._at = bucket, key, facts, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._facts.size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer).cast("B")
        length = max(0, min(len(room), self._facts.size - self._at))
        room[:length] = self._bucket.read_range(self._key, self._at, length, self._facts.tag)
        self._at += length
        return length


def readable(path: Path) -> Path | IO[bytes]:
    """What libraries that take a path or an open file read: objects are opened.

    Raises:
        FileNotFoundError: there is no such object.
        ObjectStorageError: the storage cannot be asked.
    """
    return path.open("rb") if isinstance(path, ObjectPath) else path
