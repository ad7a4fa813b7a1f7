from __future__ import annotations

import io
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from PIL import Image

from benforge.archive.archive import Archive
from benforge.archive.layout import scene_path
from benforge.archive.sidecars import write_flags
from benforge.core.flags import Flags
from benforge.quality.review import Review
from benforge.quality.screening_files import read_screening
from benforge.viewer.app import create_app
from benforge.viewer.pictures import hatched
from tests.viewer.client import Client
from tests.viewer.conftest import LATER

FLAGS = ("seasonal_snow", "cloud_or_shadow")


@pytest.fixture
def client(screened: Path) -> Client:
    return Client(create_app(screened))


@pytest.fixture(scope="module")
def looking(small_screened: Path) -> Client:
    return Client(create_app(small_screened))


def everything(client: Client, query: str = "") -> list[dict[str, Any]]:
    return client.json(f"/api/patches?limit=500&{query}")["rows"]


def test_rows_are_those_of_the_index_and_the_screening(looking, small_screened) -> None:
    archive, found = Archive.open(small_screened), everything(looking, "order=name")
    told = {row["patch_id"]: row for row in read_screening(small_screened).table.to_pylist()}
    names = archive.meta.nomenclature.names
    assert [row["i"] for row in found] == list(range(len(archive)))
    for row, record in zip(found, archive.records(), strict=True):
        assert row["id"] == record.patch_id
        assert row["v1"] == record.v1_name
        assert row["tile"] == record.tile
        assert row["date"] == record.sensing_time.date().isoformat()
        assert (row["season"], row["country"]) == (record.season, record.country)
        assert [names[n] for n in row["labels"]] == list(record.labels)
        one = told.get(record.patch_id)
        assert row["snow"] == (None if one is None else pytest.approx(one["snow"], abs=1e-4))
        assert row["proposed"] == ([] if one is None else [f for f in FLAGS if one[f]])
        if one is not None:
            least = min(one[f"{flag}_confidence"] for flag in FLAGS)
            assert row["confidence"] == pytest.approx(least, abs=1e-4)
        assert row["decided"] is None


QUERIES = {
    "": lambda row: True,
    "tile=33UUP": lambda row: row["tile"] == "33UUP",
    "season=winter": lambda row: row["season"] == "winter",
    "country=Austria": lambda row: row["country"] == "Austria",
    "label=11": lambda row: 11 in row["labels"],
    "label=Coniferous forest": lambda row: 23 in row["labels"],
    "label=23&label=11": lambda row: {11, 23} <= set(row["labels"]),
    "from=2018-01-01": lambda row: row["date"] >= "2018-01-01",
    "to=2017-06-13": lambda row: row["date"] <= "2017-06-13",
    "text=_02_": lambda row: "_02_" in row["id"],
    "text=t33uup_01": lambda row: "T33UUP_01" in row["id"],
    "flag=seasonal_snow": lambda row: "seasonal_snow" in row["proposed"],
    "flag=cloud_or_shadow": lambda row: "cloud_or_shadow" in row["proposed"],
    "flag=none": lambda row: row["confidence"] is not None and not row["proposed"],
    "min_confidence=0.7": lambda row: (row["confidence"] or 0) >= 0.7,
    "max_confidence=0.7": lambda row: (row["confidence"] or 1) <= 0.7,
    "decided=any": lambda row: row["decided"] is not None,
    "decided=none": lambda row: row["decided"] is None,
    "decided=clear": lambda row: row["decided"] == [],
    "decided=seasonal_snow": lambda row: "seasonal_snow" in (row["decided"] or ()),
    "decided=disputed": lambda row: row["disputed"],
    "flagset=mine": lambda row: row["i"] in (2, 5),
    "season=summer&flag=seasonal_snow&label=11": lambda row: (
        row["season"] == "summer" and "seasonal_snow" in row["proposed"] and 11 in row["labels"]
    ),
}


@pytest.fixture(scope="module")
def decided(small_screened: Path, tmp_path_factory: pytest.TempPathFactory) -> Client:
    root = shutil.copytree(small_screened, tmp_path_factory.mktemp("decided") / "archive")
    ids = Archive.open(root).index["patch_id"]
    mark = np.zeros(len(ids), np.bool_)
    mark[[2, 5]] = True
    write_flags(root, Flags.of("mine", "a test", ids, {"seasonal_snow": mark}))
    review, names = Review(root), ids.to_pylist()
    review.decide("Ada", ["seasonal_snow"], names[:4])
    review.decide("Bob", [], names[3:7])
    review.decide("Bob", ["seasonal_snow", "cloud_or_shadow"], names[6:7])
    return Client(create_app(root))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_what_a_loop_finds(decided: Client, query: str) -> None:
    every = everything(decided, "order=name")
    assert everything(decided, f"order=name&{query}") == [r for r in every if QUERIES[query](r)]


def test_orders(decided: Client) -> None:
    every = everything(decided, "order=name")
    known = {
        "doubt": lambda row: row["confidence"] or 2,
        "snow": lambda row: 1 if row["snow"] is None else -row["snow"],
        "cloud": lambda row: 1 if row["cloud"] is None else -(row["cloud"] + row["shadow"]),
        "date": lambda row: row["date"],
    }
    for order, key in known.items():
        found = [key(row) for row in everything(decided, f"order={order}")]
        if order != "date":  # shares are told with four digits, sums of two differ by more
            assert found == pytest.approx(sorted(found), abs=3e-4)
        else:
            assert found == sorted(found)
        assert len(found) == len(every)
    assert everything(decided) == everything(decided, "order=doubt")


def test_pages_are_parts_of_the_whole(decided: Client) -> None:
    every = everything(decided, "season=summer")
    paged = [
        row
        for offset in range(0, len(every), 5)
        for row in decided.json(f"/api/patches?season=summer&limit=5&offset={offset}")["rows"]
    ]
    assert paged == every
    beyond = decided.json("/api/patches?offset=1000000")
    assert (beyond["rows"], beyond["offset"]) == ([], 1_000_000)


def test_a_box_holds_the_middles_within(looking: Client, small_screened: Path) -> None:
    shapes = shapely.from_wkb(Archive.open(small_screened).index["geometry"].to_numpy())
    middles = shapely.get_coordinates(shapely.centroid(shapes))
    west, south = np.quantile(middles, 0.3, axis=0) - 1e-7
    east, north = np.quantile(middles, 0.8, axis=0) + 1e-7
    inside = ((middles >= (west, south)) & (middles <= (east, north))).all(axis=1)
    found = everything(looking, f"order=name&bbox={west},{south},{east},{north}")
    assert {row["i"] for row in found} == set(np.flatnonzero(inside))


def test_one_patch_and_what_is_around_it(looking: Client, small_screened: Path) -> None:
    archive = Archive.open(small_screened)
    records = list(archive.records())
    place = {(r.scene, r.column, r.row): i for i, r in enumerate(records)}
    names = archive.meta.nomenclature
    for i, record in enumerate(records):
        found = looking.json(f"/api/patch/{i}")
        around = [
            [place.get((record.scene, record.column + x, record.row + y)) for x in (-1, 0, 1)]
            for y in (-1, 0, 1)
        ]
        assert found["neighbours"] == around
        others = [
            {"i": j, "date": other.sensing_time.date().isoformat()}
            for j, other in enumerate(records)
            if (other.ulx, other.uly) == (record.ulx, record.uly) and j != i
        ]
        assert found["other_dates"] == others
        shares = {
            names.codes.index(c): s for c, s in zip(record.classes, record.shares, strict=True)
        }
        assert dict(map(tuple, found["shares"])) == pytest.approx(shares, abs=1e-4)
        near = everything(looking, f"near={i}")
        assert {row["i"] for row in near} == {i, *(other["i"] for other in others)}


def test_what_is_asked_for_is_counted(decided: Client) -> None:
    rows = everything(decided, "season=winter")
    found = decided.json("/api/statistics?season=winter")
    assert found["patches"] == len(rows)
    assert sum(found["classes"]) == sum(len(row["labels"]) for row in rows)
    assert found["seasons"] == {"summer": 0, "winter": len(rows)}
    snow = sum("seasonal_snow" in row["proposed"] for row in rows)
    assert found["flags"]["proposed"]["seasonal_snow"] == snow
    every = decided.json("/api/statistics")["flags"]["decided"]
    assert every == {"seasonal_snow": 4, "cloud_or_shadow": 1, "clear": 3}


def test_the_map_shows_patches_and_their_state(decided: Client, monkeypatch) -> None:
    found = decided.json("/api/map?zoom=9&order=name")
    rows = {row["i"]: row for row in everything(decided)}
    assert found["kind"] == "patches"
    for i, *corners, state in found["rows"]:
        row = rows[i]
        expected = 0
        if "cloud_or_shadow" in row["proposed"]:
            expected = 2
        if "seasonal_snow" in row["proposed"]:
            expected = 1
        if row["decided"] is not None:
            expected = 4 if row["decided"] else 3
        assert state == expected
        assert shapely.Polygon(np.reshape(corners, (4, 2))).is_valid
    monkeypatch.setattr("benforge.viewer.endpoints.MOST_PATCHES", 10)
    tiles = decided.json("/api/map?zoom=3")
    assert tiles["kind"] == "tiles"
    (tile,) = tiles["rows"]
    assert (tile["tile"], tile["count"]) == ("33UUP", len(rows))
    ring = shapely.Polygon(tile["ring"])
    middles = [shapely.Polygon(np.reshape(row[1:9], (4, 2))).centroid for row in found["rows"]]
    assert all(ring.buffer(1e-4).contains(middle) for middle in middles)


def test_decisions_hold_are_undone_and_survive(client: Client, screened: Path) -> None:
    def of(reviewer: str, patches: list[int], flags: list[str]) -> dict[str, Any]:
        return {"reviewer": reviewer, "patches": patches, "flags": flags}

    saved = client.post("/api/decisions", of("Ada", [1, 2, 3], ["seasonal_snow"])).json()
    assert saved["progress"]["decided"] == 3
    client.post("/api/decisions", of("Ada", [3], []))
    client.post("/api/decisions", of("Bob", [3], ["cloud_or_shadow"]))
    (row,) = [row for row in everything(client) if row["i"] == 3]
    assert (row["decided"], row["by"], row["disputed"]) == (["cloud_or_shadow"], "Bob", True)
    assert [d["reviewer"] for d in client.json("/api/patch/3")["decisions"]] == ["Ada", "Bob"]
    undone = client.post("/api/undo", {"reviewer": "Ada"}).json()
    assert undone["patches"] == [3]
    again = Client(create_app(screened))
    (row,) = [row for row in everything(again) if row["i"] == 3]
    assert row["disputed"]
    progress = again.json("/api/progress?reviewer=Ada")
    assert progress["per_reviewer"]["Ada"] == {"decided": 3, "last_hour": 3}
    assert progress["pace_per_minute"] == 3
    assert progress["kappa"] == [{"a": "Ada", "b": "Bob", "patches": 1, "kappa": 0.0}]
    assert again.post("/api/undo", {"reviewer": "Cy"}).status_code == 409


def test_two_viewers_of_one_archive_see_each_others_decisions(screened: Path) -> None:
    one, other = (Client(create_app(screened)) for _ in range(2))
    one.post("/api/decisions", {"reviewer": "Ada", "patches": [1], "flags": []})
    other.post("/api/decisions", {"reviewer": "Bob", "patches": [2], "flags": []})
    for client in (one, other):
        assert {row["i"] for row in everything(client, "decided=clear")} == {1, 2}
    assert one.json("/api/archive")["reviewers"] == ["Ada", "Bob"]


def test_decisions_on_patches_that_are_gone_are_passed_over(screened: Path) -> None:
    Review(screened).decide("Ada", [], ["S2A_MSIL2A_20170613T101031_N0205_R022_T33UUP_90_90"])
    client = Client(create_app(screened))
    assert client.json("/api/progress")["decided"] == 0
    assert client.post("/api/undo", {"reviewer": "Ada"}).json()["patches"] == []


def test_a_damaged_log_is_counted_and_shown(screened: Path) -> None:
    review = Review(screened)
    review.decide("Ada", [], ["x"])
    with review.log.path.open("ab") as file:
        file.write(b"{torn")
    client = Client(create_app(screened))
    assert client.json("/api/archive")["damaged_lines"] == 1
    assert client.json("/api/progress")["damaged_lines"] == 1


def test_a_log_that_cannot_be_written_is_told(client: Client, screened: Path) -> None:
    (screened / "reviews").write_bytes(b"")
    answer = client.post("/api/decisions", {"reviewer": "Ada", "patches": [1], "flags": []})
    assert answer.status_code == 500
    assert "cannot be written" in answer.json()["error"]


def test_the_archive_is_told(looking: Client, small_screened: Path) -> None:
    found = looking.json("/api/archive")
    assert found["simulated"]
    assert found["mode"] == "inspect"
    assert found["patches"] == len(Archive.open(small_screened))
    assert (found["first_day"], found["last_day"]) == ("2017-06-13", "2018-01-08")
    assert found["screening"]["name"] == "screen"
    assert len(found["classes"]) == 43
    assert found["classes"][23]["color"].startswith("#")
    assert [view["key"] for view in found["views"]] == list("12345")


def test_without_a_screening_nothing_is_proposed(screened: Path) -> None:
    client = Client(create_app(screened, screening="other"))
    assert client.json("/api/archive")["screening"] is None
    assert everything(client)[0]["snow"] is None
    answer = client.get("/api/patches?flag=seasonal_snow")
    assert (answer.status_code, "ben screen" in answer.text) == (400, True)


def test_a_picture_is_asked_for_again_and_not_sent_again(looking: Client) -> None:
    first = looking.get("/patch/0.png")
    assert first.headers["cache-control"] == "private, no-cache"
    again = looking.get("/patch/0.png", {"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = looking.get("/patch/0.png?view=false", {"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
    assert looking.get("/sheet.jpg?i=0,1,2&columns=2").headers["content-type"] == "image/jpeg"


def test_a_damaged_shard_is_told_of_the_patch_and_hatched_in_a_sheet(screened: Path) -> None:
    (shard,) = (scene_path(screened, LATER) / "r10m" / "c").rglob("0/0/0")
    shard.write_bytes(shard.read_bytes()[:-40])
    client = Client(create_app(screened))
    broken = [row["i"] for row in everything(client) if row["date"] == date(2018, 1, 8).isoformat()]
    answer = client.get(f"/patch/{broken[0]}.png")
    assert answer.status_code == 500
    assert set(answer.json()) == {"error"}
    assert json.dumps(answer.json()).count("Traceback") == 0
    picture = client.get(f"/sheet.jpg?i=0,{broken[0]}")
    drawn = np.asarray(Image.open(io.BytesIO(picture.content)))
    assert np.abs(drawn[:, 120:].astype(int) - hatched()).mean() < 3
    assert np.abs(drawn[:, :120].astype(int) - hatched()).mean() > 30


def test_one_action_of_several_groups_is_undone_as_one_after_a_restart(
    client: Client, screened: Path
) -> None:
    groups = [{"patches": [1, 2], "flags": ["seasonal_snow"]}, {"patches": [3], "flags": []}]
    said = client.post("/api/decisions", {"reviewer": "Ada", "groups": groups})
    assert {row["i"]: row["mine"] for row in said.json()["rows"]} == {
        1: ["seasonal_snow"],
        2: ["seasonal_snow"],
        3: [],
    }
    again = Client(create_app(screened))
    assert again.json("/api/progress")["decided"] == 3
    assert again.post("/api/undo", {"reviewer": "Ada"}).json()["patches"] == [1, 2, 3]
    assert again.json("/api/progress")["decided"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"patches": [1]},
        {"flags": []},
        {"groups": []},
        {"groups": [{"patches": [], "flags": []}]},
        {"groups": [{"patches": [1], "flags": ["fog"]}]},
    ],
)
def test_half_a_decision_is_none(client: Client, screened: Path, body: dict[str, Any]) -> None:
    assert client.post("/api/decisions", {"reviewer": "Ada"} | body).status_code == 400
    assert not (screened / "reviews").exists()


def test_the_answer_tells_a_dispute_that_the_page_did_not_know(client: Client) -> None:
    for name, flags in (("Ada", []), ("Bob", ["seasonal_snow"]), ("Ada", ["cloud_or_shadow"])):
        said = client.post("/api/decisions", {"reviewer": name, "patches": [1], "flags": flags})
    (row,) = said.json()["rows"]
    assert (row["by"], row["disputed"]) == ("Ada", True)


def test_what_i_did_not_decide_is_found(decided: Client) -> None:
    every = {row["i"] for row in everything(decided)}
    mine = {row["i"] for row in everything(decided, "decided=mine&reviewer=Bob")}
    assert mine == {3, 4, 5, 6}
    others = everything(decided, "decided=not-mine&reviewer=Bob")
    assert {row["i"] for row in others} == every - mine
    assert all(row["mine"] is None for row in others)
    assert len(everything(decided, "decided=not-mine&reviewer=Nobody")) == len(every)
    assert decided.get("/api/patches?decided=not-mine").status_code == 400


def test_what_no_screening_names_is_found_and_a_newer_archive_is_told(screened: Path) -> None:
    client = Client(create_app(screened))
    found = everything(client, "flag=unscreened")
    assert len(found) == 3
    assert all(row["confidence"] is None for row in found)
    assert not client.json("/api/progress")["outdated"]
    screening = screened / "screenings" / "screen.parquet"
    kept = screening.read_bytes()
    screening.unlink()
    assert client.json("/api/progress")["outdated"]
    screening.write_bytes(kept)
    again = Client(create_app(screened))
    assert not again.json("/api/progress")["outdated"]
    index = screened / "patches.parquet"
    index.write_bytes(index.read_bytes())
    assert again.json("/api/progress")["outdated"]


def test_a_name_that_does_not_show_is_refused_when_it_is_given(looking: Client) -> None:
    for name in ("Ada%E2%80%AE", "%20", "x" * 61):
        answer = looking.get(f"/api/progress?reviewer={name}")
        assert (answer.status_code, "no name" in answer.text) == (400, True)
