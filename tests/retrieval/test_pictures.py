"""Pictures show the query and each result with its labels, and refuse another archive."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from benforge.archive.archive import Archive
from benforge.errors import InputError, MissingError
from benforge.retrieval.index import SearchIndex
from benforge.retrieval.pictures import draw_found
from benforge.retrieval.search import Found, Query, search
from benforge.statistics.pictures import picture_of


@pytest.fixture
def asked(imported_sample: Archive) -> Query:
    return Query(patch=imported_sample.record(7).patch_id, k=5)


@pytest.fixture
def found(statistics: SearchIndex, asked: Query) -> Found:
    return search(statistics, asked)


def test_a_page(found: Found, asked: Query, imported_sample: Archive, tmp_path: Path) -> None:
    out = tmp_path / "found.html"
    draw_found(found, asked, imported_sample.root, out)
    text = out.read_text()
    pictures = re.findall(r"base64,([^\"]+)", text)
    assert len(pictures) == 6
    names = [asked.patch, *(one.patch for one in found.results)]
    for data, name in zip(pictures, names, strict=True):
        shown = np.asarray(Image.open(BytesIO(b64decode(data))))
        assert (shown == picture_of(imported_sample[imported_sample.find(name)])).all()
    for one in found.results:
        assert f"<b>{one.rank} · {one.distance:.4f}</b> <small>{one.tile} · {one.date}" in text
        assert f'title="{one.patch}"' in text
        assert all(f"<li class=shared>{label}</li>" in text for label in one.shared)
    assert "simulated" not in text
    assert "http" not in text.replace("http-equiv", "")
    told = msgspec.structs.replace(found, index={**found.index, "simulated": True})
    draw_found(told, asked, imported_sample.root, out)
    assert "· simulated" in out.read_text()


def test_a_sheet_and_an_image(
    statistics: SearchIndex, imported_sample: Archive, v1_sample: Path, tmp_path: Path
) -> None:
    query = Query(image=v1_sample / imported_sample.record(7).v1_name, k=5)
    out = tmp_path / "found.png"
    draw_found(search(statistics, query), query, imported_sample.root, out)
    with Image.open(out) as sheet:
        assert sheet.format == "PNG"
        assert min(sheet.size) > 600


def test_another_archive(
    found: Found, asked: Query, imported_sample: Archive, tmp_path: Path
) -> None:
    out = tmp_path / "found.html"
    lost = msgspec.structs.replace(found.results[0], patch="X")
    with pytest.raises(InputError, match=r"the index is of another archive: .* no patch X"):
        draw_found(msgspec.structs.replace(found, results=[lost]), asked, imported_sample.root, out)
    with pytest.raises(MissingError):
        draw_found(found, asked, tmp_path / "none", out)
    assert not out.exists()
