"""Where files come from: one way to open HTTP and S3 at any byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from benforge.errors import FetchError


class Interrupted(Exception):  # noqa: N818  the download goes on
    """A download broke off, or could not begin, and may be tried again.

    Args:
        why: in words.
        hold: seconds that the server asks to be left alone.
    """

    def __init__(self, why: str, hold: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.hold = why, hold


@dataclass(frozen=True, slots=True)
class Opened:
    """A file from some byte on.

    Args:
        start: the first byte that comes; 0 where the server begins anew.
        size: of the whole file, where the server tells.
        version: what the server calls this state of the file.
        chunks: the bytes.
    """

    start: int
    size: int | None
    version: str
    chunks: Iterator[bytes]


class Source(Protocol):
    """A place of files."""

    def open(self, href: str, start: int, version: str) -> AbstractContextManager[Opened]:
        """A file from a byte on, if it is still in this version, else from its beginning.

        Raises:
            Interrupted: try again.
            FetchError: the file cannot be had.
            CredentialsError: nor can any other.
        """
        ...

    def size(self, href: str) -> int | None:
        """How large a file is, None where the place does not tell.

        Raises:
            Interrupted: try again.
            FetchError: the file cannot be had.
            CredentialsError: nor can any other.
        """
        ...


def scheme_of(href: str) -> str:
    """How an address is reached: http also for https, s3, or nothing where it cannot be."""
    scheme = href.partition("://")[0].lower()
    return {"http": "http", "https": "http", "s3": "s3"}.get(scheme, "")


def not_there(where: str, status: int) -> FetchError:
    """The error for a file that a server does not give."""
    told = {
        404: ("it is not there", "Choose anew: the catalogue may have newer products"),
        410: ("it is gone", "Choose anew: the catalogue may have newer products"),
        403: ("the server does not give it (403)", "See what your account may download, and when"),
    }
    what, do = told.get(status, (f"the server answered {status}", "Try again later"))
    return FetchError(what, where=where, do=do)
