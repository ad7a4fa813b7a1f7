"""The page in a real browser: what a reviewer does, and what the page must never do."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from benforge.archive.archive import Archive
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW
from benforge.quality.screening import SCHEMA, SHARES, Screening
from benforge.quality.screening_files import write_screening
from benforge.viewer.pictures import draw

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
SNOWY = range(10)
PATIENCE = 15
"""Seconds."""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; on Debian: apt-get install chromium"
)


@dataclass
class Server:
    """`ben inspect` or `ben view` in a process of its own."""

    root: Path
    mode: str = "inspect"
    port: int = 0
    more: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None

    def start(self) -> Server:
        command = [sys.executable, "-u", "-m", "benforge.cli", self.mode, str(self.root)]
        command += ["--no-browser", "--port", str(self.port), *self.more]
        env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        assert self.process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", self.process.stdout.readline())
        assert found, "the server tells no address"
        self.port = int(found[1])
        return self

    def end(self) -> None:
        """As a crash would."""
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.address + path) as answer:
            return json.load(answer)

    def events(self) -> list[dict[str, Any]]:
        """The log of decisions, read without benforge."""
        log = self.root / "reviews" / "review.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@dataclass
class Visitor:
    """A browser of one person, watched."""

    context: BrowserContext
    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, server: Server, at: str = "") -> Page:
        self.page.goto("about:blank")
        self.page.goto(server.address + at)
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def until(self, expression: str) -> None:
        """Wait; by asking again, as Playwright's own way needs `eval`, which the page forbids."""
        end = time.monotonic() + PATIENCE
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"never came true: {expression}"
            self.page.wait_for_timeout(15)

    def focused(self) -> int:
        value = self.page.locator(".cell.focus").get_attribute("data-i")
        assert value is not None
        return int(value)

    def places(self) -> list[int]:
        return [
            int(i) for i in self.page.eval_on_selector_all(".cell", "c => c.map(x => x.dataset.i)")
        ]


def copy_screened(sample: Archive, root: Path) -> Path:
    """The real patches with a screening that was made up: snow on the first ten."""
    shutil.copytree(sample.root, root)
    count = len(sample)
    snow = np.isin(np.arange(count), SNOWY)
    sure = np.linspace(0.5, 1, count, dtype=np.float32)
    shares = {name: np.where(snow & (name == "snow"), 0.9, 0).astype(np.float32) for name in SHARES}
    columns = {
        "patch_id": sample.index["patch_id"].to_pylist(),
        **shares,
        SEASONAL_SNOW: snow,
        CLOUD_OR_SHADOW: np.zeros(count, np.bool_),
        f"{SEASONAL_SNOW}_confidence": sure,
        f"{CLOUD_OR_SHADOW}_confidence": np.ones(count, np.float32),
        "source": ["bands"] * count,
    }
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in SCHEMA]
    table = pa.Table.from_arrays(arrays, schema=SCHEMA).sort_by("patch_id")
    write_screening(root, Screening("screen", "made up for a test", table), replace=True)
    return root


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(imported_sample: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = copy_screened(imported_sample, tmp_path_factory.mktemp("inspected") / "real patches")
    started = Server(root).start()
    yield started
    started.end()


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """A new browser; when all is done, none has complained or asked another machine."""
    visitors: list[Visitor] = []

    def one(
        name: str | None = "Ada", width: int = 1200, height: int = 560, **options: Any
    ) -> Visitor:
        size: Any = {"width": width, "height": height}
        context = browser.new_context(viewport=size, **options)
        context.set_default_timeout(1000 * PATIENCE)
        context.add_init_script(WATCH)
        if name:
            kept = f"localStorage.setItem('benforge.reviewer', {json.dumps(name)})"
            context.add_init_script(f"if (location.protocol === 'http:') {kept};")
        visitor = Visitor(context, context.new_page())
        page = visitor.page
        page.on("console", lambda m: m.type in ("error", "warning") and visitor.said.append(m.text))
        page.on("pageerror", lambda error: visitor.said.append(str(error)))
        page.on("request", lambda request: visitor.asked.append(request.url))
        visitors.append(visitor)
        return visitor

    yield one
    for visitor in visitors:
        assert visitor.said == []
        assert {re.sub(r"(?<=\d):\d+/.*", "", url) for url in visitor.asked} == {"http://127.0.0.1"}
        visitor.context.close()


def test_every_cell_shows_its_own_patch(visit: Visit, server: Server, imported_sample: Archive):
    ada = visit()
    page = ada.open(server)
    for key, view, stretch in (
        ("3", "swir", "fixed"),
        ("1", "true", "fixed"),
        ("f", "true", "percentile"),
    ):
        ada.press(key)
        ada.until(f"document.getElementById('grid').dataset.drawn === '0 {view} {stretch}'")
        shown = page.eval_on_selector_all(".cell canvas", "all => all.map(c => c.toDataURL())")
        assert len(shown) >= 20
        for i, uri in zip(ada.places(), shown, strict=True):
            seen = np.asarray(Image.open(io.BytesIO(b64decode(uri.partition(",")[2]))), float)[
                ..., :3
            ]
            expected = draw(imported_sample, i, view, stretch).astype(float)
            assert np.abs(seen - expected).mean() < 8


def test_filters_ask_and_an_address_brings_them_back(visit: Visit, server: Server):
    ada = visit()
    page = ada.open(server)
    page.select_option("select[name=season]", "summer")
    total = server.ask("api/patches?season=summer")["total"]
    ada.until(f"document.getElementById('range').textContent.endsWith('of {total}')")
    page.reload()
    ada.until(f"document.getElementById('range').textContent.endsWith('of {total}')")
    first = server.ask("api/patches?season=summer&limit=500")["rows"][3]
    ada.press("/")
    page.keyboard.type(first["v1"])
    ada.until("document.querySelectorAll('.cell').length === 1")
    assert ada.places() == [first["i"]]
    ada.press("Escape")
    page.click(".reset")
    ada.until("document.getElementById('range').textContent.endsWith('of 66')")
    page.select_option("select[name=label]", index=3)
    ada.until("!document.getElementById('range').textContent.endsWith('of 66')")
    chosen = server.ask("api/archive")["classes"][
        int(page.evaluate("new URLSearchParams(location.hash.slice(1)).get('label')"))
    ]
    assert page.text_content("#range").endswith(f"of {chosen['patches']}")
    assert page.text_content(".wide .chips").startswith(chosen["name"])


def test_screens_follow_each_other_without_a_gap(visit: Visit, server: Server):
    ada = visit()
    ada.open(server, "#order=name")
    seen = ada.places()
    while not ada.page.is_disabled("#next"):
        before = ada.places()
        ada.press("n")
        ada.until(f"document.querySelector('.cell').dataset.i !== '{before[0]}'")
        seen += ada.places()
    assert seen == [row["i"] for row in server.ask("api/patches?order=name&limit=500")["rows"]]
    ada.press("p")
    ada.until(f"document.querySelector('.cell').dataset.i === '{before[0]}'")


def test_the_map_and_the_statistics_are_those_of_the_filter(visit: Visit, server: Server):
    ada = visit()
    page = ada.open(server)
    ada.press("m")
    page.wait_for_selector("#map[data-kind=patches]")
    ada.until("document.getElementById('map-note').textContent === '66 here'")
    page.select_option("select[name=season]", "winter")
    found = server.ask("api/statistics?season=winter")
    ada.until(f"document.getElementById('map-note').textContent === '{found['patches']} here'")
    page.click("[data-side=statistics]")
    ada.until(
        f"document.querySelector('#statistics .big')?.textContent.startsWith('{found['patches']} ')"
    )
    counts = page.eval_on_selector_all(
        "#statistics section:first-of-type .count",
        "all => all.map(c => parseInt(c.firstChild.textContent))",
    )
    assert counts == sorted(filter(None, found["classes"]), reverse=True)


def test_a_name_is_text_and_never_read_as_html(visit: Visit, server: Server):
    eve = visit(None)
    alerts: list[str] = []
    eve.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    name = "<img src=x onerror=alert(1)><b>Eve</b>"
    eve.page.goto(server.address)
    eve.page.fill("#ask-name", name)
    eve.press("Enter")
    eve.page.wait_for_selector("html[data-ready]")
    assert eve.page.text_content("#who") == name
    eve.press("End", "x")
    eve.until("document.getElementById('saved').textContent === 'Saved'")
    decided = server.events()[-1]
    assert (decided["reviewer"], decided["flags"]) == (name, [])
    eve.press("ArrowLeft")
    eve.until(f"document.querySelector('.events .who')?.textContent === {json.dumps(name)}")
    assert eve.page.locator("#who img, .events img, #who b").count() == 0
    eve.press("u")
    eve.until("document.getElementById('saved').textContent.startsWith('Undone')")
    assert alerts == []


def test_proposals_of_many_are_accepted_and_undone_at_once(visit: Visit, server: Server):
    ada = visit("Accepting")
    page = ada.open(server, "#order=name")
    begun = len(server.events())
    ada.press("ArrowRight", "ArrowRight", *["Shift+ArrowRight"] * 11)
    assert page.text_content("#target") == "12 patches"
    ada.press("a")
    ada.until("document.getElementById('saved').textContent === 'Saved'")
    rows = {row["i"]: row for row in server.ask("api/patches?order=name&limit=14")["rows"]}
    assert {tuple(event["flags"]) for event in server.events()[begun:]} == {(), (SEASONAL_SNOW,)}
    for i, row in rows.items():
        expected = None if i in list(rows)[:2] else row["proposed"]
        assert row["decided"] == expected
    page.reload()
    ada.until("document.documentElement.dataset.ready === 'yes'")
    ada.press("Control+z")
    ada.until("document.getElementById('saved').textContent === 'Undone: 12 patches'")
    assert all(
        row["decided"] is None for row in server.ask("api/patches?order=name&limit=14")["rows"]
    )


def test_two_browsers_at_once_lose_no_decision(visit: Visit, server: Server):
    ada, ben = visit("Ada L."), visit("Ben F.")
    for visitor in (ada, ben):
        visitor.open(server, "#order=date")
    begun = len(server.events())
    for n in range(12):
        ada.press("s" if n % 2 else "x")
        ben.press("s" if n % 4 else "x")
    for visitor in (ada, ben):
        visitor.until("document.getElementById('saved').textContent === 'Saved'")
    events = server.events()[begun:]
    for name in ("Ada L.", "Ben F."):
        decided = [i for event in events if event["reviewer"] == name for i in event["patches"]]
        assert len(decided) == len(set(decided)) == 12
    ada.open(server, "#order=date")
    ada.until("document.getElementById('kappa').textContent === 'κ 0.50'")
    assert ada.page.locator(".cell .disputed").count() == 3


def test_what_another_reviewer_decides_is_shown_without_a_reload(visit: Visit, server: Server):
    looking, deciding = visit("Iris"), visit("Jon")
    looking.page.clock.install()
    looking.open(server, "#order=cloud&offset=30")
    deciding.open(server, "#order=cloud&offset=30")
    patch = deciding.focused()
    deciding.press("c")
    deciding.until("document.getElementById('saved').textContent === 'Saved'")
    seen = f".cell[data-i='{patch}'] .verdict .cloud"
    assert looking.page.locator(seen).count() == 0
    looking.page.clock.fast_forward(25_000)
    looking.until(f'document.querySelector("{seen}") !== null')


def test_thirty_patches_flagged_by_keyboard_survive_a_killed_server(
    visit: Visit, imported_sample: Archive, tmp_path: Path
):
    server = Server(copy_screened(imported_sample, tmp_path / "archive")).start()
    try:
        ada = visit()
        page = ada.open(server, "#decided=none&order=doubt")
        asked = [row["i"] for row in server.ask("api/patches?order=doubt&limit=100")["rows"]]
        assert len(ada.places()) < 30
        for i in asked[:30]:
            ada.until(f"document.querySelector('.cell.focus')?.dataset.i === '{i}'")
            ada.press("s")
        ada.until("document.getElementById('decided').textContent === '30 of 66 decided'")
        ada.press("u")
        ada.until("document.getElementById('decided').textContent === '29 of 66 decided'")
        assert ada.focused() == asked[29]

        server.end()
        ada.press("c")
        page.wait_for_selector("#alarm:not([hidden])")
        assert "Not saved yet: 1 decision" in page.text_content("#alarm")
        leaving = "!dispatchEvent(new Event('beforeunload', {cancelable: true}))"
        assert page.evaluate(leaving)
        server.start()
        page.wait_for_selector("#alarm", state="hidden")
        ada.until("document.getElementById('saved').textContent === 'Saved'")
        assert not page.evaluate(leaving)
        assert [line for line in ada.said if "net::ERR_" not in line] == []
        ada.said.clear()

        ada.open(server, "#order=doubt")
        ada.until("document.getElementById('decided').textContent === '30 of 66 decided'")
        rows = server.ask("api/patches?order=doubt&limit=100")["rows"]
        flags = [SEASONAL_SNOW] * 29 + [CLOUD_OR_SHADOW]
        assert [row["decided"] for row in rows] == [[flag] for flag in flags] + [None] * 36
        assert len(server.events()) == 32
    finally:
        server.end()


def test_who_views_cannot_decide(visit: Visit, imported_sample: Archive):
    server = Server(imported_sample.root, "view").start()
    try:
        ada = visit()
        page = ada.open(server)
        ada.press("s", "a", "x", "u")
        ada.press("Enter")
        page.wait_for_selector("#large[open] img")
        assert not page.is_visible("#actions")
        assert not page.is_visible("#who")
        assert not (imported_sample.root / "reviews").exists()
    finally:
        server.end()


@pytest.mark.parametrize("size", [(1400, 900), (1024, 700), (390, 844)])
def test_nothing_reaches_over_the_edge(visit: Visit, server: Server, size: tuple[int, int]):
    phone = size[0] < 700
    options = {"has_touch": True, "is_mobile": True, "color_scheme": "light"} if phone else {}
    ada = visit("A name that is rather long for a button, sixty letters long", *size, **options)
    page = ada.open(server)
    for part in ("board", "filters", "patch", "map", "statistics"):
        selector = f".foot [data-tab={part}]" if phone else f"[data-side={part}]"
        if page.locator(selector).count():
            page.click(selector)
        page.wait_for_timeout(150)
        beyond = page.evaluate(
            """() => [...document.querySelectorAll("body *")].filter((e) => {
              const box = e.getBoundingClientRect();
              return box.width && getComputedStyle(e).visibility !== "hidden"
                && (box.right > innerWidth + 1 || box.left < -1)
                && !e.closest(".leaflet-container") && !e.closest(".visually-hidden");
            }).map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert beyond == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture = Image.open(io.BytesIO(page.screenshot()))
    assert picture.getextrema() != ((0, 0),) * 3


def test_help_names_every_key_and_buttons_have_names(visit: Visit, server: Server):
    ada = visit()
    page = ada.open(server)
    ada.press("?")
    assert page.is_visible("#help")
    keys = page.text_content("#help")
    for word in ("snow", "cloud or shadow", "undo", "map", "search by name"):
        assert word in keys
    ada.press("Escape")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, [role=option], select, input")]
          .filter((e) => e.checkVisibility())
          .filter((e) => !(e.ariaLabel || e.textContent.trim() || e.title || e.labels?.length))
          .filter((e) => !e.querySelector("img[alt]"))
          .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert nameless == []


@pytest.mark.parametrize("broken", ["nothing", "half"])
def test_a_save_whose_answer_breaks_off_is_sent_again(visit: Visit, server: Server, broken: str):
    ada = visit(f"Ada with {broken}")
    ada.open(server, "#order=name")
    begun, tries = len(server.events()), []

    def answer(route: Route) -> None:
        tries.append(route.request.post_data)
        if len(tries) > 1:
            route.continue_()
        elif broken == "half":
            route.fulfill(status=200, content_type="application/json", body='{"saved": "4')
        else:
            route.abort()

    ada.page.route("**/api/decisions", answer)
    ada.press("s")
    ada.page.wait_for_selector("#alarm:not([hidden])")
    ada.page.wait_for_selector("#alarm", state="hidden")
    ada.until("document.getElementById('saved').textContent === 'Saved'")
    assert len(tries) == 2
    assert [event["flags"] for event in server.events()[begun:]] == [[SEASONAL_SNOW]]
    ada.press("u")
    ada.until("document.getElementById('saved').textContent.startsWith('Undone')")
    ada.said = [line for line in ada.said if "net::ERR_FAILED" not in line]


def test_what_the_server_refuses_is_shown_and_taken_back(visit: Visit, server: Server):
    ada = visit("Refused")
    page = ada.open(server, "#order=name")

    def refuse(route: Route) -> None:
        route.fulfill(status=403, content_type="application/json", body='{"error": "no. Ask"}')

    page.route("**/api/decisions", refuse)
    before = page.locator(".cell").first.text_content()
    ada.press("b")
    page.wait_for_selector("#alarm:not([hidden])")
    assert page.text_content("#alarm") == "Not saved: no. Ask"
    assert page.locator(".cell").first.text_content() == before
    assert [line for line in ada.said if "403" not in line] == []
    ada.said.clear()


def test_a_page_that_began_with_a_bad_filter_works_once_it_is_cleared(visit: Visit, server: Server):
    eve = visit(None)
    page = eve.page
    page.goto(server.address + "#tile=zzz")
    page.fill("#ask-name", "Eve after all")
    eve.press("Enter")
    page.wait_for_selector("html[data-ready]")
    assert "no 'zzz'" in page.text_content("#alarm")
    assert page.text_content("#who") == "Eve after all"
    page.click(".reset")
    eve.until("document.querySelectorAll('.cell').length > 4")
    assert page.is_hidden("#alarm")
    begun = len(server.events())
    eve.press("s")
    eve.until("document.getElementById('saved').textContent === 'Saved'")
    assert [event["reviewer"] for event in server.events()[begun:]] == ["Eve after all"]
    eve.press("u")
    eve.until("document.getElementById('saved').textContent.startsWith('Undone')")
    assert all("400" in line for line in eve.said)
    eve.said.clear()


def test_a_decision_without_a_name_asks_for_it_and_is_kept(visit: Visit, server: Server):
    eve = visit(None)
    page = eve.page
    page.goto(server.address + "#order=name")
    page.wait_for_selector("#ask[open]")
    page.evaluate("document.getElementById('ask').close()")
    page.wait_for_selector("html[data-ready]")
    begun = len(server.events())
    first = eve.places()[0]
    eve.press("c")
    page.wait_for_selector("#ask[open]")
    page.fill("#ask-name", "Late")
    eve.press("Enter")
    eve.until("document.getElementById('saved').textContent === 'Saved'")
    (event,) = server.events()[begun:]
    assert (event["reviewer"], event["flags"]) == ("Late", [CLOUD_OR_SHADOW])
    rows = server.ask("api/patches?order=name&limit=1&reviewer=Late")["rows"]
    assert (rows[0]["i"], rows[0]["mine"]) == (first, [CLOUD_OR_SHADOW])
    assert page.locator(f".cell[data-i='{first}'] .verdict .cloud").count() == 1
    eve.press("u")
    eve.until("document.getElementById('saved').textContent.startsWith('Undone')")


def test_a_name_that_the_server_refuses_is_told_in_the_dialog(visit: Visit, server: Server):
    eve = visit("Eve\u202e")
    page = eve.page
    page.goto(server.address)
    page.wait_for_selector("#ask[open]")
    page.fill("#ask-name", "Ada\u202eevE")
    eve.press("Enter")
    eve.until("document.getElementById('ask-refused').textContent.includes('no name')")
    page.fill("#ask-name", "Eve")
    eve.press("Enter")
    page.wait_for_selector("html[data-ready]")
    assert page.text_content("#who") == "Eve"
    assert page.is_hidden("#alarm")
    assert all("400" in line for line in eve.said)
    eve.said.clear()


@pytest.mark.parametrize(("key", "dialog"), [("?", "#help"), ("Enter", "#large")])
def test_escape_closes_what_is_open(visit: Visit, server: Server, key: str, dialog: str):
    ada = visit()
    page = ada.open(server)
    ada.press(key)
    page.wait_for_selector(f"{dialog}[open]")
    ada.press("Escape")
    ada.until(f"!document.querySelector('{dialog}').open")
    assert page.is_hidden(dialog)


def test_who_gives_a_second_opinion_may_not_see_the_first(visit: Visit, server: Server):
    first, second = visit("First"), visit("Second")
    first.open(server, "#order=snow&offset=40")
    patch = first.focused()
    first.press("s")
    first.until("document.getElementById('saved').textContent === 'Saved'")
    page = second.open(server, "#order=snow&offset=40&decided=not-mine")
    page.check("[name=blind]")
    page.reload()
    second.until("document.documentElement.dataset.ready === 'yes'")
    second.open(server, "#order=snow&offset=40")
    assert page.is_checked("[name=blind]")
    assert page.locator(".verdict").count() == 0
    assert second.focused() == patch
    second.press("x")
    seen = f".cell[data-i='{patch}'] .verdict .disputed"
    second.until(f'document.querySelector("{seen}") !== null')
    for visitor in (second, first):
        visitor.press("u")
        visitor.until("document.getElementById('saved').textContent.startsWith('Undone')")


def test_what_is_not_screened_is_told_and_found(
    visit: Visit, imported_sample: Archive, tmp_path: Path
):
    server = Server(copy_screened(imported_sample, tmp_path / "archive"))
    screening = server.root / "screenings" / "screen.parquet"
    table = pq.read_table(screening)
    pq.write_table(table.slice(5), screening)
    server.start()
    try:
        ada = visit()
        ada.page.clock.install()
        page = ada.open(server)
        assert "5 patches are not screened: ben screen" in page.text_content(".hint")
        page.click(".hint button")
        ada.until("document.querySelectorAll('.cell').length === 5")
        assert page.is_hidden("#outdated")
        pq.write_table(table, screening)
        page.clock.fast_forward(25_000)
        page.wait_for_selector("#outdated:not([hidden])")
    finally:
        server.end()


def test_a_log_that_cannot_be_written_is_told_and_tried_seldom(visit: Visit, server: Server):
    ada = visit("Full disk")
    ada.open(server, "#order=name")
    tries: list[float] = []

    def refuse(route: Route) -> None:
        tries.append(time.monotonic())
        if len(tries) < 2:
            body = json.dumps({"error": "x.jsonl: cannot be written. See to the folder."})
            route.fulfill(status=500, content_type="application/json", body=body)
        else:
            route.continue_()

    ada.page.route("**/api/decisions", refuse)
    ada.press("s")
    ada.page.wait_for_selector("#alarm:not([hidden])")
    told = ada.page.text_content("#alarm")
    assert "cannot be written. See to the folder. Trying again in 5 seconds" in told
    ada.until("document.getElementById('saved').textContent === 'Saved'")
    assert tries[1] - tries[0] > 4
    ada.press("u")
    ada.until("document.getElementById('saved').textContent.startsWith('Undone')")
    assert all("500" in line for line in ada.said)
    ada.said.clear()


def test_the_alarm_cuts_no_row(visit: Visit, imported_sample: Archive, tmp_path: Path):
    server = Server(copy_screened(imported_sample, tmp_path / "archive")).start()
    try:
        ada = visit()
        page = ada.open(server)
        server.end()
        ada.press("s")
        page.wait_for_selector("#alarm:not([hidden])")
        page.set_viewport_size({"width": 1200, "height": 420})
        page.wait_for_timeout(600)
        ada.until(
            """(() => {
              const last = [...document.querySelectorAll(".cell")].at(-1);
              const edge = document.getElementById("grid").getBoundingClientRect().bottom;
              return last.getBoundingClientRect().bottom <= edge + 1;
            })()"""
        )
        assert all("net::ERR_" in line for line in ada.said)
        ada.said.clear()
    finally:
        server.end()


def test_a_phone_orders_and_tells_how_many_are_selected(visit: Visit, server: Server):
    ada = visit("Phone", 390, 844, has_touch=True, is_mobile=True)
    page = ada.open(server)
    page.click(".foot [data-tab=filters]")
    page.locator("#filters select[name=order]").select_option("name")
    ada.until("location.hash.includes('order=name')")
    page.click(".foot [data-tab=board]")
    page.click("#selecting")
    for n in range(3):
        page.locator(".cell").nth(n).click()
    assert page.is_visible("#target")
    assert page.text_content("#target") == "3 patches"


def test_a_time_is_the_readers_own_and_its_title_says_utc(visit: Visit, server: Server):
    ada = visit("In Tokyo", timezone_id="Asia/Tokyo")
    page = ada.open(server, "#order=name&offset=50")
    ada.press("s")
    ada.until("document.getElementById('saved').textContent === 'Saved'")
    ada.press("ArrowLeft")
    page.wait_for_selector(".events time")
    (event,) = [e for e in server.events() if e["reviewer"] == "In Tokyo"]
    time = datetime.fromisoformat(event["time"])
    told = page.locator(".events time")
    assert told.text_content() == f"{time + timedelta(hours=9):%Y-%m-%d %H:%M}"
    assert told.get_attribute("title") == f"{time:%Y-%m-%d %H:%M:%S} UTC"
    ada.press("u")
    ada.until("document.getElementById('saved').textContent.startsWith('Undone')")


def test_sureness_is_asked_for_from_below_and_from_above(visit: Visit, server: Server):
    ada = visit()
    page = ada.open(server)
    for name, value in (("min_confidence", "0.6"), ("max_confidence", "0.7")):
        page.locator(f"[name={name}]").fill(value)
    total = server.ask("api/patches?min_confidence=0.6&max_confidence=0.7")["total"]
    assert 0 < total < 30
    ada.until(f"document.querySelectorAll('.cell').length === {total}")
    assert page.text_content("output >> nth=0") == "≥ 60 %"
