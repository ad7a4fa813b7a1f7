"""The demo at toy size, and what its page must be."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.demo.demo import run_demo
from benforge.demo.maps import grid_lines, outlines

SIZE = 360


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    pages = run_demo(folder, size=SIZE, epochs=(1, 1))
    assert pages.report == folder / "report.html"
    assert [page.name for page in pages.learned] == [
        "learned-sample.html",
        "learned-simulated.html",
    ]
    return folder


@pytest.fixture(scope="module")
def page(out):
    return (out / "report.html").read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Every tag with its attributes, and whether they are closed in order."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_both_archives_are_whole(out):
    assert check_archive(out / "sample-archive") == []
    assert check_archive(out / "simulated-archive") == []
    assert len(Archive.open(out / "sample-archive")) == 66
    simulated = Archive.open(out / "simulated-archive")
    assert len(simulated) == 2 * (SIZE // 120) ** 2
    assert simulated.meta.simulated
    assert not Archive.open(out / "sample-archive").meta.simulated


def test_the_page_stands_alone(page):
    """No script, nothing fetched: every address is data inside the page."""
    tags = Tags(page)
    assert tags.open == []
    for tag, attributes in tags.found:
        assert tag != "script"
        for name in ("src", "href", "srcset", "data", "action"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not re.search(r"url\(|@import|https?://", page)
    assert len(page) < 10_000_000


def test_every_picture_is_told_in_words(page):
    pictures = [attributes for tag, attributes in Tags(page).found if tag == "img"]
    assert len(pictures) > 30
    assert all(picture["src"].startswith("data:image/") for picture in pictures)
    assert all(picture["alt"] for picture in pictures)


def test_every_simulated_picture_says_so(page):
    after = page[page.index("An archive built from products") :]
    assert after.count('<span class="simulated">Simulated</span>') == after.count("<img ")
    assert after.count('alt="Simulated') == after.count("<img ")


def test_the_page_shows_real_names_labels_and_figures(page):
    assert "S2A_MSIL2A_20170613T101031_26_57" in page
    assert "22 of the 43 classes occur" in page
    assert "Serbia" in page
    assert page.count('class="verdict"') == 2
    assert "an earlier run" not in page


def test_a_second_run_keeps_what_is_there(out):
    index = out / "simulated-archive" / "patches.parquet"
    before = index.read_bytes()
    page = run_demo(out, size=SIZE, epochs=(1, 1)).report.read_text(encoding="utf-8")
    assert index.read_bytes() == before
    assert page.count("an earlier run") == 3


def test_lines_and_outlines_are_paths():
    assert grid_lines(3, 2) == "M1 0V2M2 0V2M0 1H3"
    assert outlines([(2, 1)]) == "M2 1h1v1h-1z"
