"""Files in a store of objects, through obstore, which the extra `s3` installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benforge.core.bucket_store import load_obstore
from benforge.errors import BenError, CredentialsError, FetchError, InputError
from benforge.tiles.credentials import Keys, find_keys
from benforge.tiles.profile import S3, Profile
from benforge.tiles.source import Interrupted, Opened, not_there

CHUNK = 1 << 20
"""Bytes read at a time."""

_REFUSALS = ("status code: 401", "status code: 403")
"""How a refused list is told, for which obstore has no error of its own."""


class S3Source:
    """Objects of the buckets that a profile knows, for any number of threads."""

    def __init__(self, profile: Profile) -> None:
        if profile.s3 is None:
            raise InputError(
                "the profile does not tell how its store of objects is reached",
                where=profile.title,
                do="Name a profile that does: --api",
            )
        self._place: S3 = profile.s3
        self._keys: Keys | None = None
        self._stores: dict[str, Any] = {}

    @contextmanager
    def open(self, href: str, start: int, version: str) -> Iterator[Opened]:
        """An object from a byte on; see `Source`."""
        obstore = load_obstore()
        bucket, key = split_href(href)
        with self._explained(href):
            store = self._store(bucket)
            head = obstore.head(store, key)
            size, tag = int(head["size"]), str(head.get("e_tag") or "")
            begin = start if start <= size and (not version or version == tag) else 0
            if begin == size:
                yield Opened(begin, size, tag, iter(()))
                return
            part = {"range": {"offset": begin}} if begin else {}
            got = obstore.get(store, key, options=part)
            yield Opened(begin, size, tag, (bytes(chunk) for chunk in got.stream(CHUNK)))

    def size(self, href: str) -> int | None:
        """The size of an object."""
        obstore = load_obstore()
        bucket, key = split_href(href)
        with self._explained(href):
            return int(obstore.head(self._store(bucket), key)["size"])

    def below(self, href: str) -> dict[str, int]:
        """The objects below an address that ends in `/`: what follows it, to size in bytes.

        Raises:
            Interrupted: try again.
            FetchError: there is none.
        """
        obstore = load_obstore()
        bucket, prefix = split_href(href)
        with self._explained(href):
            pages = obstore.list(self._store(bucket), prefix=prefix.rstrip("/"))
            found = {str(o["path"]): int(o["size"]) for page in pages for o in page}
        names = {p.removeprefix(prefix): n for p, n in found.items() if p.startswith(prefix)}
        if not names:
            raise not_there(href, 404)
        return names

    def _store(self, bucket: str) -> Any:
        if bucket not in self._place.buckets:
            # Keys are for the store of this profile; another may belong to anyone.
            raise InputError(
                "the profile knows no such bucket",
                where=bucket,
                do=f"It knows {', '.join(self._place.buckets) or 'none'}",
            )
        if bucket not in self._stores:
            self._stores[bucket] = self._opened(bucket)
        return self._stores[bucket]

    def _opened(self, bucket: str) -> Any:
        from obstore.store import S3Store

        self._keys = self._keys or find_keys(self._place)
        more: dict[str, Any] = {"request_payer": True} if self._place.requester_pays else {}
        return S3Store(
            bucket,
            endpoint=self._place.endpoint,
            region=self._place.region,
            access_key_id=self._keys.access,
            secret_access_key=self._keys.secret,
            virtual_hosted_style_request=False,
            client_options={"allow_http": self._place.endpoint.startswith("http://")},
            retry_config={"max_retries": 2},
            **more,
        )

    @contextmanager
    def _explained(self, href: str) -> Iterator[None]:
        """Turn what the store raises into our errors; its own words may be long and are left out.

        Raises:
            FetchError: the object cannot be had.
            CredentialsError: nor can any other.
            Interrupted: try again.
        """
        from obstore.exceptions import (
            BaseError,
            NotFoundError,
            PermissionDeniedError,
            UnauthenticatedError,
        )

        try:
            yield
        except BenError:
            raise
        except (FileNotFoundError, NotFoundError):
            raise not_there(href, 404) from None
        except BaseError as error:
            refused = isinstance(error, PermissionDeniedError | UnauthenticatedError)
            if refused or any(told in str(error) for told in _REFUSALS):
                raise CredentialsError(
                    "the store does not accept these keys",
                    where=href,
                    do="Check the keys, and what they may read",
                ) from None
            raise Interrupted("the store fails or cannot be reached") from None


def split_href(href: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`.

    Raises:
        FetchError: the address is none.
    """
    bucket, _, key = href.removeprefix("s3://").lstrip("/").partition("/")
    if not bucket or not key:
        raise FetchError("not the address of an object", where=href, do="Choose anew")
    return bucket, key
