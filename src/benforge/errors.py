"""One tree of errors: each says what is wrong, where, and what to do, and is also a builtin.

A command that ends in a `BenError` prints its one line and exits 1; any other exception that
reaches a user is a defect of benforge.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class BenError(Exception):
    """Something the user can mend.

    Args:
        what: what is wrong, in a few words.
        where: the file, product, field or value it was found in.
        do: what to do about it.

    Example:
        >>> try:
        ...     ben.open("archiv")
        ... except ben.BenError as error:
        ...     print(error)
        archiv: there is no such folder. Name the archive's folder
    """

    def __init__(self, what: str, *, where: str | os.PathLike[str] = "", do: str = "") -> None:
        self.what, self.where, self.do = what, str(where), do
        super().__init__(what, self.where, do)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        line = f"{head}. {self.do}" if self.do else head
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process with every part."""
        return _rebuild, (type(self), self.what, self.where, self.do)


@contextmanager
def errors_at(where: str | os.PathLike[str]) -> Iterator[None]:
    """Give errors that name no place this one.

    Raises:
        BenError: of the kind that was raised within.
    """
    try:
        yield
    except BenError as error:
        if error.where:
            raise
        raise _rebuild(type(error), error.what, str(where), error.do) from error


def _rebuild(kind: type[BenError], what: str, where: str, do: str) -> BenError:
    return kind(what, where=where, do=do)


class InputError(BenError, ValueError):
    """An argument or a text that cannot be understood."""


class MissingError(BenError, FileNotFoundError):
    """A file or folder that must be there is not."""


class GridError(BenError, ValueError):
    """Grids that do not fit: a wrong size, corner, pixel size or CRS."""


class ProductError(BenError, ValueError):
    """A Sentinel-2 product that is damaged, incomplete, or of a kind that is not supported."""


class LandCoverError(BenError, ValueError):
    """A land-cover map that cannot give labels here."""


class RecipeError(BenError, ValueError):
    """A recipe or profile with an unknown key or an impossible value."""


class ArchiveError(BenError, ValueError):
    """A folder that is not an archive, or an archive that is damaged."""


class ArchiveVersionError(ArchiveError):
    """An archive written in a newer format than this benforge reads."""


class ConflictError(ArchiveError):
    """What is to be added contradicts what the archive already holds."""


class StorageError(BenError, OSError):
    """The disk is full or a file cannot be written."""

    def __init__(self, what: str, *, where: str | os.PathLike[str] = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)


class ObjectStorageError(BenError, RuntimeError):
    """An object storage that cannot be reached, does not answer, or does not let one in.

    No OSError, as what cannot be asked for is not damaged.
    """


class WorkerError(BenError, RuntimeError):
    """A worker process that died, or a cluster that was lost."""


class MemoryShortError(BenError, MemoryError):
    """A batch that does not fit into memory."""


class CatalogueError(BenError, RuntimeError):
    """A catalogue that cannot be searched, or whose answer is not whole."""


class FetchError(BenError, RuntimeError):
    """A product that did not arrive whole."""


class CredentialsError(BenError, PermissionError):
    """A server that asks who one is, and was not told or does not believe it."""

    def __init__(self, what: str, *, where: str | os.PathLike[str] = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)


class HungError(BenError, TimeoutError):
    """A program that no longer says anything, or takes too long."""

    def __init__(self, what: str, *, where: str | os.PathLike[str] = "", do: str = "") -> None:
        super().__init__(what, where=where, do=do)


class StoppedError(BenError, RuntimeError):
    """Work that was asked to end before it was done.

    No OSError, as copying would gather those of all files and go on.
    """
