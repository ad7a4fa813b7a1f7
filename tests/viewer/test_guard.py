"""Attacks on the viewer: each is refused, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benforge.viewer.app import create_app
from benforge.viewer.guard import LARGEST_BODY, Door, Guard
from tests.viewer.client import ORIGIN, Client

DECISION = {"reviewer": "Ada", "patches": [0], "flags": []}
TOKEN = "t0ken-of-this-run"


@pytest.fixture
def client(screened: Path) -> Client:
    return Client(create_app(screened))


@pytest.fixture
def abroad(screened: Path) -> Client:
    """Bound to every address of the machine."""
    door = Door.of(8000, ("box",), TOKEN)
    return Client(create_app(screened, door=door), "http://box:8000")


def decided(root: Path) -> bool:
    return (root / "reviews").exists()


def test_the_page_itself_may_decide(client: Client, screened: Path) -> None:
    assert client.post("/api/decisions", DECISION).status_code == 200
    assert decided(screened)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001", ""]
)
def test_another_host_is_refused(client: Client, screened: Path, host: str) -> None:
    assert client.get("/api/archive", {"host": host}).status_code == 421
    answer = client.post("/api/decisions", DECISION, {"host": host or " "})
    assert answer.status_code == 421
    assert not decided(screened)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000"])
def test_this_machines_own_names_are_let_in(client: Client, host: str) -> None:
    assert client.get("/api/archive", {"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://evil.example", "sec-fetch-site": ""},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": ""},
        {"origin": "http://127.0.0.1:9000", "sec-fetch-site": "same-site"},
        {"origin": "https://127.0.0.1:8000", "sec-fetch-site": ""},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": ""},
    ],
)
@pytest.mark.parametrize("url", ["/api/decisions", "/api/undo"])
def test_a_post_from_another_page_is_refused(
    client: Client, screened: Path, url: str, headers: dict[str, str]
) -> None:
    assert client.post(url, DECISION, headers).status_code == 403
    assert not decided(screened)


def test_two_origins_are_none(client: Client, screened: Path) -> None:
    headers = [("origin", ORIGIN), ("origin", "http://evil.example")]
    assert client.send("POST", "/api/decisions", json=DECISION, headers=headers).status_code == 403
    assert not decided(screened)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_form_is_refused(client: Client, screened: Path, kind: str) -> None:
    headers = {"origin": ORIGIN, "content-type": kind}
    answer = client.send("POST", "/api/decisions", content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert not decided(screened)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert client.send(method, "/api/decisions").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../app.py",
        "/assets/..%2f..%2fapp.py",
        "/assets/%2e%2e/%2e%2e/errors.py",
        "/assets//etc/passwd",
        "/assets/images/../../../../../../etc/passwd",
        "/assets/index.html",
        "/assets/",
        "/patch/../../archive.json",
        "/patch/..%2f..%2farchive.json.png",
        "/patch/-1.png",
        "/patch/1e0.png",
        "/api/patch/..%2f1",
        "/api/patch/-1",
        "/api/patch/999999999999999999999999",
        "/patch/999999999999999999999999.png",
        "/archive.json",
        "/%00",
    ],
)
def test_no_path_leads_out(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 405), answer.text
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    "query",
    [
        "flagset=../../etc/passwd",
        "flagset=..%2fscreenings%2fscreen",
        "tile=../x",
        "near=999999",
        "near=-1",
        "near=٣",
        "label=999",
        "label=<script>",
        "from=yesterday",
        "bbox=1,2,3",
        "bbox=nan,nan,nan,nan",
        "min_confidence=nan",
        "min_confidence=2",
        "flag=other",
        "decided=other",
        "order=id;drop",
        "limit=0",
        "limit=100000",
        "offset=-1",
        "tile=a&tile=b",
        "unheard=of",
        "text=" + "a" * 300,
    ],
)
def test_a_query_that_means_nothing_is_told(client: Client, query: str) -> None:
    answer = client.get(f"/api/patches?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "query",
    [
        "i=",
        "i=x",
        "i=1,,2",
        "i=99999",
        "i=0&columns=0",
        "i=0&view=../x",
        "i=0&stretch=x",
        "i=" + ",".join(["0"] * 101),
    ],
)
def test_a_sheet_of_nothing_is_told(client: Client, query: str) -> None:
    assert client.get(f"/sheet.jpg?{query}").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"reviewer": "Ada", "patches": [0]},
        {"reviewer": "Ada", "patches": ["0"], "flags": []},
        {"reviewer": "Ada", "patches": [10**9], "flags": []},
        {"reviewer": "Ada", "patches": [10**30], "flags": []},
        {"reviewer": "Ada", "patches": [-1], "flags": []},
        {"reviewer": "Ada", "patches": [], "flags": []},
        {"reviewer": "Ada", "patches": [0], "flags": ["other"]},
        {"reviewer": "", "patches": [0], "flags": []},
        {"reviewer": "a\nb", "patches": [0], "flags": []},
        {"reviewer": "a" * 61, "patches": [0], "flags": []},
        {"reviewer": "Ada", "patches": [0], "flags": [], "id": "../../x"},
    ],
)
def test_a_decision_that_means_nothing_is_told(client: Client, screened: Path, body: Any) -> None:
    answer = client.post("/api/decisions", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert not decided(screened)


def test_a_body_that_is_no_json_is_told(client: Client) -> None:
    headers = {"origin": ORIGIN, "content-type": "application/json"}
    for body in (b"\xff\xfe", b"{", b"[" * 900_000):
        answer = client.send("POST", "/api/decisions", content=body, headers=headers)
        assert answer.status_code == 400


def test_html_in_names_comes_back_as_data(client: Client) -> None:
    name = "<img src=x onerror=alert(1)>"
    client.post("/api/decisions", DECISION | {"reviewer": name})
    answer = client.get("/api/progress")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert list(answer.json()["per_reviewer"]) == [name]


def test_html_in_the_archives_name_is_no_html(screened: Path) -> None:
    root = screened.rename(screened.with_name("<script>alert(1)"))
    page = Client(create_app(root)).get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_every_answer_says_what_a_browser_may_do(client: Client) -> None:
    for url in ("/", "/api/archive", "/api/patches?tile=x", "/nothing", "/patch/0.png", "/api/map"):
        headers = client.get(url).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
    refused = client.get("/", {"host": "evil.example"})
    assert refused.headers["content-security-policy"] == policy


def test_a_large_body_is_refused_before_it_is_read() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it was let through")

    client = Client(Guard(app, Door.of(8000)))
    read = 0

    async def body() -> Any:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b" " * 10**6

    for said in ({"content-length": str(LARGEST_BODY + 1)}, {"content-length": "1" * 40}, {}):
        headers = {"origin": ORIGIN, "content-type": "application/json"} | said
        answer = client.send("POST", "/api/decisions", content=body(), headers=headers)
        assert answer.status_code == (413 if said else 411)
    headers = {"content-length": "2", "transfer-encoding": "chunked", "origin": ORIGIN}
    assert client.send("POST", "/api/decisions", content=body(), headers=headers).status_code == 411
    assert read == 0


def test_without_the_token_nothing_is_told(abroad: Client, screened: Path) -> None:
    urls = (
        "/",
        "/?token=",
        "/?token=wrong",
        f"/?token={TOKEN[:-1]}",
        "/api/archive",
        f"/api/archive?token={TOKEN}",
        "/assets/leaflet.js",
        "/patch/0.png",
    )
    for url in urls:
        assert abroad.get(url).status_code == 401
    for cookie in ("", "ben_8000=wrong", f"other={TOKEN}", "ben_8000"):
        assert abroad.get("/api/archive", {"cookie": cookie}).status_code == 401
    assert abroad.post("/api/decisions", DECISION).status_code == 401
    assert not decided(screened)


def test_the_token_is_brought_once_and_kept_by_the_browser(abroad: Client) -> None:
    answer = abroad.get(f"/?token={TOKEN}")
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    kept = {"cookie": cookie.partition(";")[0]}
    assert abroad.get("/api/archive", kept).status_code == 200
    assert abroad.get("/", kept).status_code == 200
    assert abroad.post("/api/decisions", DECISION, kept).status_code == 200
    assert abroad.get("/api/archive", kept | {"host": "evil.example:8000"}).status_code == 421


def test_bound_to_every_address_it_is_reached_by_each_of_them(screened: Path) -> None:
    door = Door.of(8000, ("Box",), TOKEN, addresses=True)
    client = Client(create_app(screened, door=door), "http://192.0.2.7:8000")
    url = f"/?token={TOKEN}"
    for host in ("192.0.2.7:8000", "[2001:db8::1]:8000", "box:8000", "127.0.0.1:8000"):
        assert client.get(url, {"host": host}).status_code == 200
    for host in ("evil.example:8000", "192.0.2.7:8001", "192.0.2.7", "192.0.2.7.evil.example:8000"):
        assert client.get(url, {"host": host}).status_code == 421


def test_a_viewer_that_only_shows_takes_no_decision(screened: Path) -> None:
    client = Client(create_app(screened, mode="view"))
    for url in ("/api/decisions", "/api/undo"):
        assert client.post(url, DECISION).status_code == 403
    assert not decided(screened)
