from __future__ import annotations

import hashlib
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.scenes.safe_checksum import ALGORITHMS, ListedFile, fingerprint, has_checksum

# Of b"abc": RFC 1321, and the examples of NIST for FIPS 202.
ABC = {
    "MD5": "900150983cd24fb0d6963f7d28e17f72",
    "SHA3-256": "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
}
LISTED = ListedFile(3, "MD5", ABC["MD5"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_published_checksums_are_met(algorithm: str) -> None:
    listed = ListedFile(3, algorithm, ABC[algorithm])
    assert has_checksum(io.BytesIO(b"abc"), listed)
    assert not has_checksum(io.BytesIO(b"abd"), listed)


def test_the_whole_stream_counts_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with (tmp_path / "a").open("rb") as stream:
        stream.seek(2)
        assert has_checksum(stream, LISTED)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_changed_bit_is_noticed(data: bytes, draw: st.DataObject) -> None:
    listed = ListedFile(len(data), "SHA3-256", hashlib.sha3_256(data).hexdigest())
    at, bit = draw.draw(st.integers(0, len(data) - 1)), draw.draw(st.integers(0, 7))
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    assert has_checksum(io.BytesIO(data), listed)
    assert not has_checksum(io.BytesIO(changed), listed)


def test_a_large_file_is_read_piece_by_piece(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as stream:
        stream.truncate(32 * 2**20)
    tracemalloc.start()
    with (tmp_path / "a").open("rb") as stream:
        assert not has_checksum(stream, LISTED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_the_fingerprint_keeps_its_parts_apart() -> None:
    assert fingerprint([b"ab", b"c"], {}, {}) != fingerprint([b"a", b"bc"], {}, {})
    assert fingerprint([], {"a": 1}, {}) != fingerprint([], {"b": 1}, {})


def test_the_fingerprint_follows_what_the_manifest_lists() -> None:
    other = ListedFile(3, "MD5", "0" * 32)
    found = {
        fingerprint([], {"a": 3, "b": 3}, listed)
        for listed in [{}, {"a": LISTED}, {"b": LISTED}, {"a": other}]
    }
    assert len(found) == 4
