"""The viewer as a process that listens: what a browser, and whoever else, finds at its port."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from benforge.cli.main import run
from benforge.errors import ConflictError, InputError
from benforge.viewer.serve import bind

HEADERS = {"content-type": "application/json"}


@dataclass(frozen=True)
class Served:
    """A viewer that runs, and the address it told."""

    process: subprocess.Popen[str]
    address: str
    port: int

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        return self.process.returncode


def start(root: Path, *options: str) -> Served:
    command = [sys.executable, "-m", "benforge.cli", "inspect", str(root), "--no-browser"]
    return start_as([*command, *options])


def start_as(command: list[str]) -> Served:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+:(\d+)/\S*", line)
    assert found, line
    return Served(process, found[0], int(found[1]))


@pytest.fixture
def served(screened: Path) -> Iterator[Served]:
    one = start(screened)
    yield one
    if one.process.poll() is None:
        one.process.kill()
        one.process.communicate()


def talk(port: int, head: str, body: bytes = b"", most: int = 0) -> tuple[str, int]:
    """Send a request by hand; the answer, and how many bytes of the body were taken."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        sent = 0
        try:
            while sent < most:
                sent += line.send(body)
        except OSError:
            pass
        answer = b""
        try:
            while part := line.recv(65536):
                answer += part
        except OSError:
            pass
    return answer.decode("latin-1"), sent


def test_it_answers_refuses_and_ends(served: Served, screened: Path) -> None:
    assert httpx.get(served.address).status_code == 200
    assert "server" not in httpx.get(served.address).headers
    answer, _ = talk(
        served.port, "GET /api/archive HTTP/1.1\nHost: evil.example\nConnection: close"
    )
    assert answer.startswith("HTTP/1.1 421")
    body = json.dumps({"reviewer": "Ada", "patches": [0], "flags": []})
    foreign = HEADERS | {"origin": "http://evil.example"}
    url = f"{served.origin}/api/decisions"
    assert httpx.post(url, content=body, headers=foreign).status_code == 403
    own = HEADERS | {"origin": served.origin}
    assert httpx.post(url, content=body, headers=own).status_code == 200
    assert (screened / "reviews" / "review.jsonl").read_bytes().count(b"\n") == 1
    assert served.end() == 0


def test_a_body_of_100_mb_is_refused_before_it_is_read(served: Served) -> None:
    large = 100_000_000
    head = (
        f"POST /api/decisions HTTP/1.1\nHost: 127.0.0.1:{served.port}\nOrigin: {served.origin}\n"
        "Content-Type: application/json\n"
    )
    answer, _ = talk(served.port, f"{head}Content-Length: {large}")
    assert answer.startswith("HTTP/1.1 413")
    answer, sent = talk(served.port, f"{head}Content-Length: {large}", b" " * 65536, large)
    assert sent < large / 5
    chunked, _ = talk(served.port, f"{head}Transfer-Encoding: chunked")
    assert chunked.startswith("HTTP/1.1 411")
    assert httpx.get(served.address).status_code == 200


def test_beyond_this_machine_a_token_is_asked_for(screened: Path) -> None:
    one = start(screened, "--host", "0.0.0.0")
    try:
        assert "?token=" in one.address
        assert httpx.get(f"{one.origin}/").status_code == 401
        assert httpx.get(f"{one.origin}/?token=wrong").status_code == 401
        token = one.address.partition("?")[2]
        assert httpx.get(f"{one.origin}/?{token}").status_code == 200
    finally:
        assert one.end() == 0


def test_a_port_in_use_is_named(screened: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(ConflictError, match=f":{port}: the port is in use"):
            bind("127.0.0.1", port)
        assert run(["view", str(screened), "--port", str(port), "--no-browser"]) == 1
    assert f"127.0.0.1:{port}: the port is in use. Choose another" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "::zz"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(InputError, match="cannot be bound"):
        bind(host, 0)


def test_what_is_no_archive_is_told_and_no_browser_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    for folder in (tmp_path, tmp_path / "nothing"):
        assert run(["view", str(folder)]) == 1
    assert "holds no archive.json" in capsys.readouterr().err
    assert opened == []


@pytest.mark.parametrize("host", ["", " "])
def test_no_address_is_none(host: str) -> None:
    with pytest.raises(InputError, match="no address is named"):
        bind(host, 0)


@pytest.mark.parametrize("options", [["--host", "0"], ["--token"]])
def test_the_address_that_is_told_works_and_brings_its_token(
    screened: Path, options: list[str]
) -> None:
    one = start(screened, *options)
    try:
        assert "?token=" in one.address
        assert "//0:" not in one.address
        assert httpx.get(one.address).status_code == 200
        assert httpx.get(f"{one.origin}/").status_code == 401
        assert httpx.get(f"{one.origin}/api/archive").status_code == 401
    finally:
        assert one.end() == 0


def post_head(served: Served, length: int) -> bytes:
    return (
        f"POST /api/decisions HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Origin: {served.origin}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def test_who_leaves_amid_a_body_and_the_end_amid_one_leave_no_traceback(screened: Path) -> None:
    one = start(screened)
    with socket.create_connection(("127.0.0.1", one.port), timeout=20) as line:
        line.sendall(post_head(one, 500) + b'{"reviewer"')
    httpx.get(one.address)
    with socket.create_connection(("127.0.0.1", one.port), timeout=20) as line:
        line.sendall(post_head(one, 500) + b'{"reviewer"')
        httpx.get(one.address)
        one.process.send_signal(signal.SIGINT)
        said, _ = one.process.communicate(timeout=20)
        assert line.recv(65536).startswith(b"HTTP/1.1 503")
    assert one.process.returncode == 0
    assert "Traceback" not in said
    assert "Error" not in said


def test_a_number_of_5000_digits_is_no_patch(served: Served) -> None:
    for path in (f"/api/patch/{'9' * 5000}", f"/patch/{'9' * 5000}.png"):
        answer = httpx.get(served.origin + path)
        assert (answer.status_code, set(answer.json())) == (404, {"error"})


PATIENT = """
import resource
import sys
from benforge.viewer import patience
resource.setrlimit(resource.RLIMIT_NOFILE, (192, 192))
patience.SECONDS, patience.MOST_CONNECTIONS = 1.0, 40
patience.WholeBodies.__init__.__defaults__ = (1.0,)
from benforge.cli.main import run
import benforge.cli
sys.exit(run(["inspect", sys.argv[1], "--no-browser"]))
"""


def closed_in(line: socket.socket, seconds: float) -> bytes:
    """What comes until the other side closes, within a time."""
    line.settimeout(seconds)
    said = b""
    try:
        while part := line.recv(65536):
            said += part
    except ConnectionResetError:
        pass
    return said


def test_half_a_request_is_given_up_and_many_leave_room_for_one(screened: Path) -> None:
    one = start_as([sys.executable, "-c", PATIENT, str(screened)])
    where = ("127.0.0.1", one.port)
    try:
        with socket.create_connection(where) as half, socket.create_connection(where) as slow:
            half.sendall(b"GET / HTTP/1.1\r\nHost:")
            slow.sendall(post_head(one, 500) + b"{")
            assert closed_in(half, 5) == b""
            assert closed_in(slow, 5).startswith(b"HTTP/1.1 408")
        held = [socket.create_connection(where) for _ in range(400)]
        for line in held:
            line.sendall(b"GET / HTTP/1.1\r\n")
        assert httpx.get(one.address, timeout=5).status_code == 200
        assert len(list(Path(f"/proc/{one.process.pid}/fd").iterdir())) < 100
        for line in held:
            line.close()
    finally:
        one.process.send_signal(signal.SIGINT)
        said, _ = one.process.communicate(timeout=20)
    assert (one.process.returncode, said) == (0, "")


def test_where_decisions_cannot_be_kept_nothing_begins(
    screened: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    asked = (screened, os.W_OK)
    monkeypatch.setattr(os, "access", lambda path, how: (path, how) != asked and access(path, how))
    assert run(["inspect", str(screened), "--no-browser"]) == 1
    told = capsys.readouterr().err.replace("\n", "")
    assert "cannot be written" in told
    assert "ben view" in told
    monkeypatch.undo()
    (screened / "reviews").write_bytes(b"")
    assert run(["inspect", str(screened), "--no-browser"]) == 1
    assert "ben view" in capsys.readouterr().err


def test_a_name_of_300_characters_is_none(
    screened: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", str(screened), "--no-browser", "--review", "r" * 300]) == 1
    assert "longer than 249 characters" in capsys.readouterr().err.replace("\n", " ")
