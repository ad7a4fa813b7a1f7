"""A bucket of an object storage that speaks S3, through obstore, which the extra `s3` installs.

Who one is, and where the storage is, the environment tells: `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL` and the others that obstore reads. No
message repeats what a storage answers, which may hold a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

from benforge.core.bucket_errors import final_error, no_answer, no_bucket
from benforge.core.bucket_store import Patience, check_not_forked, load_obstore, open_store

_T = TypeVar("_T")

BLOCK = 8 << 20
"""Bytes read at a time where an object is read from its beginning to its end."""


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a storage says of an object.

    Args:
        size: bytes.
        tag: of its state, which another writing changes; empty where the storage tells none.
    """

    size: int
    tag: str


def _facts(told: Mapping[str, Any]) -> Facts:
    return Facts(int(told["size"]), str(told.get("e_tag") or ""))


_EMPTY = "status code: 416"
"""What is told of a range of an object that has no byte."""


class _Broken(Exception):  # noqa: N818  tried again
    """An answer that is not whole."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The objects of one bucket; may be sent to other processes, and used from threads.

    A process that was forked off another that asked is refused. Every call is tried again where
    the storage fails or the connection is cut, as `PATIENCE` has it.

    Args:
        name: of the bucket.
    """

    name: str

    def look(self, key: str) -> Facts:
        """Size and state of an object.

        Raises:
            FileNotFoundError: there is none.
            ObjectStorageError: the storage cannot be asked.
        """
        return self._ask(key, lambda obstore, store: _facts(obstore.head(store, key)))

    def read(self, key: str) -> bytes:
        """The bytes of an object, of which a storage that gives too few is found out.

        Raises:
            FileNotFoundError: there is none.
            ObjectStorageError: the storage cannot be asked.
        """

        def begin(obstore: Any, store: Any) -> tuple[bytes, Facts]:
            try:
                found = obstore.get(store, key, options={"range": (0, BLOCK)})
            except obstore.exceptions.BaseError as error:
                if _EMPTY in str(error):
                    return b"", Facts(0, "")
                raise
            facts = _facts(found.meta)
            return _whole(found.bytes(), min(facts.size, BLOCK)), facts

        first, facts = self._ask(key, begin)
        starts = range(len(first), facts.size, BLOCK)
        more = (
            self.read_range(key, start, min(BLOCK, facts.size - start), facts.tag)
            for start in starts
        )
        return b"".join((first, *more))

    def read_range(self, key: str, start: int, length: int, tag: str = "") -> memoryview:
        """Some bytes of an object, all of which it has; none for a length of 0.

        Args:
            key: of the object.
            start: first byte.
            length: bytes.
            tag: of the state of the object that is meant; any if empty.

        Raises:
            FileNotFoundError: there is no such object.
            ObjectStorageError: the storage cannot be asked, or the object is no longer that one.
        """
        if not length:
            return memoryview(b"")
        options: dict[str, Any] = {"range": (start, start + length)}
        if tag:
            options["if_match"] = tag

        def read(obstore: Any, store: Any) -> memoryview:
            found = obstore.get(store, key, options=options)
            return memoryview(_whole(found.bytes(), length))

        return self._ask(key, read)

    def read_end(self, key: str, length: int) -> tuple[memoryview, int]:
        """The last bytes of an object, all where it has fewer, and its size.

        Raises:
            FileNotFoundError: there is no such object.
            ObjectStorageError: the storage cannot be asked.
        """

        def read(obstore: Any, store: Any) -> tuple[memoryview, int]:
            found = obstore.get(store, key, options={"range": {"suffix": length}})
            size = int(found.meta["size"])
            return memoryview(_whole(found.bytes(), min(size, length))), size

        return self._ask(key, read)

    def write(self, key: str, data: bytes) -> None:
        """Write an object, which is seen whole or not at all.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        self._ask(key, lambda obstore, store: obstore.put(store, key, data, max_concurrency=2))

    def remove(self, key: str) -> None:
        """Remove an object, if it is there.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """
        self._ask(key, lambda obstore, store: obstore.delete(store, key))

    def below(self, folder: str) -> dict[str, Facts]:
        """Key to facts of every object below a folder, however deep.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """

        def look(obstore: Any, store: Any) -> dict[str, Facts]:
            pages = obstore.list(store, prefix=folder or None)
            return {str(one["path"]): _facts(one) for page in pages for one in page}

        return self._ask(folder, look)

    def children(self, folder: str) -> tuple[list[str], dict[str, Facts]]:
        """What lies directly in a folder: keys of folders, and key to facts of objects.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """

        def look(obstore: Any, store: Any) -> tuple[list[str], dict[str, Facts]]:
            found = obstore.list_with_delimiter(store, prefix=folder or None)
            objects = {str(one["path"]): _facts(one) for one in found["objects"]}
            return [str(path) for path in found["common_prefixes"]], objects

        return self._ask(folder, look)

    def holds(self, folder: str) -> bool:
        """Whether an object lies below a folder.

        Raises:
            ObjectStorageError: the storage cannot be asked.
        """

        def look(obstore: Any, store: Any) -> bool:
            return any(len(page) for page in obstore.list(store, prefix=folder or None))

        return self._ask(folder, look)

    def _ask(self, key: str, request: Callable[[Any, Any], _T]) -> _T:
        where = f"s3://{self.name}/{key}".rstrip("/")
        check_not_forked(where)
        obstore, patience = load_obstore(), PATIENCE
        store = open_store(self.name, patience)
        for pause in _pauses(patience):
            try:
                return request(obstore, store)
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise no_bucket(self.name) from None
                raise FileNotFoundError(2, "there is no such object", where) from None
            except (_Broken, obstore.exceptions.BaseError) as error:
                if told := final_error(str(error), self.name, where):
                    raise told from None
            if _given_up.wait(pause):
                break
        raise no_answer(where, patience.tries)


_given_up = Event()
"""Set while threads end whose work nobody waits for."""


@contextmanager
def asking_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that ask a storage; where the block fails or is interrupted they try no more.

    They end with the request that each has under way, and what has not begun is dropped.
    """
    try:
        with ThreadPoolExecutor(count, "objects") as pool:
            try:
                yield pool
            except BaseException:
                _given_up.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        _given_up.clear()


def _pauses(patience: Patience) -> Iterator[float]:
    """What to wait after each try, nothing after the last."""
    yield from (patience.first * 2**i for i in range(patience.tries - 1))
    yield 0.0


def _whole(found: Any, length: int) -> bytes:
    if len(found) != length:
        raise _Broken
    return found.to_bytes() if hasattr(found, "to_bytes") else bytes(found)
