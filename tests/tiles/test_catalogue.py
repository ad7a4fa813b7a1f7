import json
from pathlib import Path

import pytest

from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import InputError, MissingError
from benforge.tiles.catalogue import read_catalogue
from benforge.tiles.named import named_selection
from benforge.tiles.selection import Selection
from tests.tiles.catalogues import cdse_item, write_catalogue

NAMES = load_bigearthnet().products


def test_three_forms_of_one_catalogue(tmp_path: Path) -> None:
    items = [cdse_item(name, 0.5) for name in NAMES]
    whole = write_catalogue(tmp_path / "a.json", [*items, {"id": "a landsat", "type": "Feature"}])
    lines = tmp_path / "a.ndjson"
    lines.write_text("\n".join(map(json.dumps, items)) + "\n")
    names = tmp_path / "a.txt"
    names.write_text("\n\n".join(f"{name}.SAFE" for name in NAMES))
    assert read_catalogue(whole) == read_catalogue(lines)
    assert [e.name for e in read_catalogue(names)] == list(NAMES)
    assert read_catalogue(names)[0].cloud is None


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.json", b"<html>", "not JSON"),
        ("a.json", b"[1, 2]", "lists no Sentinel-2 product"),
        ("a.json", b"3", "not a list of STAC items"),
        ("a.json", b'{"features": 3}', "not a list of STAC items"),
        ("a.json", b'{"features": []}', "lists no Sentinel-2 product"),
        ("a.json", b"\xff\xfe\x00", "not JSON"),
        ("a.json", b"", "not JSON"),
        ("a.ndjson", b"{}\n{", "not JSON"),
        ("a.txt", b"S2A_nothing\n", "not a list of product ids"),
        ("a.txt", b"", "it lists no product"),
        ("a.txt", b"\xff", "not a list of product ids"),
    ],
)
def test_other_files_are_told_of(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=told):
        read_catalogue(tmp_path / name)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such catalogue"):
        read_catalogue(tmp_path / "a.json")
    with pytest.raises(InputError, match="a folder"):
        read_catalogue(tmp_path)


def test_a_selection_written_and_read_again_is_the_same(tmp_path: Path) -> None:
    chosen = named_selection("bigearthnet-2019")
    chosen.write(tmp_path / "new" / "s.json")
    assert Selection.read(tmp_path / "new" / "s.json") == chosen


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{}", "not a selection"),
        (b'{"features": []}', "a selection of no products"),
        (b'{"features": [{"id": "x"}]}', "names no Sentinel-2 product"),
        (b"[]", "not a JSON object"),
        (b"PK\x03\x04", "not a JSON object"),
    ],
)
def test_other_selections_are_told_of(tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "s.json").write_bytes(data)
    with pytest.raises(InputError, match=told):
        Selection.read(tmp_path / "s.json")


def test_the_selection_s_form_is_checked(tmp_path: Path) -> None:
    document = named_selection("bigearthnet-2019").as_stac() | {"benforge": {"steps": 3}}
    (tmp_path / "s.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="not a selection, Expected `array`"):
        Selection.read(tmp_path / "s.json")
