import hashlib
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from benforge.errors import CredentialsError, FetchError, InputError
from benforge.tiles.entry import Entry
from benforge.tiles.fetch import fetch_selection
from benforge.tiles.patience import Patience
from benforge.tiles.selection import Selection
from tests.tiles.server import Handler, World, cut, fall_silent, repeated, status
from tests.tiles.test_fetch import assert_stops_at_once, begin

pytest.importorskip("obstore")

ONE = "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608"
ROOT = f"eodata/Sentinel-2/MSI/L1C/2017/06/13/{ONE}.SAFE"
PARTS = {
    "manifest.safe": b"<simulated/>",
    "GRANULE/L1C_T33UUP/IMG_DATA/T33UUP_B02.jp2": hashlib.shake_256(b"x").digest(150_000),
    "GRANULE/L1C_T33UUP/IMG_DATA/T33UUP_B03.jp2": b"",
}
QUICK = Patience(tries=3, first=0.01, most=0.05, longest=2, connect=5, silence=5)


@pytest.fixture
def store(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[World, str]:
    """A store of objects, and the profile that tells how to reach it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEST_ACCESS_KEY", "the-access-key")
    monkeypatch.setenv("TEST_SECRET_KEY", "the-secret-key")
    for name, data in PARTS.items():
        world.files[f"/{ROOT}/{name}"] = data
    answer = Handler.answer

    def listed(handler: Handler, path: str) -> None:
        if path == "/eodata" and "list-type" in handler.path:
            prefix = parse_qs(urlsplit(handler.path).query)["prefix"][0]
            keys = [p for p in world.files if p.startswith(f"/eodata/{prefix}")]
            rows = "".join(
                f"<Contents><Key>{p.removeprefix('/eodata/')}</Key>"
                f"<Size>{len(world.files[p])}</Size>"
                "<LastModified>2018-01-01T00:00:00.000Z</LastModified></Contents>"
                for p in keys
            )
            page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
            handler.give(200, page.encode(), Content_Type="application/xml")
        else:
            answer(handler, path)

    monkeypatch.setattr(Handler, "answer", listed)
    profile = tmp_path / "store.toml"
    profile.write_text(
        f'title = "stand-in"\nurl = "{world.url}"\n[s3]\nendpoint = "{world.url}"\n'
        'variables = "TEST"\nbuckets = ["eodata"]\n'
    )
    return world, str(profile)


def selection(world: World) -> Selection:
    item = world.put(ONE)
    item["assets"] = {"B02": {"href": f"s3://{ROOT}/GRANULE/L1C_T33UUP/IMG_DATA/T33UUP_B02.jp2"}}
    entry = Entry.parse(item)
    assert entry
    return Selection((entry,))


def there(out: Path) -> dict[str, bytes]:
    root = out / f"{ONE}.SAFE"
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_product_in_a_store_becomes_its_folder(store: tuple[World, str], tmp_path: Path) -> None:
    world, api = store
    band = f"/{ROOT}/GRANULE/L1C_T33UUP/IMG_DATA/T33UUP_B02.jp2"
    world.fail(band, lambda _: False, cut(50_000))
    fetch_selection(selection(world), tmp_path / "out", api=api, via="s3", patience=QUICK)
    assert there(tmp_path / "out") == PARTS
    written = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert b"the-secret-key" not in written


def test_keys_that_are_not_accepted(store: tuple[World, str], tmp_path: Path) -> None:
    world, api = store
    world.fail("/eodata", *[status(403)] * 9)
    with pytest.raises(CredentialsError, match="the store does not accept these keys") as caught:
        fetch_selection(selection(world), tmp_path / "out", api=api, via="s3", patience=QUICK)
    assert "secret-key" not in str(caught.value)


def test_no_keys(store: tuple[World, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, api = store
    monkeypatch.delenv("TEST_SECRET_KEY")
    with pytest.raises(CredentialsError, match=r"no keys .*. Set TEST_ACCESS_KEY and TEST_SECRET"):
        fetch_selection(selection(world), tmp_path / "out", api=api, via="s3", patience=QUICK)


def test_a_product_that_is_not_in_the_store(store: tuple[World, str], tmp_path: Path) -> None:
    world, api = store
    for name in PARTS:
        del world.files[f"/{ROOT}/{name}"]
    with pytest.raises(FetchError, match="it is not there"):
        fetch_selection(selection(world), tmp_path / "out", api=api, via="s3", patience=QUICK)


def test_keys_are_shown_to_the_buckets_of_their_store_alone(
    store: tuple[World, str], tmp_path: Path
) -> None:
    world, api = store
    item = world.put(ONE)
    item["assets"] = {"B02": {"href": f"s3://somebody-else/{ONE}.SAFE/B02.jp2"}}
    entry = Entry.parse(item)
    assert entry
    with pytest.raises(InputError, match=r"the profile knows no such bucket\. It knows eodata"):
        fetch_selection(Selection((entry,)), tmp_path, api=api, via="s3", patience=QUICK)


def both_ways(world: World, slash: str = "") -> Selection:
    """As the Copernicus Data Space lists it: a zip whose other place is the folder in the store."""
    item = world.put(ONE)
    item["assets"]["Product"]["alternate"] = {"s3": {"href": f"s3://{ROOT}{slash}"}}
    entry = Entry.parse(item)
    assert entry
    return Selection((entry,))


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_zip_whose_other_place_is_a_folder_of_the_store(
    store: tuple[World, str], tmp_path: Path, slash: str
) -> None:
    world, api = store
    chosen = both_ways(world, slash)
    found = fetch_selection(chosen, tmp_path / "out", api=api, via="s3", patience=QUICK)
    assert found.paths == (tmp_path / f"out/{ONE}.SAFE",)
    assert there(tmp_path / "out") == PARTS
    assert world.count(f"/files/{ONE}") == 0
    fetch_selection(chosen, tmp_path / "web", api=api, patience=QUICK)
    assert (tmp_path / f"web/{ONE}.zip").is_file()


def test_the_store_is_taken_where_it_was_asked_for(
    store: tuple[World, str], tmp_path: Path
) -> None:
    world, api = store
    chosen = both_ways(world)
    (entry,) = chosen.entries
    assets = {"Product": replace(entry.assets["Product"], others=())}
    alone = replace(chosen, entries=(replace(entry, assets=assets),))
    with pytest.raises(InputError, match=r"names no store of objects.*Leave out --via s3"):
        fetch_selection(alone, tmp_path / "out", api=api, via="s3", patience=QUICK)
    assert world.count(f"/files/{ONE}") == 0
    band = f"s3://{ROOT}/GRANULE/L1C_T33UUP/IMG_DATA/T33UUP_B02.jp2"
    more = replace(entry, assets={**assets, "B02": replace(entry.assets["Product"], href=band)})
    mixed = replace(chosen, entries=(more,))
    fetch_selection(mixed, tmp_path / "out", api=api, via="s3", patience=QUICK)
    assert there(tmp_path / "out") == PARTS


@pytest.mark.parametrize("when", ["listed", "read"])
def test_who_stops_a_fetch_does_not_wait_for_a_silent_store(
    store: tuple[World, str], tmp_path: Path, when: str
) -> None:
    world, profile = store

    def silent(_: Handler) -> bool:
        time.sleep(20)
        return True

    (path,) = [path for path in world.files if path.endswith("B02.jp2")]
    if when == "listed":
        world.fail("/eodata", *repeated(silent, 4))
    else:
        # Asked for its head first, which sends nothing.
        world.fail(path, *repeated(fall_silent(20), 6))
    selection(world).write(tmp_path / "chosen.json")
    process = begin(tmp_path, "--api", profile, "--via", "s3")
    until = "/eodata" if when == "listed" else path
    while world.count(until) < (1 if when == "listed" else 2):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    assert_stops_at_once(process)
