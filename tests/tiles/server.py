"""A small STAC API, file server and token server on loopback that fails when it is told to.

Everything here is a stand-in for tests: shapes are those of the public APIs, data are made up.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import shapely

from tests.tiles.catalogues import cdse_item

USER, WORD = "somebody@example.org", "correct-horse-battery"
Failure = Callable[["Handler"], bool]
"""What goes wrong with one request; whether it was answered."""


def product_zip(name: str, size: int = 300_000) -> bytes:
    """A zip that holds a folder `name.SAFE` of about so many bytes; no real product."""
    noise = hashlib.shake_256(name.encode()).digest(size)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}.SAFE/manifest.safe"), b"<simulated/>")
        metadata = f"{name}.SAFE/MTD_{name.split('_')[1]}.xml"
        archive.writestr(zipfile.ZipInfo(metadata), b"<simulated/>")
        archive.writestr(zipfile.ZipInfo(f"{name}.SAFE/GRANULE/B02.jp2"), noise)
    return sink.getvalue()


class World:
    """What the server has, what fails next, and what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.items: list[dict[str, Any]] = []
        self.failures: dict[str, list[Failure]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.sent: Counter[str] = Counter()
        self.locked = False
        self.tokens: set[str] = set()
        self.given = 0
        self.lasts = 600.0
        self.page = 10
        self.slim = True
        self.most = 0
        self.now = 0
        self.lock = threading.Lock()
        self.url = ""

    def put(self, name: str, size: int = 300_000, checksum: bool = True) -> dict[str, Any]:
        """A product to fetch; its item."""
        data = product_zip(name, size)
        self.files[f"/files/{name}"] = data
        asset: dict[str, Any] = {
            "href": f"{self.url}/files/{name}",
            "type": "application/zip",
            "roles": ["data", "metadata", "archive"],
            "file:size": len(data),
        }
        if checksum:
            asset["file:checksum"] = f"d50110{hashlib.md5(data).hexdigest()}"
        item = cdse_item(name, 0.4, {"Product": asset})
        self.items.append(item)
        return item

    def fail(self, path: str, *failures: Failure) -> None:
        """Let the next requests to a path go wrong, in this order."""
        self.failures.setdefault(path, []).extend(failures)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked == path for _, asked, _ in self.asked)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Server

    @property
    def world(self) -> World:
        return self.server.world

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.__dict__.pop("send", None)  # what went wrong last time on this connection
        path = urlsplit(self.path).path
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        with self.world.lock:
            self.world.asked.append((self.command, path, self.headers.get("Range", "")))
            waiting = self.world.failures.get(path, [])
            failure = waiting.pop(0) if waiting else None
            self.world.now += 1
            self.world.most = max(self.world.most, self.world.now)
        try:
            if failure is None or not failure(self):
                self.answer(path)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.world.lock:
                self.world.now -= 1

    def answer(self, path: str) -> None:
        if path == "/token":
            self.give_token()
        elif path in self.world.files:
            self.give_file(path)
        elif path == "/search":
            self.give_page()
        elif path == "/":
            self.give_json(landing(self.world.url))
        else:
            self.give(404, b"")

    def give(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def give_json(self, value: object, status: int = 200) -> None:
        self.give(status, json.dumps(value).encode(), Content_Type="application/json")

    def give_token(self) -> None:
        words = {name: values[0] for name, values in parse_qs(self.body.decode()).items()}
        if (words.get("username"), words.get("password")) != (USER, WORD):
            self.give_json({"error": "invalid_grant", "echo": self.body.decode()}, 401)
            return
        with self.world.lock:
            self.world.given += 1
            token = f"secret-token-{self.world.given}"
            self.world.tokens = {token}
        self.give_json({"access_token": token, "expires_in": self.world.lasts})

    def give_file(self, path: str) -> None:
        shown = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.world.locked and shown not in self.world.tokens:
            self.give(401, b"", WWW_Authenticate="Bearer")
            return
        data = self.world.files[path]
        tag = f'"{hashlib.md5(data).hexdigest()}"'
        start = 0
        if (wanted := self.headers.get("Range")) and self.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
            if start >= len(data):
                self.give(416, b"", Content_Range=f"bytes */{len(data)}")
                return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command != "HEAD":
            self.send(path, data[start:])

    def send(self, path: str, data: bytes) -> None:
        self.wfile.write(data)
        with self.world.lock:
            self.world.sent[path] += len(data)

    def give_page(self) -> None:
        asked = json.loads(self.body or b"{}")
        found = [item for item in self.world.items if fits(item, asked)]
        start = int(asked.get("token", 0))
        left_out = asked.get("fields", {}).get("exclude", []) if self.world.slim else []
        page = [
            {name: value for name, value in item.items() if name not in left_out}
            for item in found[start : start + self.world.page]
        ]
        links = []
        if start + self.world.page < len(found):
            body = {**asked, "token": start + self.world.page}
            links = [
                {"rel": "next", "method": "POST", "href": f"{self.world.url}/search", "body": body}
            ]
        self.give_json(
            {
                "type": "FeatureCollection",
                "features": page,
                "links": links,
                "numberMatched": len(found),
                "numberReturned": len(page),
            }
        )


class Server(ThreadingHTTPServer):
    """The server and its world."""

    daemon_threads = True

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.world = world
        world.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *words: object) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def serving() -> Iterator[World]:
    """A server while the context lasts."""
    world = World()
    server = Server(world)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def landing(url: str) -> dict[str, Any]:
    """The first page of a STAC API that can be searched."""
    links = [
        {"rel": "self", "href": url},
        {"rel": "root", "href": url},
        {
            "rel": "search",
            "href": f"{url}/search",
            "method": "POST",
            "type": "application/geo+json",
        },
        {"rel": "data", "href": f"{url}/collections"},
    ]
    return {
        "type": "Catalog",
        "id": "stand-in",
        "stac_version": "1.0.0",
        "description": "A stand-in for tests",
        "conformsTo": [
            "https://api.stacspec.org/v1.0.0/core",
            "https://api.stacspec.org/v1.0.0/item-search",
            "https://api.stacspec.org/v1.0.0/item-search#fields",
        ],
        "links": links,
    }


def fits(item: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether an item answers a search."""
    if item["collection"] not in asked["collections"]:
        return False
    if "ids" in asked and item["id"] not in asked["ids"]:
        return False
    properties = item["properties"]
    begin, _, end = asked.get("datetime", "0/9").partition("/")
    if not begin <= properties["datetime"] <= end:
        return False
    place = asked.get("intersects")
    return place is None or bool(
        shapely.intersects(shapely.geometry.shape(place), shapely.geometry.shape(item["geometry"]))
    )


def status(code: int, **headers: str) -> Failure:
    """Answer with a status in place of the file."""

    def failure(handler: Handler) -> bool:
        handler.give(code, b"busy", **headers)
        return True

    return failure


def cut(after: int) -> Failure:
    """Send so many bytes, then end the connection."""

    def failure(handler: Handler) -> bool:
        def send(path: str, data: bytes) -> None:
            handler.wfile.write(data[:after])
            handler.wfile.flush()
            handler.close_connection = True
            with handler.world.lock:
                handler.world.sent[path] += after

        handler.send = send  # type: ignore[method-assign]
        return False

    return failure


def hang_up(handler: Handler) -> bool:
    """End the connection without an answer."""
    handler.close_connection = True
    return True


def fall_silent(seconds: float, after: int = 1000) -> Failure:
    """Send so many bytes, then nothing for a while."""

    def failure(handler: Handler) -> bool:
        def send(path: str, data: bytes) -> None:
            handler.wfile.write(data[:after])
            handler.wfile.flush()
            time.sleep(seconds)
            handler.close_connection = True

        handler.send = send  # type: ignore[method-assign]
        return False

    return failure


def trickle(pieces: int, seconds: float) -> Failure:
    """Send all of it, slowly."""

    def failure(handler: Handler) -> bool:
        def send(path: str, data: bytes) -> None:
            step = -(-len(data) // pieces)
            for start in range(0, len(data), step):
                handler.wfile.write(data[start : start + step])
                handler.wfile.flush()
                time.sleep(seconds)

        handler.send = send  # type: ignore[method-assign]
        return False

    return failure


def damaged(handler: Handler) -> bool:
    """Send other bytes of the same number."""

    def send(path: str, data: bytes) -> None:
        handler.wfile.write(bytes(byte ^ 1 for byte in data))

    handler.send = send  # type: ignore[method-assign]
    return False


def redirect(to: Callable[[], str]) -> Failure:
    """Lead elsewhere."""

    def failure(handler: Handler) -> bool:
        handler.give(302, b"", Location=to())
        return True

    return failure


def repeated(failure: Failure, times: int) -> Sequence[Failure]:
    """The same, again and again."""
    return [failure] * times
