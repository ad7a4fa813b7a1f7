from __future__ import annotations

from benforge.core.bucket import Bucket
from benforge.core.object_path import parse_place
from tests.s3 import BUCKET, Storage


def test_bytes(address: str, storage: Storage) -> None:
    data = bytes(range(256)) * 100
    found, key = Bucket(BUCKET), parse_place(address).key
    found.write(f"{key}/b", data)
    assert storage.files(address) == {"b": data}
    assert found.read(f"{key}/b") == data
    assert found.read_range(f"{key}/b", 10, 20) == data[10:30]
    assert found.read_end(f"{key}/b", 7) == (data[-7:], len(data))
    assert found.read_end(f"{key}/b", 10**6) == (data, len(data))
