import errno
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benforge.cli.main import run
from benforge.core.bigearthnet import load_bigearthnet
from benforge.errors import (
    BenError,
    ConflictError,
    CredentialsError,
    FetchError,
    InputError,
    MissingError,
    StorageError,
)
from benforge.tiles import fetch as fetch_module
from benforge.tiles.entry import Entry
from benforge.tiles.fetch import FetchSummary, fetch_selection
from benforge.tiles.named import named_selection
from benforge.tiles.patience import Patience
from benforge.tiles.profile import open_profile
from benforge.tiles.selection import Selection
from tests.tiles.server import (
    USER,
    WORD,
    Handler,
    World,
    cut,
    damaged,
    fall_silent,
    hang_up,
    product_zip,
    redirect,
    repeated,
    serving,
    status,
    trickle,
)

NAMES = load_bigearthnet().products[:6]
ONE = NAMES[0]
QUICK = Patience(tries=3, first=0.01, most=0.05, longest=5, connect=5, silence=5)
SHORT = Patience(tries=3, first=0.01, most=0.05, silence=0.4)


def selection(world: World, names: tuple[str, ...] = (ONE,), **how: bool) -> Selection:
    entries = [Entry.parse(world.put(name, **how)) for name in names]  # type: ignore[arg-type]
    return Selection(tuple(e for e in entries if e))


def profile(world: World, folder: Path, more: str = "") -> str:
    """A profile of the server that asks for a token."""
    path = folder / "profile.toml"
    path.write_text(
        f'title = "stand-in"\nurl = "{world.url}"\nparallel = 3\n{more}\n'
        f'[access]\nkind = "oidc"\ntoken_url = "{world.url}/token"\nclient_id = "public"\n'
        f'variables = "TEST"\nhosts = ["127.0.0.1"]\n'
    )
    return str(path)


def fetch(chosen: Selection, out: Path, api: str = "", **how: object) -> FetchSummary:
    return fetch_selection(chosen, out, api=api, patience=QUICK, **how)  # type: ignore[arg-type]


def whole(out: Path, names: tuple[str, ...] = (ONE,)) -> bool:
    """Whether the products are there to the last byte, and nothing that was begun is left."""
    left = [path.name for path in out.iterdir() if path.name.startswith(".")]
    manifest = json.loads((out / "fetch.json").read_text())["products"]
    same = all((out / f"{n}.zip").read_bytes() == product_zip(n) for n in names)
    return same and not left and set(manifest) == set(names)


def test_everything_arrives_once_and_whole(world: World, tmp_path: Path) -> None:
    chosen = selection(world, NAMES)
    found = fetch(chosen, tmp_path / "out")
    assert whole(tmp_path / "out", NAMES)
    assert (found.fetched, found.held) == (6, 0)
    assert [path.name for path in found.paths] == [f"{n}.zip" for n in NAMES]
    assert all(world.count(f"/files/{name}") == 1 for name in NAMES)
    noted = json.loads((tmp_path / "out/fetch.json").read_text())["products"][ONE]
    assert noted["verified"] is True
    assert noted["checksum"].startswith("md5:")


def test_what_is_there_is_not_fetched_again(world: World, tmp_path: Path) -> None:
    chosen = selection(world, NAMES)
    fetch(chosen, tmp_path)
    asked = len(world.asked)
    assert fetch(chosen, tmp_path).held == 6
    assert len(world.asked) == asked
    (tmp_path / f"{ONE}.zip").unlink()
    (tmp_path / "fetch.json").unlink()
    assert fetch(chosen, tmp_path).fetched == 6
    assert len(world.asked) == asked + 1
    assert whole(tmp_path, NAMES)


@pytest.mark.parametrize("checksum", [True, False])
def test_a_cut_download_goes_on_where_it_broke_off(
    world: World, tmp_path: Path, checksum: bool
) -> None:
    chosen = selection(world, checksum=checksum)
    world.fail(f"/files/{ONE}", cut(100_000), hang_up, cut(50_000), cut(1), cut(0))
    fetch(chosen, tmp_path)
    assert whole(tmp_path)
    assert world.sent[f"/files/{ONE}"] == len(product_zip(ONE))
    starts = [span for _, path, span in world.asked if path == f"/files/{ONE}"]
    assert starts[-1] == "bytes=150001-"


def test_a_killed_fetch_goes_on_in_the_next_run(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", cut(200_000), *repeated(status(503), 3))
    with pytest.raises(FetchError, match=r"the server fails \(503\), 3 times in a row"):
        fetch(chosen, tmp_path)
    assert not (tmp_path / f"{ONE}.zip").exists()
    assert fetch(chosen, tmp_path, dry_run=True).size == len(product_zip(ONE)) - 200_000
    fetch(chosen, tmp_path)
    assert whole(tmp_path)
    assert world.sent[f"/files/{ONE}"] == len(product_zip(ONE))


def test_a_file_that_changed_meanwhile_is_fetched_anew(world: World, tmp_path: Path) -> None:
    name = NAMES[1]
    chosen = selection(world, (name,), checksum=False)
    path = f"/files/{name}"
    right = world.files[path]
    world.files[path] = bytes(len(right))
    world.fail(path, cut(100_000), *repeated(status(500), 3))
    with pytest.raises(FetchError):
        fetch(chosen, tmp_path)
    world.files[path] = right
    fetch(chosen, tmp_path)
    assert whole(tmp_path, (name,))


def test_a_file_that_became_shorter_has_no_old_end(world: World, tmp_path: Path) -> None:
    item = world.put(ONE)
    del item["assets"]["Product"]["file:size"], item["assets"]["Product"]["file:checksum"]
    path, right = f"/files/{ONE}", product_zip(ONE)
    world.files[path] = bytes(400_000)
    world.fail(path, lambda _: False, cut(350_000), *repeated(status(500), 3))
    entry = Entry.parse(item)
    assert entry
    with pytest.raises(FetchError):
        fetch(Selection((entry,)), tmp_path)
    world.files[path] = right
    fetch(Selection((entry,)), tmp_path)
    assert whole(tmp_path)


def test_a_busy_server_is_left_alone_as_long_as_it_asks(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", status(429, Retry_After="1"), status(503))
    start = time.monotonic()
    fetch(chosen, tmp_path)
    assert 1 <= time.monotonic() - start < 30
    assert whole(tmp_path)


def test_a_server_that_asks_for_an_hour_is_told_of(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", status(429, Retry_After="3600"))
    with pytest.raises(FetchError, match=r"left alone for 3,600 s\. Run the same command") as told:
        fetch(chosen, tmp_path)
    assert ONE in told.value.where
    assert world.count(f"/files/{ONE}") == 1


def test_no_more_downloads_at_a_time_than_the_server_allows(world: World, tmp_path: Path) -> None:
    chosen = selection(world, NAMES)
    for name in NAMES:
        world.fail(f"/files/{name}", trickle(4, 0.05))
    api = profile(world, tmp_path)
    Path(api).write_text(Path(api).read_text().partition("[access]")[0])
    fetch(chosen, tmp_path / "out", api, parallel=9)
    assert world.most == 3
    assert whole(tmp_path / "out", NAMES)


def test_a_silent_server_is_asked_again(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", fall_silent(1.5, 70_000), fall_silent(1.5, 0))
    fetch_selection(chosen, tmp_path, patience=replace(SHORT, tries=9))
    assert whole(tmp_path)


def test_a_server_that_goes_on_being_silent_is_told_of(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", *repeated(fall_silent(0.8, 0), 3))
    with pytest.raises(FetchError, match="the server stopped sending, 3 times in a row"):
        fetch_selection(chosen, tmp_path, patience=SHORT)


def test_a_slow_server_is_waited_for(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", trickle(8, 0.1))
    fetch(chosen, tmp_path)
    assert world.count(f"/files/{ONE}") == 1
    assert whole(tmp_path)


def test_a_server_that_all_but_stands_still_is_asked_again(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", trickle(20, 0.1))
    slow = Patience(tries=9, first=0.01, silence=0.3, slowest=1e9)
    fetch_selection(chosen, tmp_path, patience=slow)
    assert world.count(f"/files/{ONE}") > 1
    assert whole(tmp_path)


def test_a_damaged_download_is_fetched_once_more(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", damaged)
    fetch(chosen, tmp_path)
    assert whole(tmp_path)
    assert world.count(f"/files/{ONE}") == 2


def test_a_wrong_checksum_is_told_of_and_nothing_is_left(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", damaged, damaged)
    with pytest.raises(FetchError, match="arrived twice with another checksum, md5:"):
        fetch(chosen, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fetch.json"]


def test_a_wrong_size_is_told_of(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.files[f"/files/{ONE}"] += b"more"
    with pytest.raises(FetchError, match=r"the server has .* bytes and the catalogue says"):
        fetch(chosen, tmp_path)


def test_a_page_of_words_is_no_product(world: World, tmp_path: Path) -> None:
    chosen = selection(world, checksum=False)
    page = b"<html>Please log in</html>".ljust(len(world.files[f"/files/{ONE}"]))
    world.files[f"/files/{ONE}"] = page
    with pytest.raises(FetchError, match="no zip of this product"):
        fetch(chosen, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fetch.json"]


def test_one_that_is_gone_does_not_keep_the_others(world: World, tmp_path: Path) -> None:
    chosen = selection(world, NAMES)
    del world.files[f"/files/{NAMES[2]}"]
    with pytest.raises(
        FetchError, match=rf"1 of 6 products did not arrive: {NAMES[2]}: it is not there"
    ):
        fetch(chosen, tmp_path)
    assert len(list(tmp_path.glob("*.zip"))) == 5


@pytest.mark.usefixtures("login")
class TestTokens:
    """A server that asks who one is."""

    def test_a_token_is_asked_for_once(self, world: World, tmp_path: Path) -> None:
        world.locked = True
        fetch(selection(world, NAMES), tmp_path / "out", profile(world, tmp_path))
        assert whole(tmp_path / "out", NAMES)
        assert world.given == 1

    def test_a_token_that_ends_during_a_batch_is_renewed(
        self, world: World, tmp_path: Path
    ) -> None:
        world.locked, world.lasts = True, 0.5
        for name in NAMES:
            world.fail(f"/files/{name}", trickle(4, 0.1))
        fetch(selection(world, NAMES), tmp_path / "out", profile(world, tmp_path), parallel=1)
        assert whole(tmp_path / "out", NAMES)
        assert world.given > 1

    def test_a_token_that_is_refused_early_is_renewed(self, world: World, tmp_path: Path) -> None:
        world.locked = True
        world.fail(f"/files/{NAMES[1]}", lambda handler: handler.world.tokens.clear() or False)
        fetch(selection(world, NAMES), tmp_path / "out", profile(world, tmp_path), parallel=1)
        assert whole(tmp_path / "out", NAMES)
        assert world.given == 2

    def test_a_token_server_may_be_busy(self, world: World, tmp_path: Path) -> None:
        world.locked = True
        world.fail("/token", status(503), status(429, Retry_After="0"))
        fetch(selection(world), tmp_path / "out", profile(world, tmp_path))
        assert whole(tmp_path / "out")

    def test_refusal_without_end_is_told_of(self, world: World, tmp_path: Path) -> None:
        chosen = selection(world)
        world.fail(f"/files/{ONE}", *repeated(status(401), 9))
        with pytest.raises(CredentialsError, match="asks who you are"):
            fetch(chosen, tmp_path / "out", profile(world, tmp_path))
        assert world.count(f"/files/{ONE}") == 2

    def test_a_redirect_takes_the_token_no_further(self, world: World, tmp_path: Path) -> None:
        chosen = selection(world)
        seen: list[str] = []
        with serving() as other:
            other.files["/elsewhere"] = world.files[f"/files/{ONE}"]
            other.fail(
                "/elsewhere", lambda h: seen.append(h.headers.get("Authorization", "")) or False
            )
            place = other.url.replace("127.0.0.1", "localhost")
            world.fail(f"/files/{ONE}", redirect(lambda: f"{place}/elsewhere"))
            fetch(chosen, tmp_path / "out", profile(world, tmp_path))
        assert seen == [""]
        assert whole(tmp_path / "out")

    def test_secrets_stand_nowhere(
        self,
        world: World,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        world.locked = True
        selection(world, NAMES).write(tmp_path / "chosen.json")
        world.fail(f"/files/{ONE}", status(404))
        words = ["fetch", str(tmp_path / "chosen.json"), "--out", str(tmp_path / "out")]
        assert run([*words, "--api", profile(world, tmp_path)]) == 1
        assert run([*words, "--api", profile(world, tmp_path)]) == 0
        written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        shown = "".join(capsys.readouterr()) + caplog.text
        for secret in (USER, WORD, "secret-token"):
            assert secret not in shown
            assert secret.encode() not in written


def test_wrong_credentials_are_told_of_without_them(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_USERNAME", "nobody-knows")
    monkeypatch.setenv("TEST_PASSWORD", "wrong-word")
    with pytest.raises(CredentialsError, match=r"does not accept these credentials \(401\)") as e:
        fetch(selection(world, NAMES), tmp_path / "out", profile(world, tmp_path))
    assert "nobody" not in str(e.value)
    assert "wrong-word" not in str(e.value)
    assert world.count("/token") == 1


def test_no_credentials_say_where_to_put_them(world: World, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=r"no credentials. Set TEST_USERNAME and TEST_PASS"):
        fetch(selection(world), tmp_path / "out", profile(world, tmp_path))
    assert list((tmp_path / "out").iterdir()) == []


def test_a_netrc_is_read(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {WORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    world.locked = True
    fetch(selection(world), tmp_path / "out", profile(world, tmp_path))
    assert whole(tmp_path / "out")


def test_a_broken_netrc_is_told_of_without_its_words(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 {WORD} login\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with pytest.raises(CredentialsError, match="the netrc cannot be read") as caught:
        fetch(selection(world), tmp_path / "out", profile(world, tmp_path))
    assert WORD not in str(caught.value)


def test_credentials_are_not_sent_in_the_clear(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_USERNAME", USER)
    monkeypatch.setenv("TEST_PASSWORD", WORD)
    path = Path(profile(world, tmp_path))
    path.write_text(path.read_text().replace(f"{world.url}/token", "http://example.org/token"))
    with pytest.raises(CredentialsError, match="over https alone"):
        fetch(selection(world), tmp_path / "out", str(path))


def test_no_room_is_seen_before_anything_is_written(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "SPARE", 10**18)
    with pytest.raises(StorageError, match=r"bytes are to come and .* are free. Free space"):
        fetch(selection(world), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert world.count(f"/files/{ONE}") == 0


def test_a_dry_run_tells_sizes_and_writes_nothing(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = selection(world, NAMES)
    found = fetch(chosen, tmp_path / "out", dry_run=True)
    assert found.size == sum(len(data) for data in world.files.values())
    assert dict(found.sizes) == {name: len(product_zip(name)) for name in NAMES}
    assert not (tmp_path / "out").exists()
    assert world.asked == []
    chosen.write(tmp_path / "chosen.json")
    assert (
        run(["fetch", str(tmp_path / "chosen.json"), "-o", str(tmp_path / "x"), "--dry-run"]) == 0
    )
    shown = capsys.readouterr().out
    assert f"{found.size:,}" in shown
    assert all(name in shown for name in NAMES)


def test_a_size_that_the_catalogue_does_not_tell_is_asked_for(world: World, tmp_path: Path) -> None:
    item = world.put(ONE)
    del item["assets"]["Product"]["file:size"]
    entry = Entry.parse(item)
    assert entry
    found = fetch(Selection((entry,)), tmp_path, dry_run=True)
    assert (found.size, found.unknown) == (len(product_zip(ONE)), 0)
    assert world.asked == [("HEAD", f"/files/{ONE}", "")]


def test_another_file_of_the_same_name_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / f"{ONE}.zip").write_bytes(b"mine")
    with pytest.raises(ConflictError, match="not this product"):
        fetch(selection(world), tmp_path)
    assert (tmp_path / f"{ONE}.zip").read_bytes() == b"mine"


def test_a_named_selection_without_addresses_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not tell where this product lies.*--api cdse"):
        fetch(named_selection("bigearthnet-2019"), tmp_path)


def test_one_fetch_at_a_time_writes_into_a_folder(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", trickle(5, 0.15))
    first = threading.Thread(target=fetch, args=(chosen, tmp_path))
    first.start()
    while not world.asked:
        time.sleep(0.01)
    with pytest.raises(ConflictError, match="another fetch is writing here"):
        fetch(chosen, tmp_path)
    first.join()
    assert whole(tmp_path)


def folder_item(world: World) -> dict[str, object]:
    """A product file by file, as below `X.SAFE/`."""
    item = world.put(ONE)
    parts = {
        "manifest.safe": b"<simulated/>",
        "GRANULE/L1C_T33UUP_A010310_20170613T101608/IMG_DATA/T33UUP_B02.jp2": b"\x01" * 5000,
    }
    item["assets"] = {}
    for number, (name, data) in enumerate(parts.items()):
        path = f"/data/{ONE}.SAFE/{name}"
        world.files[path] = data
        item["assets"][f"part-{number}"] = {"href": world.url + path, "file:size": len(data)}
    return item


def test_a_product_of_single_files_becomes_its_folder(world: World, tmp_path: Path) -> None:
    entry = Entry.parse(folder_item(world))
    assert entry
    world.fail(f"/data/{ONE}.SAFE/manifest.safe", *repeated(status(500), 3))
    with pytest.raises(FetchError):
        fetch(Selection((entry,)), tmp_path)
    assert not (tmp_path / f"{ONE}.SAFE").exists()
    found = fetch(Selection((entry,)), tmp_path)
    assert found.paths == (tmp_path / f"{ONE}.SAFE",)
    there = {p.relative_to(found.paths[0]).as_posix() for p in found.paths[0].rglob("*.*")}
    assert "manifest.safe" in there
    assert len(there) == 2
    (tmp_path / "fetch.json").unlink()
    asked = len(world.asked)
    assert fetch(Selection((entry,)), tmp_path).fetched == 1
    assert len(world.asked) == asked


def test_single_bands_are_fetched_but_not_for_a_build(world: World, tmp_path: Path) -> None:
    """As Earth Search has them: files of a folder that is no product."""
    item = world.put(ONE)
    world.files["/33/U/UP/B02.jp2"] = b"band"
    item["assets"] = {
        "blue": {"href": f"{world.url}/33/U/UP/B02.jp2", "roles": ["data"]},
        "thumbnail": {"href": f"{world.url}/33/U/UP/preview.jpg", "roles": ["thumbnail"]},
    }
    entry = Entry.parse(item)
    assert entry
    with pytest.raises(InputError, match="single bands of it, from which no archive can be built"):
        fetch(Selection((entry,)), tmp_path / "out", buildable=True)
    fetch(Selection((entry,)), tmp_path / "out")
    assert [p.name for p in (tmp_path / "out" / ONE).iterdir()] == ["B02.jp2"]


@pytest.mark.parametrize("href", ["../../evil", "a/../../evil", "/evil", "%2e%2e/evil"])
def test_an_address_never_leads_out_of_the_product(world: World, tmp_path: Path, href: str) -> None:
    item = folder_item(world)
    item["assets"] = {"x": {"href": f"{world.url}/data/{ONE}.SAFE/{href}", "file:size": 1}}
    entry = Entry.parse(item)
    assert entry
    with pytest.raises(BenError, match="an address names no file of the product"):
        fetch(Selection((entry,)), tmp_path / "out")
    assert not (tmp_path / "evil").exists()


def test_a_token_in_an_address_is_added_and_shown_nowhere(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As the Planetary Computer lets its files out: a token without an account."""
    caplog.set_level(logging.DEBUG)
    chosen = selection(world)
    api = tmp_path / "sas.toml"
    api.write_text(
        f'title = "stand-in"\nurl = "{world.url}"\n[access]\nkind = "sas"\n'
        f'token_url = "{world.url}/sas"\nhosts = ["127.0.0.1"]\n'
    )
    world.files["/sas"] = b'{"token": "sig=sassecret", "msft:expiry": "2999-01-01T00:00:00Z"}'
    seen: list[str] = []
    world.fail(f"/files/{ONE}", lambda handler: seen.append(handler.path) or False)
    fetch(chosen, tmp_path / "out", str(api))
    assert seen == [f"/files/{ONE}?sig=sassecret"]
    del world.files[f"/files/{ONE}"]
    (tmp_path / "out" / f"{ONE}.zip").unlink()
    chosen.write(tmp_path / "s.json")
    words = ["fetch", str(tmp_path / "s.json"), "--out", str(tmp_path / "out"), "--api", str(api)]
    assert run(words) == 1
    shown = capsys.readouterr()
    assert "it is not there" in shown.err
    assert "sassecret" not in shown.err + shown.out + caplog.text
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert written.count(b"sassecret") == 0


def test_a_program_logs_in_with_its_own_client(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CLIENT_ID", "robot")
    monkeypatch.setenv("TEST_CLIENT_SECRET", "robot-word")
    asked: list[str] = []

    def give(handler: Handler) -> bool:
        asked.append(handler.body.decode())
        world.tokens = {"secret-token-robot"}
        handler.give_json({"access_token": "secret-token-robot", "expires_in": 60})
        return True

    world.locked = True
    world.fail("/token", give)
    fetch(selection(world), tmp_path / "out", profile(world, tmp_path))
    assert whole(tmp_path / "out")
    assert "grant_type=client_credentials" in asked[0]
    assert "client_id=robot&client_secret=robot-word" in asked[0]


def test_a_disk_that_fills_up_is_told_of_and_the_part_is_kept(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = selection(world)
    real, calls = os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:  # after the file's version, the file itself
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        fetch(chosen, tmp_path)
    fetch(chosen, tmp_path)
    assert whole(tmp_path)
    assert world.sent[f"/files/{ONE}"] == len(product_zip(ONE))


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"access_token": ""}', b"[1]"])
def test_what_is_no_token_is_told_of(
    world: World, tmp_path: Path, login: None, answer: bytes
) -> None:
    world.fail("/token", lambda handler: handler.give(200, answer) is None)
    with pytest.raises(FetchError, match="what arrived is no token"):
        fetch(selection(world), tmp_path / "out", profile(world, tmp_path))


@pytest.mark.parametrize("href", ["http://[", "http://", "https://a b/c", "http://x:99999/"])
def test_addresses_that_are_none(world: World, tmp_path: Path, href: str) -> None:
    item = world.put(ONE)
    item["assets"]["Product"]["href"] = href
    entry = Entry.parse(item)
    assert entry
    with pytest.raises(FetchError):
        fetch(Selection((entry,)), tmp_path)


@pytest.mark.parametrize("href", ["file:///etc/passwd", "ftp://x/y", "/etc/passwd", ""])
def test_files_of_this_machine_are_no_products(world: World, tmp_path: Path, href: str) -> None:
    item = world.put(ONE)
    item["assets"]["Product"]["href"] = href
    entry = Entry.parse(item)
    assert entry
    with pytest.raises(InputError, match="does not tell where this product lies"):
        fetch(Selection((entry,)), tmp_path)


def test_the_profile_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "products.md"
    block = page.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "mine.toml").write_text(block)
    found = open_profile(str(tmp_path / "mine.toml"))
    assert found.access is not None
    assert found.access.hosts == ("example.org",)


@pytest.mark.parametrize("secret", ["somebody:SECRET@", "SECRET@"])
def test_an_address_with_a_password_is_refused(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    out = tmp_path / "chosen.json"
    address = world.url.replace("//", f"//{secret}")
    words = ["tiles", "--api", address, "--tiles", "33UUP", "--out", str(out)]
    assert run(words) == 1
    told = "".join(capsys.readouterr())
    assert "SECRET" not in told
    assert "environment or a netrc" in told
    assert not out.exists()
    (tmp_path / "api.toml").write_text(f'title = "ours"\nurl = "{address}"\n')
    assert run(["tiles", "--api", str(tmp_path / "api.toml"), "--tiles", "33UUP"]) == 1
    assert "SECRET" not in "".join(capsys.readouterr())


def test_a_key_in_an_address_is_kept_nowhere(world: World, tmp_path: Path) -> None:
    world.put(ONE)
    out = tmp_path / "chosen.json"
    words = ["tiles", "--api", f"{world.url}/?key=SECRET", "--tiles", "33UUP", "--out", str(out)]
    assert run(words) == 0
    assert run(["fetch", str(out), "--out", str(tmp_path / "out")]) == 0
    chosen = Selection.read(out)
    assert chosen.catalogue == f"{world.url}/"
    fetch(replace(chosen, catalogue=f"{world.url}/?key=SECRET"), tmp_path / "again")
    written = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"SECRET" not in written


def test_a_profile_of_one_s_own_is_found_from_elsewhere(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(ONE)
    (tmp_path / "w").mkdir()
    (tmp_path / "w/me.toml").write_text(f'title = "ours"\nurl = "{world.url}"\n')
    monkeypatch.chdir(tmp_path)
    words = ["tiles", "--api", "w/me.toml", "--tiles", "33UUP", "--out", "chosen.json"]
    assert run(words) == 0
    monkeypatch.chdir(tmp_path / "w")
    assert run(["fetch", "../chosen.json", "--out", "out"]) == 0
    (tmp_path / "w/me.toml").unlink()
    with pytest.raises(MissingError, match=r"no such profile.*--api"):
        fetch(Selection.read(tmp_path / "chosen.json"), tmp_path / "w/out")


def test_one_that_lies_nowhere_does_not_keep_the_others(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = selection(world, NAMES)
    lost, *others = chosen.entries
    chosen = replace(chosen, entries=(replace(lost, assets={}), *others))
    found = fetch(chosen, tmp_path, dry_run=True)
    assert len(found.sizes) == 5
    assert [name for name, _ in found.failed] == [ONE]
    with pytest.raises(FetchError, match=rf"1 of 6 .* {ONE}: the selection does not tell where"):
        fetch(chosen, tmp_path)
    assert whole(tmp_path, NAMES[1:])
    chosen.write(tmp_path / "chosen.json")
    words = ["fetch", str(tmp_path / "chosen.json"), "--out", str(tmp_path / "x"), "--dry-run"]
    assert run(words) == 0
    assert "does not tell where" in capsys.readouterr().out


def test_each_failure_is_told_with_its_reason_and_fitting_advice(
    world: World, tmp_path: Path
) -> None:
    names = load_bigearthnet().products[:9]
    chosen = selection(world, names)
    for name in names[:6]:
        del world.files[f"/files/{name}"]
    world.files[f"/files/{names[6]}"] += b"more"
    loop = f"/files/{names[7]}"
    world.fail(loop, *repeated(redirect(lambda: world.url + loop), 30))
    with pytest.raises(FetchError) as caught:
        fetch(chosen, tmp_path)
    told = str(caught.value)
    assert "8 of 9 products did not arrive" in told
    assert told.count(": it is not there") + told.count(": the server has") >= 5
    assert "; and 2 more. " in told
    assert "Choose anew" in told
    assert "Run the same command again" not in told
    reasons = json.loads((tmp_path / "fetch.json").read_text())["failed"]
    assert set(reasons) == set(names[:8])
    assert "it is not there" in reasons[names[0]]
    assert "bytes and the catalogue says" in reasons[names[6]]
    assert "redirected without end" in reasons[names[7]]


def test_what_failed_and_came_later_is_forgotten(world: World, tmp_path: Path) -> None:
    chosen = selection(world, NAMES)
    world.fail(f"/files/{ONE}", *repeated(status(500), 3))
    with pytest.raises(FetchError, match="Run the same command again"):
        fetch(chosen, tmp_path)
    assert ONE in json.loads((tmp_path / "fetch.json").read_text())["failed"]
    fetch(chosen, tmp_path)
    assert json.loads((tmp_path / "fetch.json").read_text())["failed"] == {}


def test_a_redirect_to_a_file_is_told_as_one(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    world.fail(f"/files/{ONE}", redirect(lambda: "file:///etc/passwd"))
    with pytest.raises(FetchError, match=r"no web address \(file\)"):
        fetch(chosen, tmp_path)


def test_a_damaged_zip_without_a_checksum_is_not_put_in_place(world: World, tmp_path: Path) -> None:
    chosen = selection(world, checksum=False)
    right = world.files[f"/files/{ONE}"]
    wrong = bytearray(right)
    wrong[150_000] ^= 1
    world.files[f"/files/{ONE}"] = bytes(wrong)
    with pytest.raises(FetchError, match="arrived twice and is a damaged zip") as caught:
        fetch(chosen, tmp_path)
    assert "Run the same command again" not in str(caught.value)
    assert not (tmp_path / f"{ONE}.zip").exists()
    world.files[f"/files/{ONE}"] = right
    fetch(chosen, tmp_path)
    assert whole(tmp_path)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("size", [None, 1000, 0])
def test_a_product_that_was_damaged_later_is_fetched_once_more(
    world: World, tmp_path: Path, checksum: bool, size: int | None
) -> None:
    chosen = selection(world, NAMES[:2], checksum=checksum)
    fetch(chosen, tmp_path)
    path = tmp_path / f"{ONE}.zip"
    data = bytearray(path.read_bytes())
    data[150_000] ^= 1
    path.write_bytes(data[:size])
    assert fetch(chosen, tmp_path, dry_run=True).size == len(data)
    found = fetch(chosen, tmp_path)
    assert (found.fetched, found.held) == (1, 1)
    assert whole(tmp_path, NAMES[:2])


def test_a_product_that_was_copied_is_not_fetched_again(world: World, tmp_path: Path) -> None:
    chosen = selection(world)
    fetch(chosen, tmp_path)
    os.utime(tmp_path / f"{ONE}.zip")
    assert fetch(chosen, tmp_path).held == 1


@pytest.mark.parametrize("damage", [b"\x02" * 5000, b"", None])
def test_a_folder_that_was_damaged_later_is_fetched_once_more(
    world: World, tmp_path: Path, damage: bytes | None
) -> None:
    entry = Entry.parse(folder_item(world))
    assert entry
    fetch(Selection((entry,)), tmp_path)
    (band,) = tmp_path.glob("*.SAFE/GRANULE/*/*/*.jp2")
    band.unlink()
    if damage is not None:
        band.write_bytes(damage)
    assert fetch(Selection((entry,)), tmp_path).fetched == 1
    assert band.read_bytes() == b"\x01" * 5000
    assert fetch(Selection((entry,)), tmp_path).held == 1
    (band.parent / "mine.txt").write_text("notes")
    with pytest.raises(ConflictError, match="not this product"):
        fetch(Selection((entry,)), tmp_path)
    assert (band.parent / "mine.txt").exists()


@pytest.mark.parametrize("when", ["before the answer", "within a file", "asked for a size"])
def test_who_stops_a_fetch_does_not_wait_for_a_silent_server(
    world: World, tmp_path: Path, when: str
) -> None:
    items = [world.put(name, checksum=False) for name in NAMES[:3]]
    if when == "asked for a size":
        for item in items:
            del item["assets"]["Product"]["file:size"]
    chosen = Selection(tuple(e for item in items if (e := Entry.parse(item))))

    def silent(handler: Handler) -> bool:
        time.sleep(20)
        return True

    for name in NAMES[:3]:
        world.fail(f"/files/{name}", *repeated(fall_silent(20) if "file" in when else silent, 4))
    chosen.write(tmp_path / "chosen.json")
    process = begin(tmp_path)
    while len(world.asked) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    assert_stops_at_once(process)


@contextmanager
def nobody_picks_up() -> Iterator[int]:
    """A port where connections are neither taken nor refused."""
    waiting: list[socket.socket] = []
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        ear.listen(0)
        for _ in range(4):  # until the queue is full
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(ear.getsockname())
        time.sleep(0.1)
        yield ear.getsockname()[1]
    for one in waiting:
        one.close()


def unreachable(world: World, port: int) -> Selection:
    """A product on a server that does not pick up."""
    item = world.put(ONE)
    item["assets"]["Product"]["href"] = f"http://127.0.0.1:{port}/files/{ONE}"
    entry = Entry.parse(item)
    assert entry
    return Selection((entry,))


def test_who_stops_a_fetch_does_not_wait_for_a_server_that_does_not_pick_up(
    world: World, tmp_path: Path
) -> None:
    with nobody_picks_up() as port:
        unreachable(world, port).write(tmp_path / "chosen.json")
        process = begin(tmp_path)
        while not (tmp_path / "out").exists():
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.5)
        assert_stops_at_once(process)


def test_a_server_that_does_not_pick_up_is_told_of(world: World, tmp_path: Path) -> None:
    told: list[str] = []
    patience = Patience(tries=2, first=0.6, most=0.6, connect=0.3)
    with nobody_picks_up() as port, pytest.raises(FetchError, match="cannot be reached, 2 times"):
        fetch_selection(
            unreachable(world, port),
            tmp_path / "out",
            patience=patience,
            progress=lambda message, *_: told.append(message),
        )
    assert any(message.endswith("MB; the server cannot be reached") for message in told)


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Fetch `chosen.json` of a folder in a process of its own."""
    words = ("fetch", str(folder / "chosen.json"), "--out", str(folder / "out"), *words)
    return subprocess.Popen(
        [sys.executable, "-m", "benforge.cli", *words], stderr=subprocess.PIPE, text=True
    )


def assert_stops_at_once(process: subprocess.Popen[str]) -> None:
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=15)
    assert time.monotonic() - start < 5  # a busy machine takes its time to end a process
    assert process.returncode == 130
    assert "stopped. What is whole is kept" in told
    assert "Traceback" not in told


def test_a_netrc_that_others_read_is_warned_of(
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {WORD}\n")
    netrc.chmod(0o644)
    monkeypatch.setenv("NETRC", str(netrc))
    world.locked = True
    fetch(selection(world), tmp_path / "out", profile(world, tmp_path))
    assert "can be read by others: chmod 600" in caplog.text
    assert WORD not in caplog.text


def test_a_full_disk_is_told_of_as_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"Free space and run the same command again$"):
        named_selection("bigearthnet-2019").write(tmp_path / "chosen.json")


def test_a_catalogue_whose_ids_cannot_be_read_is_told_of(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    item = world.put(ONE)
    item["id"], item["properties"]["title"] = "33UUP-7", "no product id"
    assert run(["tiles", "--api", world.url, "--tiles", "33UUP"]) == 1
    told = capsys.readouterr().err
    assert "of 1 items none names its product, as 33UUP-7" in told
    assert "id_fields" in told
