"""What a storage says where it refuses, in our words; its own may hold a key and are left out."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from benforge.errors import ObjectStorageError

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
"""Variables that tell where the storage is, the first that is set."""

_STATUS = re.compile(r"status code: (\d{3})")
_PASSING = ("408", "429")
"""Refusals that another try may not meet."""

_METADATA = ("/latest/api/token", "/latest/meta-data/")
"""What machines of a cloud ask to know who they are: asked last, when nothing else told."""

_REGION = ("incorrectly configured region", "AuthorizationHeaderMalformed", "PermanentRedirect")


def final_error(told: str, bucket: str, where: str) -> ObjectStorageError | None:
    """The error for a refusal that no further try would change; None where one may.

    Args:
        told: what obstore says of it.
        bucket: that was asked for.
        where: address of the object.
    """
    found = _STATUS.search(told)
    status = found[1] if found else ""
    if "NoSuchBucket" in told or status == "404":
        return no_bucket(bucket)
    if any(word in told for word in _METADATA):
        what, do = _NO_CREDENTIALS
    elif any(word in told for word in _REGION):
        what, do = "the bucket is in another region", "Set AWS_REGION to its region"
    elif status in _REFUSALS:
        what, do = _REFUSALS[status]
    elif status.startswith("4") and status not in _PASSING:
        what = f"the object storage{at_endpoint()} refuses the request ({status})"
        do = "See to AWS_ENDPOINT_URL and AWS_REGION"
    else:
        return None
    return ObjectStorageError(what, where=where, do=do)


_NO_CREDENTIALS = (
    "no credentials for this object storage",
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true if all may read",
)
_REFUSED = (
    "the object storage refuses access",
    "See what these keys may do: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
)
_REFUSALS = {
    "401": _REFUSED,
    "403": _REFUSED,
    "412": ("was written anew while it was read", "Run the same command again"),
}


def no_bucket(name: str) -> ObjectStorageError:
    """The error where a storage has no bucket of this name."""
    return ObjectStorageError(
        f"the object storage{at_endpoint()} has no such bucket",
        where=f"s3://{name}",
        do="See to the name, AWS_ENDPOINT_URL and AWS_REGION",
    )


def no_answer(where: str, tries: int) -> ObjectStorageError:
    """The error where a storage was asked often enough."""
    return ObjectStorageError(
        f"the object storage{at_endpoint()} fails or cannot be reached, tried {tries} times",
        where=where,
        do="See to the network and AWS_ENDPOINT_URL, then run the same command again",
    )


def endpoint() -> str:
    """The address of the storage that the environment names; none is Amazon's."""
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")


def at_endpoint() -> str:
    """The same for a message, without a user or password that may stand in it."""
    parts = urlsplit(endpoint())
    host = parts.netloc.rpartition("@")[2]
    return f" at {parts.scheme}://{host}" if host else ""
