"""A bucket's connection: obstore, opened as the environment says, in the process that asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from benforge.core.bucket_errors import ENDPOINTS, endpoint
from benforge.errors import InputError, ObjectStorageError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried.

    Args:
        tries: how often.
        first: seconds before the second try; each further pause is twice as long.
        connect: seconds to reach a server.
        silence: seconds without a byte of an answer, while a part of 5 MB is sent too.
        longest: seconds for one request.
    """

    tries: int = 5
    first: float = 0.5
    connect: float = 10.0
    silence: float = 120.0
    longest: float = 900.0


_SETTINGS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SKIP_SIGNATURE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    *ENDPOINTS,
)
"""What, where it changes, asks for another connection."""


def _settings() -> Iterator[tuple[str, str]]:
    return ((name, os.environ[name]) for name in _SETTINGS if os.environ.get(name))


_asked_by: list[int] = []
"""The process that asked first: obstore's threads are there, and do not follow a fork."""


def check_not_forked(where: str) -> None:
    """Raise in a process that was forked off, where a request would hang.

    Raises:
        ObjectStorageError: it was.
    """
    if not _asked_by:
        _asked_by.append(os.getpid())
    if _asked_by[0] != os.getpid():
        raise ObjectStorageError(
            "cannot be asked for by a process that was forked from one that asked",
            where=where,
            do="Start processes by spawn or forkserver, or read with threads",
        )


def open_store(bucket: str, patience: Patience) -> Any:
    """Obstore's store of a bucket, opened anew where the environment has changed.

    Raises:
        ObjectStorageError: the environment does not fit itself.
    """
    return _open(bucket, patience, frozenset(_settings()))


@cache
def _open(bucket: str, patience: Patience, settings: frozenset[tuple[str, str]]) -> Any:
    """The store, opened anew where the environment, which obstore reads itself, has changed.

    Raises:
        ObjectStorageError: the environment does not fit itself.
    """
    from datetime import timedelta

    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    told = {"AWS_REGION", "AWS_DEFAULT_REGION"} & set(dict(settings))
    options: dict[str, Any] = {} if told else {"region": "us-east-1"}
    try:
        return S3Store(
            bucket,
            client_options={
                "allow_http": endpoint().startswith("http://"),
                "connect_timeout": timedelta(seconds=patience.connect),
                "read_timeout": timedelta(seconds=patience.silence),
                "timeout": timedelta(seconds=patience.longest),
            },
            retry_config={"max_retries": 0},
            **options,
        )
    except (BaseError, ValueError):
        raise ObjectStorageError(
            "the settings of the object storage do not fit",
            where=f"s3://{bucket}",
            do="See to AWS_ENDPOINT_URL and the other AWS_ variables",
        ) from None


def load_obstore() -> Any:
    """The library, imported when it is needed.

    Raises:
        InputError: it is not installed.
    """
    try:
        import obstore
        import obstore.exceptions
    except ImportError as error:
        raise InputError(
            "objects need obstore, which is not installed", do="Install benforge[s3]"
        ) from error
    return obstore
