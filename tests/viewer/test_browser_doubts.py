"""Label doubts and patches that are alike, in a real browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benforge.archive.archive import Archive
from benforge.retrieval.embed import embed_archive
from tests.viewer.test_browser import CHROMIUM, Server, Visit, browser, visit  # noqa: F401
from tests.viewer.test_doubts import write_doubts

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; on Debian: apt-get install chromium"
)


@pytest.fixture(scope="module")
def server(imported_sample: Archive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The 66 real patches, with doubts that were made up and an index of band statistics."""
    folder = tmp_path_factory.mktemp("doubted")
    root = Path(shutil.copytree(imported_sample.root, folder / "archive"))
    doubts = write_doubts(root, folder / "doubt.parquet")
    embed_archive(root, folder / "index")
    started = Server(root, more=("--doubt", str(doubts), "--index", str(folder / "index"))).start()
    yield started
    started.end()


def test_doubts_are_decided_one_after_the_other_and_undone(visit: Visit, server: Server):  # noqa: F811
    ada = visit("Ada")
    page = ada.open(server)
    assert page.input_value("#order") == "label-doubt"
    row = server.ask("api/patches?limit=1")["rows"][0]
    assert ada.focused() == row["i"]
    for n, doubt in enumerate(row["doubts"]):
        name = json.dumps(doubt["label"])
        ada.until(f"document.querySelector('#patch li.hand')?.dataset.label === {name}")
        text = page.text_content("#patch .doubted li.hand")
        assert f"Score {doubt['score']:.2f}" in text
        assert f"have {doubt['threshold']:.2f}" in text
        ada.press("w" if n % 2 else "r")
    ada.until("document.getElementById('saved').textContent === 'Saved'")
    assert ada.focused() == server.ask("api/patches?limit=2")["rows"][1]["i"]
    events = server.events()
    for n, (event, doubt) in enumerate(zip(events, row["doubts"], strict=True)):
        given = doubt["direction"] == "doubted"
        assert (event["label"], event["present"]) == (doubt["label"], given != bool(n % 2))
    open_now = server.ask("api/patches?doubt=open")["total"]
    page.select_option("select[name=doubt]", "open")
    ada.until(f"document.getElementById('range').textContent.endsWith('of {open_now}')")
    ada.press("u")
    ada.until("document.getElementById('saved').textContent.startsWith('Undone')")
    assert server.ask("api/patches?doubt=open")["total"] == open_now + 1
    for _ in row["doubts"][1:]:
        ada.press("u")
    ada.until("document.getElementById('saved').textContent.startsWith('Undone')")


def test_a_button_decides_a_doubt_that_is_not_first(visit: Visit, server: Server):  # noqa: F811
    ada = visit("Buttons")
    page = ada.open(server)
    rows = server.ask("api/patches?limit=40")["rows"]
    row = next(row for row in rows if len(row["doubts"]) > 1)
    label = row["doubts"][1]["label"]
    page.click(f".cell[data-i='{row['i']}']")
    begun = len(server.events())
    page.click(f"#patch .doubted li[data-label={json.dumps(label)}] button >> nth=0")
    ada.until("document.getElementById('saved').textContent === 'Saved'")
    (event,) = server.events()[begun:]
    assert event["label"] == label
    assert event["present"] == (row["doubts"][1]["direction"] != "doubted")
    told = f"document.querySelector('#patch li[data-label={json.dumps(label)}]')?.textContent"
    ada.until(f"{told}.includes('wrong: it is')")
    ada.press("u")
    ada.until("document.getElementById('saved').textContent.startsWith('Undone')")


def test_patches_alike_are_shown_gone_to_and_left(visit: Visit, server: Server):  # noqa: F811
    ada = visit("Searching")
    page = ada.open(server, "#order=name")
    first = ada.focused()
    begun = len(server.events())
    found = server.ask(f"api/similar/{first}?k=12")["rows"]
    ada.press("l")
    page.wait_for_selector("#similar[open] .alike img")
    shown = page.eval_on_selector_all(".alike button", "all => all.map(b => Number(b.dataset.i))")
    assert shown == [one["i"] for one in found]
    assert f"{found[0]['distance']:.4f}" in page.text_content(".alike button >> nth=0")
    ada.press("w", "x")
    ada.press("Escape")
    ada.until("!document.getElementById('similar').open")
    assert ada.focused() == first
    assert len(server.events()) == begun
    ada.press("l")
    page.wait_for_selector("#similar[open] .alike button:focus")
    ada.press("ArrowRight", "Enter")
    ada.until("!document.getElementById('similar').open")
    picture = "document.querySelector('#patch .picture img')?.getAttribute('src')"
    ada.until(f"{picture}.startsWith('/patch/{found[1]['i']}.png')")


def test_without_an_index_the_key_says_what_to_do(visit: Visit, imported_sample: Archive):  # noqa: F811
    server = Server(imported_sample.root, "view").start()
    try:
        ada = visit(None)
        page = ada.open(server)
        ada.press("l")
        assert "ben inspect ARCHIVE --index INDEX" in page.text_content("#similar[open]")
        ada.press("Escape")
        ada.press("?")
        assert "doubted label" not in page.text_content("#help")
    finally:
        server.end()


@pytest.mark.parametrize("size", [(1400, 900), (1024, 700), (390, 844)])
def test_nothing_reaches_over_the_edge(visit: Visit, server: Server, size: tuple[int, int]):  # noqa: F811
    phone = size[0] < 700
    options = {"has_touch": True, "is_mobile": True} if phone else {}
    ada = visit("Edges", *size, **options)
    page = ada.open(server)
    if phone:
        page.click(".foot [data-tab=patch]")
    page.wait_for_selector("#patch .doubted")
    for part in ("patch", "similar"):
        if part == "similar":
            ada.press("l")
            page.wait_for_selector("#similar[open] .alike img")
        beyond = page.evaluate(
            """() => [...document.querySelectorAll("#patch *, #actions *, dialog[open] *")]
              .filter((e) => {
              const box = e.getBoundingClientRect();
              return box.width && getComputedStyle(e).visibility !== "hidden"
                && (box.right > innerWidth + 1 || box.left < -1);
            }).map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert beyond == []
