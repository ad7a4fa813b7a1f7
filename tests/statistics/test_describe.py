from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from benforge.archive.archive import Archive
from benforge.archive.sidecars import write_flags
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.core.nomenclature import load_nomenclature
from benforge.errors import ArchiveError, MissingError
from benforge.published.lists import PublishedLists
from benforge.statistics import describe
from benforge.statistics.describe import make_sheets, write_statistics
from benforge.statistics.described import (
    Described,
    describe_archive_rows,
    describe_published,
    open_described,
)
from benforge.statistics.figures import FIGURES
from benforge.statistics.formats import FORMATS
from benforge.statistics.sheet import Sheet
from benforge.statistics.tables import TABLES
from benforge.testing.archives import make_scene, write_archive

SOME = {name: FIGURES[name] for name in ("fig-1-patches", "fig-2-dates", "map", "bands")}


@pytest.fixture(scope="session")
def written(sample: Described, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("statistics")
    write_statistics(sample, out, page=True)
    return out


@pytest.fixture(scope="session")
def written_simulated(simulated: Archive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated-statistics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(describe, "FIGURES", SOME)
        assert write_statistics(describe_archive_rows(simulated), out, page=True).simulated
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_table_and_figure_of_real_patches_is_there(written: Path):
    missing = {"classes-published", "classes-level-3"}  # level 3 is the archive's own
    tables = {f"tables/{n}.{e}" for n in TABLES.keys() - missing for e in FORMATS}
    figures = {f"figures/{n}.{e}" for n in FIGURES.keys() - missing for e in ("png", "svg")}
    assert files(written).keys() == tables | figures | {"statistics.html"}


def test_pictures_are_whole(written: Path):
    for path in (written / "figures").glob("*.png"):
        with Image.open(path) as picture:
            picture.load()
            assert picture.info["dpi"][0] == pytest.approx(200, abs=0.1)
            assert np.asarray(picture.convert("L")).std() > 5, "an empty picture"
    for path in (written / "figures").glob("*.svg"):
        ElementTree.fromstring(path.read_bytes())


def test_a_rerun_gives_equal_bytes_and_leaves_other_files_alone(
    written_simulated: Path, simulated: Archive, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(describe, "FIGURES", SOME)
    first = files(written_simulated)
    (written_simulated / "tables" / "mine.txt").write_text("mine")
    (written_simulated / "tables" / "facts.csv").write_text("damaged")
    write_statistics(describe_archive_rows(simulated), written_simulated, page=True)
    assert files(written_simulated) == first | {"tables/mine.txt": b"mine"}


def test_simulated_is_said_everywhere(written_simulated: Path, simulated: Archive):
    sheets = make_sheets(describe_archive_rows(simulated)).values()
    assert all("simulated" in sheet.title for sheet in sheets)
    page = (written_simulated / "statistics.html").read_text()
    labels = re.findall(r'<svg [^>]*aria-label="([^"]*)"', page)
    assert len(labels) == len(SOME)
    assert all(label.endswith("simulated") for label in labels)
    for path in (written_simulated / "tables").glob("*.md"):
        assert "simulated" in path.read_text().splitlines()[0]
    for path in (written_simulated / "tables").glob("*.csv"):
        head, *rows = path.read_text().splitlines()
        assert head.endswith(",simulated_archive")
        assert all(row.endswith(",true") for row in rows)


def test_real_patches_are_never_called_simulated(written: Path):
    assert not any(b"imulated" in path.read_bytes() for path in (written / "tables").iterdir())


def test_facts_of_the_sample(sample: Described):
    rows = make_sheets(sample)["facts"].table.to_pylist()
    facts = {row["fact"]: row["here"] for row in rows}
    assert facts["patches"] == "66"
    assert facts["classes that occur"] == "22 of 43"


@pytest.fixture(scope="session")
def published_sheets(published: Described) -> dict[str, Sheet]:
    return make_sheets(published)


def test_facts_of_the_published_lists(published_sheets: dict[str, Sheet]):
    table = published_sheets["facts"].table.to_pylist()
    facts = {row["fact"]: row for row in table}
    for name in ("patches", "products", "tiles", "footprints", "seasonal snow", "cloud or shadow"):
        assert facts[name]["here"] == facts[name]["BigEarthNet_v1"], name
    assert facts["labelled patches"]["here"] == "549,488"


def test_the_lists_alone_show_table_2_as_published(published_sheets: dict[str, Sheet]):
    sheets = published_sheets
    assert "as published" in sheets["classes-published"].title
    assert "not measured" in sheets["classes-published"].note
    assert {"bands", "examples", "classes-level-1"}.isdisjoint(sheets)
    assert "v2" in sheets["table-2-classes"].note


def test_flags_are_told(tmp_path: Path):
    archive = Archive.open(write_archive(tmp_path / "a", make_scene()))
    ids, count = archive.index["patch_id"], len(archive)
    for name, marked in (("published", [True, False]), ("own", [True, True])):
        marks = {
            SEASONAL_SNOW: np.arange(count) < sum(marked),
            CLOUD_OR_SHADOW: np.zeros(count, np.bool_),
        }
        write_flags(archive.root, Flags.of(name, "a test", ids, marks))
    flagged = describe_archive_rows(archive).flagged
    assert flagged == {SEASONAL_SNOW: 2, CLOUD_OR_SHADOW: 0}


def test_an_archive_without_patches_is_refused(simulated: Archive):
    nothing = simulated.filter(np.zeros(len(simulated), np.bool_))
    with pytest.raises(ArchiveError, match="no patch"):
        describe_archive_rows(nothing)


def test_a_label_of_no_class_is_told_with_the_archive(simulated: Archive):
    described = describe_archive_rows(simulated)
    other = replace(described, nomenclature=load_nomenclature("clc-level-1"))
    with pytest.raises(ArchiveError, match=f"^{simulated.root}: the label .* is no class of"):
        make_sheets(other)


def test_lists_that_are_not_there_are_named(tmp_path: Path):
    with pytest.raises(MissingError, match=f"{tmp_path}: .*tile_names_and_links.csv"):
        open_described(None, tmp_path)
    with pytest.raises(MissingError):
        describe_published(PublishedLists({}))


def test_the_page_asks_for_nothing_and_shows_all(written: Path):
    page = (written / "statistics.html").read_text()
    assert "<script" not in page
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("data:", "#")) for link in links)
    urls = set(re.findall(r"https?://[^\"'<> ]+", page))
    assert all("w3.org" in url or "matplotlib" in url for url in urls), "names, never fetched"
    assert page.count("<svg ") == len(list((written / "figures").glob("*.svg")))
    assert "prefers-color-scheme: dark" in page


def test_figures_of_the_page_share_no_id(written: Path):
    page = (written / "statistics.html").read_text()
    bodies = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    ids = [set(re.findall(r'\bid="([^"]+)"', body)) for body in bodies]
    assert sum(map(len, ids)) == len(set().union(*ids))
    for body, own in zip(bodies, ids, strict=True):
        used = re.findall(r'(?:href="#|url\(#)([^")]+)', body)
        assert set(used) <= own


def test_a_picture_has_what_its_svg_has(written: Path):
    for path in (written / "figures").glob("*.png"):
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            width, height = picture.size
        root = ElementTree.fromstring(path.with_suffix(".svg").read_bytes())
        box = [float(number) for number in root.attrib["viewBox"].split()]
        assert box[2] / box[3] == pytest.approx(width / height, rel=0.01)
