import json
from collections import Counter
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from benforge.cli.main import run
from benforge.core.bigearthnet import load_bigearthnet
from benforge.tiles.selection import Selection
from tests.tiles.catalogues import cdse_item, decoys, real, write_catalogue

PAPER = ["--period", "2017-06-01/2018-05-31", "--cloud", "1", "--baseline", "02.05"]
PAPER += ["--baseline", "02.06"]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The 125 products among decoys."""
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.json"
    items = [cdse_item(name, cloud) for name, cloud in [*decoys(), *real()]]
    return str(write_catalogue(path, items))


def test_the_named_selection(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tiles", "--selection", "bigearthnet-2019", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["type"] == "FeatureCollection"
    assert {item["id"] for item in found["features"]} == set(load_bigearthnet().products)
    seasons = Counter(item["properties"]["benforge:season"] for item in found["features"])
    assert seasons == {"spring": 40, "autumn": 32, "summer": 31, "winter": 22}
    countries = {item["properties"]["benforge:country"] for item in found["features"]}
    assert countries <= set(load_bigearthnet().countries)


def test_items_are_what_stac_says() -> None:
    from pystac import Item

    from benforge.tiles.named import named_selection

    for entry in named_selection("bigearthnet-2019").entries[:5]:
        item = Item.from_dict(entry.as_stac())
        assert item.id == entry.name
        assert item.datetime == entry.time
        assert shapely.geometry.shape(item.geometry).is_valid


def test_the_paper_s_wish_on_a_saved_catalogue(
    catalogue: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = load_bigearthnet().countries
    countries = ["--countries", first, "--countries", ",".join(others)]
    out, picture = tmp_path / "chosen.json", tmp_path / "map.svg"
    words = ["tiles", "--catalogue", catalogue, *countries, *PAPER, "--out", str(out)]
    assert run([*words, "--map", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "spring 40, summer 31, autumn 32, winter 22" in shown
    assert "02.05 57, 02.06 68" in shown
    assert "Could not be had" in shown
    names = {entry.name for entry in Selection.read(out).entries}
    assert names == set(load_bigearthnet().products)
    assert picture.read_text().startswith("<?xml")


def test_a_file_of_polygons(
    catalogue: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    area = tmp_path / "area.gpkg"
    frame = gpd.GeoDataFrame(geometry=[shapely.box(4_700_000, 2_800_000, 4_710_000, 2_810_000)])
    frame.set_crs("EPSG:3035").to_file(area)
    assert run(["tiles", "--catalogue", catalogue, *PAPER, "--area", str(area), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    tiles = {item["properties"]["s2:mgrs_tile"] for item in found["features"]}
    assert tiles
    assert len(tiles) < 6


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--tiles", "31UDQ"], "no product is left after the condition 'tiles 31UDQ'"),
        (["--cloud", "101"], "cloud cover is 0 to 100 %"),
        (["--countries", "Atlantis"], "no country is called Atlantis"),
        (["--tiles", "33UUI"], "no tile is called so"),
        (["--period", "2018"], "not a period"),
        (["--baseline", "x"], "not a processing baseline"),
        (["--most", "0"], "at most 0 is none"),
        (["--area", "nowhere.gpkg"], "no such file of polygons"),
        (["--map", "map.pdf"], "a map is a .png or an .svg"),
        ([], "processing baselines would be mixed"),
    ],
)
def test_bad_input_is_one_line(
    catalogue: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    base = ["tiles", "--catalogue", catalogue]
    paper = PAPER if words and words[0] in {"--cloud", "--most", "--map"} else []
    assert run([*base, *paper, *words]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1
    assert told in shown[0]
    assert list(tmp_path.iterdir()) == []


def test_an_area_without_polygons(
    catalogue: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    area = tmp_path / "area.geojson"
    gpd.GeoDataFrame(geometry=[shapely.Point(13, 48)], crs="EPSG:4326").to_file(area)
    assert run(["tiles", "--catalogue", catalogue, "--area", str(area)]) == 1
    assert "it holds no polygon" in capsys.readouterr().err
    area.write_text("no map")
    assert run(["tiles", "--catalogue", catalogue, "--area", str(area)]) == 1
    assert "polygons cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--catalogue", "a", "--api", "cdse"],
        ["--selection", "bigearthnet-2019", "--cloud", "1"],
        ["--selection", "bigearthnet-2019", "--level", "L2A"],
    ],
)
def test_wrong_usage(words: list[str]) -> None:
    assert run(["tiles", *words]) == 2


def test_no_selection_of_that_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tiles", "--selection", "bigearthnet-2030"]) == 1
    assert "Try bigearthnet-2019" in capsys.readouterr().err


def test_countries_in_any_case_and_the_nearest_names(
    catalogue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["tiles", "--catalogue", catalogue, *PAPER, "--json", "--countries"]
    assert run([*words, "Serbia"]) == 0
    right = json.loads(capsys.readouterr().out)
    assert run([*words, "serbia"]) == 0
    assert json.loads(capsys.readouterr().out) == right
    assert run([*words, "Serbie"]) == 1
    assert "no country is called Serbie. Did you mean Serbia" in capsys.readouterr().err


def test_polygons_without_a_crs_are_refused(
    catalogue: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    area = tmp_path / "area.shp"
    gpd.GeoDataFrame(geometry=[shapely.box(13, 48, 14, 49)], crs="EPSG:4326").to_file(area)
    area.with_suffix(".prj").unlink()
    assert run(["tiles", "--catalogue", catalogue, "--area", str(area)]) == 1
    assert "it does not tell its CRS. Give it one" in capsys.readouterr().err


def test_a_list_of_ids_that_begins_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(load_bigearthnet().products[:3]).encode())
    assert run(["tiles", "--catalogue", str(path), "--mix-baselines"]) == 0


def test_items_that_cannot_be_read_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [cdse_item(name, cloud) for name, cloud in list(real())[:3]]
    odd = {**items[0], "id": "odd", "properties": {}}
    path = write_catalogue(tmp_path / "c.json", [*items, odd, {**odd, "id": "odder"}])
    out = tmp_path / "chosen.json"
    words = ["tiles", "--catalogue", str(path), "--mix-baselines", "--out", str(out)]
    assert run(words) == 0
    assert "2 items that name no Sentinel-2 product" in capsys.readouterr().out
    assert Selection.read(out).unread == 2
