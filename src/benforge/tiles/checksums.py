"""Checksums as catalogues write them: multihashes, and plain MD5 and SHA."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_CODES = {
    0xD5: "md5",
    0x11: "sha1",
    0x12: "sha256",
    0x20: "sha384",
    0x13: "sha512",
    0x16: "sha3_256",
    0x15: "sha3_384",
    0x14: "sha3_512",
}
"""Codes of the multihash table to names in hashlib."""
_PLAIN = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
"""Hexadecimal digits to the checksum that has so many."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum: its name in hashlib, and its digest in hexadecimal."""

    algorithm: str
    digest: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> Checksum | None:
        """Read what `file:checksum` holds; None for nothing, or for a kind that is not known."""
        plain = text.strip().lower()
        try:
            data = bytes.fromhex(plain)
        except ValueError:
            return None
        if len(plain) in _PLAIN:
            return cls(_PLAIN[len(plain)], plain)
        code, data = _varint(data)
        length, digest = _varint(data)
        if code not in _CODES or length != len(digest) or not digest:
            return None
        known = hashlib.new(_CODES[code], usedforsecurity=False).digest_size
        return cls(_CODES[code], digest.hex()) if known == length else None


def checksum_of(path: Path, algorithm: str = "sha256") -> Checksum:
    """The checksum of a file, read piece by piece."""
    with path.open("rb") as stream:
        # Against damage, not against forgery: MD5 serves.
        digest = hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False))
    return Checksum(algorithm, digest.hexdigest())


def _varint(data: bytes) -> tuple[int, bytes]:
    """A number of seven bits a byte, lowest first, and what follows it."""
    value = 0
    for i, byte in enumerate(data[:4]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, data[i + 1 :]
    return 0, b""
