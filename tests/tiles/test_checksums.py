import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benforge.tiles.checksums import Checksum, checksum_of

CODES = {"md5": "d501", "sha1": "11", "sha256": "12", "sha512": "13", "sha3_256": "16"}


@given(st.binary(max_size=100), st.sampled_from(sorted(CODES)))
def test_multihashes_are_read(data: bytes, name: str) -> None:
    digest = hashlib.new(name, data).hexdigest()
    text = f"{CODES[name]}{len(digest) // 2:02x}{digest}"
    assert Checksum.parse(text) == Checksum.parse(text.upper()) == Checksum(name, digest)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_plain_digests_are_read(name: str) -> None:
    digest = hashlib.new(name, b"x").hexdigest()
    assert Checksum.parse(digest) == Checksum(name, digest)


@given(st.text("0123456789abcdefx ", max_size=80))
def test_what_is_no_checksum_is_none(text: str) -> None:
    found = Checksum.parse(text)
    assert found is None or found.digest in text.lower()


@pytest.mark.parametrize("text", ["", "1220", "1220ff", "ff20" + "00" * 32, "12" + "21" + "0" * 66])
def test_half_a_multihash_is_none(text: str) -> None:
    assert Checksum.parse(text) is None


def test_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 99)
    assert checksum_of(tmp_path / "a", "md5").digest == hashlib.md5(b"abc" * 99).hexdigest()
