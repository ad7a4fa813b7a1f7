import json
import time
from pathlib import Path

import pytest
import shapely

from benforge.cli.main import run
from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import CatalogueError, InputError
from benforge.tiles.named import wish_for
from benforge.tiles.profile import Profile, open_profile, profiles
from benforge.tiles.search import Patience, complete, search
from benforge.tiles.wish import Period, Wish
from tests.tiles.catalogues import cdse_item, decoys, real
from tests.tiles.server import USER, WORD, Handler, World, cut, hang_up, repeated, status
from tests.tiles.test_fetch import nobody_picks_up

PRODUCTS = load_bigearthnet().products
QUICK = Patience(tries=3, first=0.01, silence=5)


def profile(world: World) -> Profile:
    return Profile(title="stand-in", url=world.url)


@pytest.fixture
def listed(world: World) -> World:
    """The 125 products in the server's catalogue."""
    world.items = [cdse_item(name, cloud) for name, cloud in real()]
    return world


def test_every_page_is_read_and_every_item_once(listed: World) -> None:
    found = search(profile(listed), Wish(), patience=QUICK)
    assert sorted(entry.name for entry in found) == sorted(PRODUCTS)
    assert listed.count("/search") == 13


@pytest.mark.parametrize("slim", [True, False])
def test_assets_are_brought_for_the_chosen(world: World, slim: bool) -> None:
    world.slim = slim
    for name in PRODUCTS[:60]:
        world.put(name, size=10)
    found = search(profile(world), Wish(), patience=QUICK)
    assert all(not entry.assets for entry in found)
    full = complete(profile(world), found[:55], patience=QUICK)
    assert [entry.name for entry in full] == [entry.name for entry in found[:55]]
    assert all(entry.assets["Product"].size for entry in full)
    world.items = [item for item in world.items if item["id"] != full[-1].name]
    with pytest.raises(CatalogueError, match=r"does not list \S+ any more"):
        complete(profile(world), found[:55], patience=QUICK)


def test_the_server_leaves_out_what_is_not_wished_for(listed: World) -> None:
    wish = Wish(period=Period.parse("2017-06-01/2017-08-31"), tiles=("33UUP", "29SND"))
    found = search(profile(listed), wish, patience=QUICK)
    assert {entry.product.tile for entry in found} == {"33UUP", "29SND"}
    area = Wish(area=shapely.box(13, 48, 14, 49))
    assert {e.product.tile[:2] for e in search(profile(listed), area, patience=QUICK)} == {"33"}


@pytest.mark.parametrize("failure", [status(429, Retry_After="1"), status(503), hang_up, cut(50)])
def test_a_page_that_fails_is_asked_for_again(listed: World, failure: object) -> None:
    listed.fail("/search", lambda _: False, failure, failure)  # type: ignore[arg-type]
    found = search(profile(listed), Wish(), patience=QUICK)
    assert len(found) == 125


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (status(503), "the catalogue answered 503"),
        (status(429), "the catalogue answered 429"),
        (status(400), "the catalogue answered 400"),
        (hang_up, "the search failed, "),
    ],
)
def test_a_server_that_goes_on_failing_is_told_of(
    listed: World, failure: object, told: str
) -> None:
    listed.fail("/search", *repeated(failure, 30))  # type: ignore[arg-type]
    with pytest.raises(CatalogueError, match=told):
        search(profile(listed), Wish(), patience=QUICK)


def test_a_catalogue_that_is_not_whole_is_refused(listed: World) -> None:
    def short(handler: object) -> bool:
        page = {"type": "FeatureCollection", "features": listed.items[:3], "numberMatched": 125}
        handler.give_json(page)  # type: ignore[attr-defined]
        return True

    listed.fail("/search", short)
    with pytest.raises(CatalogueError, match="announced 125 items and gave 3"):
        search(profile(listed), Wish(), patience=QUICK)


def test_pages_without_end_are_seen(listed: World) -> None:
    def again(handler: object) -> bool:
        link = {"rel": "next", "method": "POST", "href": f"{listed.url}/search", "body": {}}
        page = {"type": "FeatureCollection", "features": listed.items[:3], "links": [link]}
        handler.give_json(page)  # type: ignore[attr-defined]
        return True

    listed.fail("/search", *repeated(again, 9))
    with pytest.raises(CatalogueError, match="the same page again and again"):
        search(profile(listed), Wish(), patience=QUICK)


def test_what_is_no_catalogue_is_told_of(world: World) -> None:
    world.fail("/", lambda handler: handler.give(200, b"<html>") is None)
    with pytest.raises(CatalogueError, match="cannot be understood"):
        search(profile(world), Wish(), patience=QUICK)


def test_nobody_there() -> None:
    nobody = Profile(title="nobody", url="http://127.0.0.1:9")
    with pytest.raises(CatalogueError, match="it cannot be reached"):
        search(nobody, Wish(), patience=Patience(tries=1, first=0.01, silence=1))


def test_a_server_that_does_not_pick_up_is_given_up_soon() -> None:
    patience, start = Patience(tries=1, first=0.01, connect=0.3), time.monotonic()
    with nobody_picks_up() as port:
        where = Profile(title="nobody", url=f"http://127.0.0.1:{port}")
        with pytest.raises(CatalogueError, match=r"cannot be reached|did not answer in time"):
            search(where, Wish(), patience=patience)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("path", ["/", "/search"])
def test_a_server_that_says_nothing_is_given_up(listed: World, path: str) -> None:
    def silent(_: Handler) -> bool:
        time.sleep(30)
        return True

    listed.fail(path, *repeated(silent, 3))
    start = time.monotonic()
    with pytest.raises(CatalogueError, match=r"cannot be reached|did not answer in time"):
        search(profile(listed), Wish(), patience=Patience(tries=1, first=0.01, silence=0.5))
    assert time.monotonic() - start < 20


def test_a_named_selection_is_asked_for_product_by_product(listed: World) -> None:
    listed.items += [cdse_item(name, 0.0) for name, _ in decoys()[::5]]
    listed.page = 100
    found = search(profile(listed), wish_for("bigearthnet-2019", Wish()), patience=QUICK)
    assert {entry.name for entry in found} > set(PRODUCTS)
    assert len(found) < 125 * 5


def test_a_netrc_is_not_shown_to_catalogues(
    listed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"default login {USER} password {WORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    shown: list[str | None] = []
    listed.fail("/search", lambda h: shown.append(h.headers.get("Authorization")) or False)
    search(profile(listed), Wish(tiles=("33UUP",)), patience=QUICK)
    assert shown == [None]


def test_the_profiles_that_ship() -> None:
    assert set(profiles()) == {"cdse", "earth-search", "planetary-computer"}
    assert open_profile("cdse").collection("L1C") == "sentinel-2-l1c"
    with pytest.raises(InputError, match=r"it has no L1C products. It has L2A"):
        open_profile("planetary-computer").collection("L1C")
    with pytest.raises(InputError, match=r"no catalogue is called so. Name cdse, earth-search"):
        open_profile("scihub")


def test_clouds_and_all_are_told_of_an_api_too(
    listed: World, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["tiles", "--api", listed.url, "--tiles", "33UUP"]
    assert run([*base, "--cloud", "0.1"]) == 1
    assert "'cloud cover at most 0.1 %'" in capsys.readouterr().err
    assert run([*base, "--period", "2030-01-01"]) == 1
    told = capsys.readouterr().err
    assert "no product is left after the condition 'period 2030-01-01'" in told
    assert "the catalogue lists others of the same place and level, as of 2017-" in told
    base[-1] = "31UDQ"
    assert run([*base, "--period", "2017-06-01/2018-05-31"]) == 1
    assert "the catalogue lists no product of level L1C, tiles 31UDQ." in capsys.readouterr().err


def test_from_an_api_through_the_command_line(
    listed: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, picture = tmp_path / "chosen.json", tmp_path / "map.png"
    words = ["tiles", "--api", listed.url, "--countries", "Austria", "--cloud", "1"]
    words += ["--period", "2017-06-01/2018-05-31", "--out", str(out)]
    assert run([*words, "--map", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "Left after each condition" in shown
    assert "Could not be had" in shown
    chosen = json.loads(out.read_text())
    assert chosen["benforge"]["catalogue"] == listed.url
    countries = {f["properties"]["benforge:country"] for f in chosen["features"]}
    assert countries == {"Austria"}
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == chosen
