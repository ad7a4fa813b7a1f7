"""The verbs on an archive in object storage, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.cli.main import run
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive
from tests.s3 import KEY, SECRET, Proxy, status


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    scenes = [
        make_scene(small_frame(6, 5, 120), product=PRODUCT.replace("20170613", day), seed=seed)
        for seed, day in enumerate(("20170613", "20180108"))
    ]
    return write_archive(tmp_path / "archive", *scenes)


def ask(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = run(words)
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err
    assert "Traceback" not in said.err
    return status, said.out, said.err


def test_there_and_back(
    archive: Path, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text, _ = ask(["copy", str(archive), address], capsys)
    assert code == 0
    assert f"Copied to {address}" in text
    assert "2 copied, 0 there already" in text
    code, text, _ = ask(["copy", address, str(tmp_path / "back"), "--json"], capsys)
    assert code == 0
    assert json.loads(text)["scenes_copied"] == 2
    assert ask(["check", address], capsys)[1] == f"{address}: whole, every checksum holds\n"
    assert ask(["check", str(tmp_path / "back")], capsys)[0] == 0


def test_figures_are_those_of_the_folder(
    archive: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["copy", str(archive), address])
    capsys.readouterr()
    told = [
        json.loads(ask(["info", place, "--json"], capsys)[1]) for place in (str(archive), address)
    ]
    assert told[0] == told[1]
    for words in (["split", "--rule", "paper-random"], ["screen"]):
        for place in (str(archive), address):
            assert ask([words[0], place, *words[1:]], capsys)[0] == 0
    for name in ("splits/paper-random.parquet", "screenings/screen.parquet"):
        assert (Archive.open(address).root / name).read_bytes() == (archive / name).read_bytes()
    assert ask(["copy", str(archive), address], capsys)[0] == 0


def test_pixels_are_those_of_the_folder(archive: Path, address: str, tmp_path: Path) -> None:
    run(["copy", str(archive), address])
    vectors, samples = [], []
    for i, place in enumerate((str(archive), address)):
        index, lmdb = tmp_path / f"index-{i}", tmp_path / f"lmdb-{i}"
        assert run(["embed", "--statistics", place, "--out", str(index)]) == 0
        assert run(["export", place, "--layout", "lmdb", "--out", str(lmdb)]) == 0
        vectors.append((index / "vectors.npy").read_bytes())
        samples.append(next(lmdb.rglob("data.mdb")).read_bytes())
    assert vectors[0] == vectors[1]
    assert samples[0] == samples[1]


@pytest.mark.slow
def test_learning_from_object_storage(archive: Path, address: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from benforge.evaluation.files import read_predictions

    run(["split", str(archive), "--rule", "paper-random"])
    address = f"{address}/archive"  # the same name, which tables tell
    run(["copy", str(archive), address])
    scores, tables = [], []
    for i, place in enumerate((str(archive), address)):
        out = tmp_path / str(i)
        words = ["train", place, "--split", "paper-random", "--model", "scnn-rgb", "--epochs", "1"]
        assert run([*words, "--out", str(out), "--set", "train.batch_size=16"]) == 0
        file = out / "test.parquet"
        assert run(["predict", str(out), place, "--split", "paper-random", "--out", str(file)]) == 0
        scores.append(read_predictions(file).scores)
        assert run(["stats", place, "--out", str(out / "statistics")]) == 0
        found = sorted((out / "statistics/tables").glob("*.csv"))
        tables.append({path.name: path.read_text() for path in found})
    assert np.array_equal(*scores)
    assert tables[0] == tables[1]


def test_what_is_not_possible_says_what_to_do(
    archive: Path, address: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(["copy", str(archive), address])
    for words, code, told in (
        (["info", f"{address}/nothing"], 1, "there is no such folder"),
        (["info", "s3://"], 2, "names no bucket"),
        (["inspect", address, "--no-browser"], 1, "Copy the archive to a folder first: ben copy"),
        (["build", "x", "--land-cover", "m", "--out", address], 2, "then: ben copy FOLDER s3://"),
        (["import", "x", f"--out={address}"], 2, "then: ben copy FOLDER s3://"),
        (["copy", str(archive), f"{archive}/inside"], 1, "lie in each other"),
    ):
        found, _, said = ask(words, capsys)
        assert found == code, said
        assert told in " ".join(said.split()), said
        if code == 1:
            assert said.count("\n") == 1


@pytest.mark.parametrize("verb", ["info", "check", "copy"])
def test_a_storage_that_fails_is_one_line(
    verb: str, archive: Path, address: str, proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["copy", str(archive), address])
    capsys.readouterr()
    proxy.fail("GET", "archive.json", *[status(503)] * 9)
    more = [f"{archive}-2"] if verb == "copy" else []
    code, _, said = ask([verb, address, *more], capsys)
    assert code == 1
    assert said.startswith(f"ben: {address}/archive.json: the object storage at {proxy.url} fails")
    assert said.endswith("then run the same command again\n")
    assert said.count("\n") == 1
    assert KEY not in said
