from __future__ import annotations

import bz2
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benforge.archive.archive import Archive
from benforge.archive.sidecars import read_flags, write_flags
from benforge.cli.main import run
from benforge.core.flags import CLOUD_OR_SHADOW, SEASONAL_SNOW, Flags
from benforge.errors import ConflictError, InputError, MissingError
from benforge.quality.flag_files import export_flags, import_flags
from benforge.quality.review import Review
from benforge.testing.archives import make_scene, write_archive

SNOW_LIST, CLOUD_LIST = "patches_with_seasonal_snow.csv", "patches_with_cloud_and_shadow.csv"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six patches, none of which has a v1 name."""
    return write_archive(tmp_path_factory.mktemp("flags") / "archive", make_scene())


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "archive")


@pytest.fixture
def sample(imported_sample: Archive, tmp_path: Path) -> Path:
    """66 real patches, which have v1 names."""
    return shutil.copytree(imported_sample.root, tmp_path / "sample")


def ids(root: Path) -> list[str]:
    return Archive.open(root).index["patch_id"].to_pylist()


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line]


def reviewed(root: Path) -> list[str]:
    """Ada and Bob agree on the first two, and not on the third."""
    review, names = Review(root), ids(root)
    review.decide("Ada", [SEASONAL_SNOW], names[:3])
    review.decide("Bob", [SEASONAL_SNOW], names[:2])
    review.decide("Bob", [SEASONAL_SNOW, CLOUD_OR_SHADOW], names[2:4])
    review.decide("Bob", [], names[4:5])
    return names


def test_a_review_becomes_lists_and_flags(root: Path, tmp_path: Path) -> None:
    names, out = reviewed(root), tmp_path / "lists"
    done = export_flags(root, out, "review", name="mine")
    assert lines(out / SNOW_LIST) == names[:4]
    assert lines(out / CLOUD_LIST) == names[2:4]
    assert (done.looked_at, done.disputed, done.saved) == (5, 1, "mine")
    flags = read_flags(root, "mine")
    assert sorted(flags.table["patch_id"].to_pylist()) == sorted(names[:5])
    assert flags.marked(names, (CLOUD_OR_SHADOW,)).tolist() == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert flags.parameters["patches_of"] == {"Ada": 3, "Bob": 5}


def test_where_all_must_agree_the_disputed_are_left_out(root: Path, tmp_path: Path) -> None:
    names, out = reviewed(root), tmp_path / "lists"
    done = export_flags(root, out, "review", agree="all")
    assert lines(out / SNOW_LIST) == [*names[:2], names[3]]
    assert lines(out / CLOUD_LIST) == names[3:4]
    assert (done.looked_at, done.disputed) == (4, 1)


def test_lists_come_back_as_the_same_flags(root: Path, tmp_path: Path) -> None:
    names, out = reviewed(root), tmp_path / "lists"
    export_flags(root, out, "review")
    (out / SNOW_LIST).with_suffix(".csv.bz2").write_bytes(
        bz2.compress((out / SNOW_LIST).read_bytes())
    )
    (out / SNOW_LIST).unlink()
    done = import_flags(root, out, "back")
    assert done.marked == {SEASONAL_SNOW: 4, CLOUD_OR_SHADOW: 2}
    assert done.not_in_archive == 0
    back = read_flags(root, "back")
    assert back.marked(names, (SEASONAL_SNOW,)).tolist() == [True] * 4 + [False] * 2


def test_real_lists_come_in_and_strangers_are_counted(
    sample: Path, published_metadata: Path, tmp_path: Path
) -> None:
    done = import_flags(sample, published_metadata, "published")
    snow = set(
        bz2.decompress((published_metadata / f"{SNOW_LIST}.bz2").read_bytes()).decode().split()
    )
    cloud = set(
        bz2.decompress((published_metadata / f"{CLOUD_LIST}.bz2").read_bytes()).decode().split()
    )
    own = set(Archive.open(sample).index["v1_name"].to_pylist())
    assert done.marked == {SEASONAL_SNOW: len(own & snow), CLOUD_OR_SHADOW: len(own & cloud)}
    assert done.not_in_archive == len((snow | cloud) - own)
    export_flags(sample, tmp_path / "lists", "published")
    assert set(lines(tmp_path / "lists" / SNOW_LIST)) == own & snow


def test_lists_of_other_patches_are_refused(root: Path, published_metadata: Path) -> None:
    with pytest.raises(InputError, match="none of the archive's patches"):
        import_flags(root, published_metadata)


@pytest.mark.parametrize("files", [{}, {"train.csv": "x\n"}])
def test_a_folder_without_lists_of_flags_is_told(root: Path, tmp_path: Path, files) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(MissingError, match=r"list"):
        import_flags(root, folder)


def test_a_name_twice_or_a_damaged_list_is_told(root: Path, tmp_path: Path) -> None:
    (tmp_path / SNOW_LIST).write_text(f"{ids(root)[0]}\n" * 2)
    with pytest.raises(InputError, match="twice"):
        import_flags(root, tmp_path)
    (tmp_path / SNOW_LIST).write_bytes(b"")
    with pytest.raises(InputError):
        import_flags(root, tmp_path)


def test_other_flags_of_the_name_are_not_written_over(root: Path, tmp_path: Path) -> None:
    names = reviewed(root)
    write_flags(root, Flags.of("mine", "x", names, {SEASONAL_SNOW: np.zeros(6, np.bool_)}))
    with pytest.raises(ConflictError):
        export_flags(root, tmp_path / "lists", "review", name="mine")


def test_the_command(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "lists")
    assert run(["flags", "export", str(root), "--out", out]) == 1
    assert (
        "no review, screening or flags are called 'review'. It has: none" in capsys.readouterr().err
    )
    reviewed(root)
    assert run(["flags", "export", str(root), "--out", out, "--name", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lists"] == {SNOW_LIST: 4, CLOUD_LIST: 2}
    assert run(["flags", "export", str(root), "--out", out, "--from", "mine"]) == 0
    assert "disputed" in capsys.readouterr().out
    assert run(["flags", "import", str(root), "--lists", out, "--name", "back"]) == 0
    assert "seasonal snow" in capsys.readouterr().out
    split = ["split", str(root), "--rule", "paper-random", "--flags", "mine", "--json"]
    assert run(split) == 1
    assert "of 2 patches in use" in capsys.readouterr().err  # of six, four of them marked
    assert run(["flags", "export", str(root), "--out", out, "--name", "../x"]) == 1
    assert run(["inspect", str(root), "--review", "../x", "--no-browser"]) == 1
    assert "is no name for reviews" in capsys.readouterr().err
