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
from benforge.quality.screen import screen_archive
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
    """66 real patches, which have v1 names, and flags of half of them that are called published."""
    root = shutil.copytree(imported_sample.root, tmp_path / "sample")
    marks = {flag: np.zeros(33, np.bool_) for flag in (SEASONAL_SNOW, CLOUD_OR_SHADOW)}
    half = imported_sample.index["patch_id"][:33]
    write_flags(root, Flags.of("published", "a test", half, marks))
    return root


def ids(root: Path) -> list[str]:
    return Archive.open(root).index["patch_id"].to_pylist()


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line]


def put(folder: Path, file: str, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / file).write_text("\n".join(names) + "\n")


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
    done = import_flags(sample, published_metadata, "published", replace=True)
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


def test_lists_that_name_nothing_of_the_archive_change_nothing(
    sample: Path, tmp_path: Path
) -> None:
    before = (sample / "flags/published.parquet").read_bytes()
    put(tmp_path, SNOW_LIST, "S2A_MSIL2A_20170613T101031_1_1", "S2A_MSIL2A_20170613T101031_1_2")
    for name in ("published", "other"):
        with pytest.raises(InputError, match="none of the archive's patches") as error:
            import_flags(sample, tmp_path, name, replace=True)
        assert "--lists" in error.value.do
    assert (sample / "flags/published.parquet").read_bytes() == before
    assert not (sample / "flags/other.parquet").exists()


def test_lists_of_no_patch_say_that_all_are_clear(sample: Path, tmp_path: Path) -> None:
    for file in (SNOW_LIST, CLOUD_LIST):
        put(tmp_path, file)
    done = import_flags(sample, tmp_path, "clear")
    assert (done.looked_at, done.marked) == (66, {SEASONAL_SNOW: 0, CLOUD_OR_SHADOW: 0})


def test_other_flags_give_way_to_an_import_only_where_told(sample: Path, tmp_path: Path) -> None:
    name = Archive.open(sample).index["v1_name"][0].as_py()
    put(tmp_path, SNOW_LIST, name)
    before = read_flags(sample, "published").table
    with pytest.raises(ConflictError) as error:
        import_flags(sample, tmp_path)
    assert "--replace" in error.value.do
    assert read_flags(sample, "published").table.equals(before)
    done = import_flags(sample, tmp_path, replace=True)
    assert read_flags(sample, "published").flags == (SEASONAL_SNOW,)
    assert done.lacking == (CLOUD_OR_SHADOW,)
    assert done.facts()[CLOUD_OR_SHADOW] == f"not known, no {CLOUD_LIST} there"
    path = sample / "flags/published.parquet"
    written = path.stat().st_mtime_ns
    import_flags(sample, tmp_path)  # equal ones are left alone
    assert path.stat().st_mtime_ns == written


def test_lines_of_patches_that_were_not_looked_at_stay(root: Path, tmp_path: Path) -> None:
    names, out = reviewed(root), tmp_path / "lists"
    stranger = "S2A_MSIL2A_20170613T101031_1_1"
    put(out, SNOW_LIST, names[5], names[4], stranger)
    put(out, CLOUD_LIST, *names[2:4])
    before = (out / CLOUD_LIST).stat().st_mtime_ns
    done = export_flags(root, out, "review")
    assert lines(out / SNOW_LIST) == [names[5], stranger, *names[:4]]
    assert done.lists == {SNOW_LIST: 4, CLOUD_LIST: 2}
    assert done.lines == {SNOW_LIST: 6, CLOUD_LIST: 2}
    assert f"{SNOW_LIST} 4 of its 6 lines" in done.facts()["lists"]
    assert (out / CLOUD_LIST).stat().st_mtime_ns == before


def test_a_line_of_a_patch_that_has_another_name_now_goes(sample: Path, tmp_path: Path) -> None:
    row = Archive.open(sample).index.slice(0, 1).to_pylist()[0]
    Review(sample).decide("Ada", [SEASONAL_SNOW], [row["patch_id"]])
    put(tmp_path, SNOW_LIST, row["patch_id"])
    put(tmp_path, CLOUD_LIST, row["v1_name"])
    export_flags(sample, tmp_path, "review")
    assert lines(tmp_path / SNOW_LIST) == [row["v1_name"]]
    assert (tmp_path / CLOUD_LIST).read_text() == "\n"


@pytest.mark.parametrize("ending", [".bz2", ".gz"])
def test_a_compressed_list_is_not_hidden_by_a_short_one(
    root: Path, tmp_path: Path, ending: str
) -> None:
    reviewed(root)
    (tmp_path / f"{CLOUD_LIST}{ending}").write_bytes(b"")
    with pytest.raises(ConflictError, match="compressed"):
        export_flags(root, tmp_path, "review", name="mine")
    assert not (root / "flags/mine.parquet").exists()
    assert not (tmp_path / SNOW_LIST).exists()


def test_a_source_that_looked_at_nothing_of_the_archive_is_no_flags(
    root: Path, tmp_path: Path
) -> None:
    Review(root).decide("Ada", [SEASONAL_SNOW], ["elsewhere"])
    with pytest.raises(InputError, match="none of the archive's patches"):
        export_flags(root, tmp_path / "lists", "review", name="mine")
    assert not (root / "flags").exists()
    assert not (tmp_path / "lists").exists()


def test_how_much_was_looked_at_is_told(root: Path, tmp_path: Path) -> None:
    names = reviewed(root)
    Review(root).decide("Ada", [], ["elsewhere"])
    done = export_flags(root, tmp_path / "lists", "review")
    assert (done.patches, done.looked_at, done.not_in_archive) == (len(names), 5, 1)
    assert done.facts()["patches looked at"] == "5 of 6"


def test_flags_are_kept_again_where_told(root: Path, tmp_path: Path) -> None:
    names, out = reviewed(root), tmp_path / "lists"
    export_flags(root, out, "review", name="mine")
    export_flags(root, out, "review", name="mine")
    Review(root).decide("Ada", [], names[:1])
    with pytest.raises(ConflictError) as error:
        export_flags(root, out, "review", name="mine")
    assert "--replace" in error.value.do
    export_flags(root, out, "review", name="mine", replace=True)
    assert read_flags(root, "mine").marked(names).tolist() == [False, *[True] * 3, False, False]


def test_only_what_was_published_is_called_so(sample: Path, tmp_path: Path) -> None:
    screen_archive(Archive.open(sample))
    with pytest.raises(InputError, match="not what BigEarthNet published"):
        export_flags(sample, tmp_path, "screen", name="published", replace=True)
    export_flags(sample, tmp_path, "flags:published", name="published")


def test_a_name_of_several_is_told_and_its_kind_says_which(root: Path, tmp_path: Path) -> None:
    names, review = ids(root), Review(root, "screen")
    review.decide("Ada", [SEASONAL_SNOW], names[:1])
    screen_archive(Archive.open(root))
    with pytest.raises(InputError, match="several are called 'screen'") as error:
        export_flags(root, tmp_path, "screen")
    assert "--from review:screen or --from screening:screen" in error.value.do
    assert export_flags(root, tmp_path, "review:screen", name="screen").looked_at == 1
    assert export_flags(root, tmp_path, "screening:screen").looked_at == 6
    assert export_flags(root, tmp_path, "flags:screen").looked_at == 1
    with pytest.raises(MissingError, match="'flags:none'"):
        export_flags(root, tmp_path, "flags:none")


def test_other_flags_of_the_name_are_not_written_over(root: Path, tmp_path: Path) -> None:
    names = reviewed(root)
    write_flags(root, Flags.of("mine", "x", names, {SEASONAL_SNOW: np.zeros(6, np.bool_)}))
    with pytest.raises(ConflictError):
        export_flags(root, tmp_path / "lists", "review", name="mine")


def test_errors_name_the_option_of_the_command(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("none", "empty"):
        assert run(["flags", "import", str(root), "--lists", str(tmp_path / folder)]) == 1
        told = capsys.readouterr().err
        assert "--lists" in told
        assert "--metadata" not in told


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
