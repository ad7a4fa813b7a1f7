"""Checksums: of a file, held to the one in its product's manifest, and of a whole product."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader, BytesIO

ALGORITHMS = {"MD5": "md5", "SHA3-256": "sha3_256"}
"""Checksums of manifests, the second since 2021, to their names in hashlib."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """What a manifest lists of a file.

    Args:
        size: in bytes.
        algorithm: a key of `ALGORITHMS`.
        checksum: hexadecimal, lower case.
    """

    size: int
    algorithm: str
    checksum: str


def has_checksum(stream: BufferedReader | BytesIO, listed: ListedFile) -> bool:
    """Whether the whole stream has the listed checksum.

    Read piece by piece, so in bounded memory, and hashed without holding Python's lock.
    """
    stream.seek(0)
    name = ALGORITHMS[listed.algorithm]
    # Against damage, not against forgery: MD5 serves, and systems that ban it allow it so.
    digest = hashlib.file_digest(stream, lambda: hashlib.new(name, usedforsecurity=False))
    return digest.hexdigest() == listed.checksum


def fingerprint(
    documents: Sequence[bytes], images: Mapping[str, int], listed: Mapping[str, ListedFile]
) -> str:
    """SHA-256 over metadata files and over names, sizes and listed checksums of images.

    The same for a product in a folder and in a zip. No image is read: another image of the same
    size is noticed where it came with its manifest.

    Args:
        documents: the metadata files.
        images: name to size in bytes.
        listed: name to what the manifest lists, where it does.

    Returns:
        Hexadecimal.
    """
    digest = hashlib.sha256()
    for document in documents:
        digest.update(hashlib.sha256(document).digest())
    for name, size in images.items():
        digest.update(f"{name}\n{size}\n".encode())
        if name in listed:
            digest.update(f"{listed[name].checksum}\n".encode())
    return digest.hexdigest()
