"""Doubts about labels and patches that are alike, as the page asks for them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.core.predictions import PredictionFacts, Predictions
from benforge.errors import InputError, MissingError
from benforge.evaluation.doubt_files import doubt_labels, read_doubts
from benforge.evaluation.files import write_predictions
from benforge.labels.hot import labels_hot
from benforge.retrieval.embed import embed_archive
from benforge.retrieval.index import open_index
from benforge.retrieval.search import Query, search
from benforge.testing.archives import PRODUCT, make_scene, write_archive
from benforge.viewer.app import create_app
from tests.viewer.client import Client


def write_doubts(root: Path, out: Path, rows: slice = slice(None), share: float = 0.05) -> Path:
    """Doubts of predictions of some rows that are right, but for a share of them by chance."""
    archive = Archive.open(root)
    hot = labels_hot(archive.index, archive.meta.nomenclature)[rows]
    random = np.random.default_rng(6)
    scores = np.clip(np.where(hot, 0.8, 0.1) + random.normal(0, 0.1, hot.shape), 0, 1)
    turned = random.random(hot.shape) < share
    scores = np.where(turned, np.where(hot, 0.01, 0.99), scores)
    facts = PredictionFacts(model="Made up", split="s", part="test", simulated=True)
    ids = archive.index["patch_id"].to_pylist()[rows]
    told = Predictions.of(ids, scores, hot, archive.meta.nomenclature.names, facts)
    predictions = out.with_name("predictions.parquet")
    write_predictions(predictions, told)
    doubt_labels([predictions], root, out)
    return out


@pytest.fixture(scope="module")
def doubts(small_screened: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doubts")
    return write_doubts(small_screened, folder / "doubt.parquet", slice(0, 30), 0.25)


@pytest.fixture
def client(screened: Path, doubts: Path) -> Client:
    return Client(create_app(screened, doubt=doubts))


def everything(client: Client, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.json(f"/api/patches?limit=500&{query}")["rows"]
    return rows


def test_the_queue_is_in_the_order_of_doubt(client: Client, doubts: Path) -> None:
    told = read_doubts(doubts)[1].to_pylist()
    assert told
    rows = everything(client)
    ranks = [row["doubts"][0]["rank"] for row in rows if row["doubts"]]
    assert ranks == sorted(ranks)
    assert [bool(row["doubts"]) for row in rows] == sorted(bool(r["doubts"]) for r in rows)[::-1]
    found = {(row["id"], one["label"]): one for row in rows for one in row["doubts"]}
    assert found.keys() == {(one["patch_id"], one["label"]) for one in told}
    for one in told:
        shown = found[one["patch_id"], one["label"]]
        for name in ("direction", "rank"):
            assert shown[name] == one[name]
        for name in ("score", "threshold", "self_confidence"):
            assert shown[name] == pytest.approx(one[name], abs=1e-4)
        assert (shown["present"], shown["mine"], shown["by"]) == (None, None, None)
    fact = client.json("/api/archive")["doubts"]
    assert fact["patches"] == len(ranks)
    assert fact["doubted"] + fact["missing"] == len(told)
    assert (fact["model"], fact["part"]) == ("Made up", "test of s")
    assert everything(client, "order=label-doubt") == rows
    assert everything(client, "order=name") != rows


FILTERS = {
    "doubt=any": lambda one: True,
    "doubt=doubted": lambda one: one["direction"] == "doubted",
    "doubt=missing": lambda one: one["direction"] == "missing",
    "doubt=open": lambda one: one["present"] is None,
    "doubted_label=Non-irrigated arable land": lambda one: (
        one["label"] == "Non-irrigated arable land"
    ),
    "doubt=doubted&doubted_label=Non-irrigated arable land": lambda one: (
        one["direction"] == "doubted" and one["label"] == "Non-irrigated arable land"
    ),
}


@pytest.mark.parametrize("query", FILTERS)
def test_filters_find_what_a_loop_finds(client: Client, query: str) -> None:
    first = everything(client)[0]
    judge(client, first, first["doubts"][0], present=True)
    expected = [row for row in everything(client) if any(map(FILTERS[query], row["doubts"]))]
    assert everything(client, query) == expected
    assert expected


def judge(client: Client, row: dict[str, Any], doubt: dict[str, Any], **said: Any) -> Any:
    body = {"reviewer": "Ada", "patch": row["i"], "label": doubt["label"], "present": False}
    return client.post("/api/labels", body | said)


def test_a_decision_is_kept_shown_and_undone(client: Client, screened: Path) -> None:
    row = everything(client)[0]
    doubt, named = row["doubts"][0], "b" * 32
    for _ in range(2):
        answer = judge(client, row, doubt, id=named).json()
        assert answer["saved"] == named
    assert answer["rows"][0]["doubts"][0] == doubt | {"present": False, "by": "Ada", "mine": False}
    (line,) = (screened / "reviews/review.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert (told["label"], told["present"], told["patches"]) == (doubt["label"], False, [row["id"]])
    assert client.json(f"/api/patch/{row['i']}?reviewer=Bob")["doubts"][0]["mine"] is None
    judge(client, row, doubt, reviewer="Bob", present=True)
    shown = client.json(f"/api/patch/{row['i']}?reviewer=Ada")["doubts"][0]
    assert (shown["present"], shown["by"], shown["mine"], shown["disputed"]) == (
        True,
        "Bob",
        False,
        True,
    )
    assert shown["disputed"]
    assert client.json("/api/progress?reviewer=Ada")["decided"] == 0
    undone = client.post("/api/undo", {"reviewer": "Ada"}).json()
    assert undone["patches"] == [row["i"]]
    shown = client.json(f"/api/patch/{row['i']}?reviewer=Ada")["doubts"][0]
    assert (shown["present"], shown["mine"], shown["disputed"]) == (True, None, False)


def test_what_is_refused(
    client: Client, screened: Path, small_screened: Path, doubts: Path
) -> None:
    row = everything(client)[0]
    doubt = row["doubts"][0]
    for said, what in (
        ({"label": "Sea"}, "no label 'Sea' is doubted in patch"),
        ({"patch": 9999}, "there is no patch 9999"),
        ({"reviewer": " "}, "no name for a reviewer"),
        ({"present": "yes"}, "the request cannot be read"),
    ):
        answer = judge(client, row, doubt, **said)
        assert answer.status_code == 400
        assert what in answer.json()["error"]
    assert client.get("/api/patches?doubted_label=Sea").status_code == 400
    assert client.get("/api/patches?doubt=perhaps").status_code == 400
    assert not (screened / "reviews").exists()
    looking = Client(create_app(small_screened, mode="view", doubt=doubts))
    assert judge(looking, row, doubt).status_code == 403
    without = Client(create_app(screened))
    assert without.json("/api/archive")["doubts"] is None
    for query in ("order=label-doubt", "doubt=any"):
        answer = without.get(f"/api/patches?{query}")
        assert answer.status_code == 400
        assert "--doubt FILE" in answer.json()["error"]
    assert everything(without)[0]["doubts"] == []
    assert judge(without, row, doubt).status_code == 400


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another archive: of another place."""
    scene = make_scene(product=PRODUCT.replace("T33UUP", "T34TFQ"))
    return write_archive(tmp_path_factory.mktemp("other") / "archive", scene)


def test_doubts_of_another_archive_are_refused(other: Path, doubts: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="doubts of another archive"):
        create_app(other, doubt=doubts)
    with pytest.raises(MissingError, match="no such file"):
        create_app(other, doubt=tmp_path / "none.parquet")


@pytest.fixture(scope="module")
def index(small_screened: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("indexed") / "index"
    embed_archive(small_screened, out)
    return out


def test_patches_alike_are_those_of_the_search(small_screened: Path, index: Path) -> None:
    client = Client(create_app(small_screened, mode="view", index=index))
    archive, opened = Archive.open(small_screened), open_index(index)
    told = client.json("/api/archive")["similar"]
    assert told == {"model": "band statistics", "metric": "euclidean", "patches": len(archive)}
    for row in (0, 7, len(archive) - 1):
        found = client.json(f"/api/similar/{row}?k=5")
        expected = search(opened, Query(patch=archive.record(row).patch_id, k=5)).results
        assert [one["id"] for one in found["rows"]] == [one.patch for one in expected]
        assert [one["distance"] for one in found["rows"]] == [one.distance for one in expected]
        assert [archive.record(one["i"]).patch_id for one in found["rows"]] == [
            one["id"] for one in found["rows"]
        ]
        assert row not in [one["i"] for one in found["rows"]]
    assert client.get("/api/similar/9999").status_code == 404
    assert client.get("/api/similar/0?k=0").status_code == 400
    assert client.get("/api/similar/0?k=49").status_code == 400


def test_without_an_index_or_with_that_of_another_archive(
    small_screened: Path, other: Path, index: Path, tmp_path: Path
) -> None:
    answer = Client(create_app(small_screened, mode="view")).get("/api/similar/0")
    assert answer.status_code == 400
    assert "--index INDEX" in answer.json()["error"]
    with pytest.raises(InputError, match="the index is of another archive"):
        create_app(other, mode="view", index=index)
    with pytest.raises(MissingError, match="no such folder"):
        create_app(other, mode="view", index=tmp_path / "none")
    cut = shutil.copytree(index, tmp_path / "cut")
    (cut / "vectors.npy").write_bytes((cut / "vectors.npy").read_bytes()[:-8])
    with pytest.raises(InputError, match="ben embed"):
        create_app(small_screened, mode="view", index=cut)
