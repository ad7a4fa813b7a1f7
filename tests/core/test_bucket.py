"""A bucket, and a storage that fails in every way: tried again, then told in one clear line."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest

from benforge.core import bucket as module
from benforge.core.bucket import Bucket
from benforge.core.object_path import parse_place
from benforge.errors import ObjectStorageError
from tests.s3 import (
    BUCKET,
    FAULTS,
    READER,
    SECRET,
    Fault,
    Proxy,
    Storage,
    cut,
    drop,
    hang,
    status,
    truncate,
    use,
)

DATA = bytes(range(256)) * 100

CALLS: dict[str, tuple[str, Callable[[Bucket, str], object], object]] = {
    "look": ("HEAD", lambda b, key: b.look(key).size, len(DATA)),
    "read": ("GET", lambda b, key: b.read(key), DATA),
    "read_range": ("GET", lambda b, key: bytes(b.read_range(key, 10, 900)), DATA[10:910]),
    "read_end": ("GET", lambda b, key: b.read_end(key, 900), (DATA[-900:], len(DATA))),
    "write": ("PUT", lambda b, key: b.write(key, DATA), None),
    "below": ("GET", lambda b, key: list(b.below(os.path.dirname(key))), ["KEY"]),  # noqa: PTH120
    "holds": ("GET", lambda b, key: b.holds(os.path.dirname(key)), True),  # noqa: PTH120
}
"""A call to its method, itself, and what it gives."""


@pytest.fixture
def key(address: str, storage: Storage) -> str:
    key = parse_place(f"{address}/object").key  # type: ignore[attr-defined]
    storage.client().put(key, DATA)
    return str(key)


def test_bytes(key: str, storage: Storage, address: str) -> None:
    found = Bucket(BUCKET)
    found.write(f"{key}-2", DATA)
    assert storage.files(address) == {"object": DATA, "object-2": DATA}
    assert found.read_end(key, 10**6) == (DATA, len(DATA))
    assert found.read_range(key, 5, 0) == b""
    found.remove(key)
    found.remove(key)
    assert storage.files(address) == {"object-2": DATA}
    for ask in (found.look, found.read, lambda k: found.read_range(k, 0, 1)):
        with pytest.raises(FileNotFoundError, match="no such object"):
            ask(key)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_tried_again(call: str, fault: Fault, key: str, proxy: Proxy) -> None:
    method, ask, expected = CALLS[call]
    proxy.fail(method, "", fault, fault)
    found = ask(Bucket(BUCKET), key)
    assert found == ([key] if expected == ["KEY"] else expected)
    if fault not in (cut, truncate) or call in ("read", "read_range", "read_end"):
        assert len(proxy.told) == 3
        assert not proxy.left()


def test_a_server_that_hangs_is_not_waited_for_to_the_end(key: str, proxy: Proxy) -> None:
    proxy.fail("GET", "", hang)
    assert Bucket(BUCKET).read(key) == DATA
    assert len(proxy.told) == 2


@pytest.mark.parametrize("call", CALLS)
def test_a_storage_that_always_fails(call: str, key: str, proxy: Proxy) -> None:
    method, ask, _ = CALLS[call]
    proxy.fail(method, "", *[status(503)] * 3)
    with pytest.raises(ObjectStorageError) as caught:
        ask(Bucket(BUCKET), key)
    line = str(caught.value)
    assert f"the object storage at {proxy.url} fails or cannot be reached, tried 3 times" in line
    assert "then run the same command again" in line
    assert "\n" not in line
    assert SECRET not in line
    assert caught.value.__cause__ is None


def test_a_whole_object_comes_after_several_cuts(key: str, proxy: Proxy) -> None:
    """Each block of a file has its own tries, so a large object outlives many cuts."""
    place = parse_place(f"s3://{BUCKET}/{key}")
    with place.open("rb") as file:
        for start in range(0, len(DATA), 5000):
            proxy.fail("GET", "", cut, drop)
            file.raw.seek(start)  # type: ignore[attr-defined]
            assert file.raw.read(5000) == DATA[start : start + 5000]  # type: ignore[attr-defined]
    assert not proxy.left()


def refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(ObjectStorageError) as caught:
        ask()
    line = str(caught.value)
    assert SECRET not in line
    assert "\n" not in line
    return line


def test_refusals_are_told_at_once(
    key: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Bucket(BUCKET)
    use(monkeypatch, storage.url, secret="not-the-secret")
    for _, ask, _ in CALLS.values():
        assert "refuses access. See what these keys may do" in refusal(partial(ask, found, key))
    use(monkeypatch, storage.url, user=READER)
    assert found.read(key) == DATA
    assert "refuses access" in refusal(lambda: found.write(key, b""))
    use(monkeypatch, storage.url)
    none = Bucket("absent")
    for lost in (none.read, none.below, none.holds, none.children):
        told = refusal(partial(lost, "x"))
        assert told.startswith(f"s3://absent: the object storage at {storage.url} has no such b")


def test_a_bucket_elsewhere(key: str, proxy: Proxy) -> None:
    for code, body in (
        (301, "<Code>PermanentRedirect</Code>"),
        (400, "AuthorizationHeaderMalformed"),
    ):
        proxy.fail("GET", "", status(code, body))
        told = refusal(lambda: Bucket(BUCKET).read(key))
        assert told.endswith("the bucket is in another region. Set AWS_REGION to its region")
    proxy.fail("GET", "", status(400, "<Code>InvalidRequest</Code>"))
    assert "refuses the request (400)" in refusal(lambda: Bucket(BUCKET).read(key))


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", module.Patience(2, 0.01, 1.0, 1.0))
    use(monkeypatch, "http://user:password@127.0.0.1:1")
    told = refusal(lambda: Bucket("any").read("x"))
    assert "the object storage at http://127.0.0.1:1 fails or cannot be reached" in told
    assert "password" not in told


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> None:
    """Nobody tells who one is, not even the cloud whose machine this might be."""
    use(monkeypatch, storage.url)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr(module, "PATIENCE", module.Patience(2, 0.01, 1.0, 2.0))
    told = refusal(lambda: Bucket(BUCKET).read("x"))
    assert "no credentials" in told
    assert "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in told
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    assert "refuses access" in refusal(lambda: Bucket(BUCKET).read("x"))


def test_an_object_that_is_written_while_it_is_read(key: str) -> None:
    place = parse_place(f"s3://{BUCKET}/{key}")
    with place.open("rb") as file:
        Bucket(BUCKET).write(key, DATA[::-1])
        assert "was written anew while it was read" in refusal(file.read)


def test_a_forked_process_is_told(key: str) -> None:
    found = Bucket(BUCKET)
    assert found.read(key) == DATA
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            found.read(key)
        except ObjectStorageError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    assert b"forked" in os.read(reader, 1000)
    os.close(reader)
