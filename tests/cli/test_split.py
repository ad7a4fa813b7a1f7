import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_split, write_flags, write_split
from benforge.cli.main import run
from benforge.core.flags import SEASONAL_SNOW, Flags
from benforge.core.split import PARTS, Split
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Three tiles of 4 x 4 patches of 60 m on the same ground."""
    scenes = [
        make_scene(small_frame(4, 4, 6), product=PRODUCT.replace("33UUP", tile))
        for tile in ("33UUP", "33UUQ", "33UVP")
    ]
    return str(write_archive(tmp_path / "archive", *scenes))


@pytest.mark.parametrize("rule", ["paper-random", "ben-v1", "by-tile"])
def test_a_split_is_written_and_listed(
    rule: str, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["split", archive, "--rule", rule, "--seed", "3", "--name", "mine"]
    assert run([*words, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["splits"]
    split = read_split(Path(archive), "mine")
    assert (told["digest"], told["sizes"]) == (split.digest, split.sizes)
    assert (told["rule"], told["seed"], told["name"]) == (rule, 3, "mine")
    assert "no flags" in told["notes"][0]

    assert run(["split", archive]) == 0
    shown = capsys.readouterr().out
    assert split.digest in shown
    assert f"train {split.sizes['train']}, validation {split.sizes['validation']}" in shown


def test_flags_are_respected_and_another_split_is_not_overwritten(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = Archive.open(archive).index["patch_id"]
    marks = np.arange(len(ids)) < 5
    write_flags(Path(archive), Flags.of("mine", "a test", ids, {SEASONAL_SNOW: marks}))
    words = ["split", archive, "--rule", "paper-random"]
    assert run(words) == 0
    assert "left out for snow or clouds: 5" in capsys.readouterr().out
    assert len(read_split(Path(archive), "paper-random")) == 43
    assert run(words) == 0
    assert run([*words, "--flags", "none"]) == 1
    assert "paper-random" in capsys.readouterr().err
    assert run([*words, "--flags", "none", "--name", "all"]) == 0
    assert len(read_split(Path(archive), "all")) == 48


def test_leakage_is_told_and_drawn(
    archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    assert run(["split", archive, "--rule", "by-tile"]) == 0
    capsys.readouterr()
    assert run(["split", archive, "--leakage", "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["leakage"] == json.loads((out / "leakage.json").read_bytes())
    assert told["leakage"]["test"]["other_tile"]["equal"] == {"patches": 16, "footprints": 16}
    assert told["leakage"]["test"]["same_tile"]["any"]["patches"] == 0
    assert (out / "leakage.png").read_bytes().startswith(b"\x89PNG")
    assert run(["split", archive, "--leakage"]) == 0
    assert "test equal train        16 (100.00 %)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rule", "ben-v2"], "archive: the rule ben-v2 leaves validation and test empty"),
        (["--rule", "published", "--lists", "x"], "x: there is no such folder"),
        (["--rule", "published", "--lists", "."], "holds the lists: --lists"),
        (["--rule", "paper-random", "--flags", "f"], "no flags of this name"),
        (["--leakage"], "the archive has no split yet"),
        (["--leakage", "--name", "x"], "no splits of this name"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str],
    said: str,
    archive: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["split", archive, *words]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_the_published_lists_need_no_archive(
    published_metadata: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["split", "--metadata", str(published_metadata), "--leakage"]) == 1
    err = capsys.readouterr().err
    assert str(published_metadata) in err
    assert "--name v1 or --name v2" in err


def test_lists_that_are_missing_are_named_with_their_folder_and_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["split", "--metadata", str(tmp_path), "--leakage"]
    assert run(words) == 1
    assert f"{tmp_path}: no published list is there" in (err := capsys.readouterr().err)
    assert "--metadata" in err
    for part in ("train", "val", "test"):
        (tmp_path / f"{part}.csv").write_text("")
    assert run(words) == 1
    assert f"{tmp_path}: the published list tile_names" in (err := capsys.readouterr().err)
    assert "--metadata" in err
    assert run([*words, "--name", "v2"]) == 1
    assert "lacks metadata.parquet" in (err := capsys.readouterr().err)
    assert "--metadata" in err
    assert "--lists" not in err


def test_a_split_that_names_other_patches_is_told_with_the_archive(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Split.of("other", "paper-random", pa.array(["a", "b", "c"]), np.array(PARTS, object))
    write_split(Path(archive), other)
    assert run(["split", archive, "--leakage"]) == 1
    err = capsys.readouterr().err
    assert f"{archive}: the split other names none of its patches" in err
    assert "--name" in err


def test_flags_of_a_part_of_the_archive_are_told(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = Archive.open(Path(archive)).index["patch_id"][:18]
    marks = {SEASONAL_SNOW: np.arange(18) < 2}
    write_flags(Path(archive), Flags.of("mine", "a test", ids, marks))
    assert run(["split", archive, "--rule", "paper-random", "--flags", "mine", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["splits"]
    assert "30 patches were not looked at by the flags mine, which counts as clear" in told["notes"]
    assert sum(told["sizes"].values()) == 46


def test_without_a_name_all_flags_of_the_archive_leave_out(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = Archive.open(Path(archive)).index["patch_id"]
    for name, count in (("reviewed", 2), ("screened", 5)):
        marks = {SEASONAL_SNOW: np.arange(48) < count}
        write_flags(Path(archive), Flags.of(name, "a test", ids, marks))
    for words, left in (([], 43), (["--flags", "reviewed", "--name", "mine"], 46)):
        assert run(["split", archive, "--rule", "paper-random", *words, "--json"]) == 0
        (told,) = json.loads(capsys.readouterr().out)["splits"]
        assert sum(told["sizes"].values()) == left


def test_several_splits_are_named_with_their_option(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        assert run(["split", archive, "--rule", "by-tile", "--name", name]) == 0
    assert run(["split", archive, "--leakage"]) == 1
    assert "--name one or --name two" in capsys.readouterr().err


def test_leakage_of_a_simulated_archive_says_so(
    archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["split", archive, "--leakage", "--out", str(tmp_path / "out")]
    assert run([*words, "--rule", "by-tile"]) == 0
    assert "simulated               yes" in capsys.readouterr().out
    assert json.loads((tmp_path / "out/leakage.json").read_bytes())["simulated"] is True


def test_a_report_is_not_written_into_an_archive(
    archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(archive) / "report"
    assert run(["split", archive, "--rule", "by-tile", "--leakage", "--out", str(out)]) == 1
    assert f"{out}: lies in archive" in capsys.readouterr().err
    assert not out.exists()
    assert not list(Path(archive).glob("splits/*")), "the split was made all the same"


@pytest.mark.slow
def test_a_published_split_leaks_as_measured(
    published_metadata: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = ["split", "--metadata", str(published_metadata)]
    assert run([*metadata, "--leakage", "--name", "v1", "--json"]) == 0
    test = json.loads(capsys.readouterr().out)["leakage"]["test"]
    assert test["total"] == test["all"]["any"] == {"patches": 125_866, "footprints": 57_534}
