"""Every verb that works on a cluster: the bytes of the same work done here, whoever dies."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benforge.archive import cluster as module
from benforge.archive.archive import Archive
from benforge.cli.main import run
from benforge.core.grid import Grid
from benforge.demo.sample import unpack_sample
from benforge.layouts.importing import _jobs
from benforge.layouts.port import ImportOptions
from benforge.layouts.scene_plan import plan_scenes
from benforge.layouts.v1_import import V1Source, import_v1
from benforge.mapping.facts import MapChoices
from benforge.mapping.map import map_products
from benforge.mapping.scene import MapWork
from benforge.published.lists import PublishedLists
from benforge.statistics.histograms import count_pixels
from benforge.testing.products import GRID, write_small_map, write_small_product
from tests.clusters import PROJECT, Processes, running
from tests.inference.test_export import make_run
from tests.layouts.v1_patches import SOURCE, make_patch
from tests.test_docs import words_of

Verb = Callable[[Path, Path], list[str]]
"""The words of a verb, from what is read and the folder to write."""


Done = Callable[[str], dict[str, bytes]]
"""The files of a verb's work, done once in this process."""

VERBS: dict[str, Verb] = {
    "build": lambda world, out: [
        "build",
        *map(str, sorted(world.glob("*.SAFE"))),
        *("--land-cover", str(world / "map.gpkg"), "--profile", "custom", "--out", str(out)),
    ],
    "import": lambda world, out: ["import", str(world / "v1"), "--out", str(out)],
    "stats": lambda world, out: ["stats", str(world / "archive"), "--out", str(out)],
    "screen": lambda world, out: ["screen", str(shutil.copytree(world / "archive", out))],
    "map": lambda world, out: [
        *("map", str(world / "run"), *map(str, sorted(world.glob("*.SAFE")))),
        *("--keep-clouds", "--out", str(out)),
    ],
}


def write_world(folder: Path, products: int, patches: Path) -> Path:
    """Products side by side with a map of them, an untrained model, patches and their archive."""
    for i in range(products):
        grid = Grid(GRID.crs, GRID.ulx + 5400 * i, GRID.uly, 10, *GRID.shape)
        write_small_product(folder, grid=grid, tile=f"33U{chr(85 + i)}P")
    whole = Grid(GRID.crs, GRID.ulx, GRID.uly, 10, GRID.height, products * GRID.width)
    write_small_map(folder / "map.gpkg", whole)
    make_run(folder / "run", "scnn-all")
    patches.rename(folder / "v1")
    import_v1(folder / "v1", folder / "archive")
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    for day in (13, 14):
        for place in ("1_2", "1_3"):
            source = SOURCE.replace("20190613", f"201906{day}")
            name = f"S2A_MSIL2A_201706{day}T101031_{place}"
            make_patch(folder / "made", name, seed=day, tile_source=source)
    return write_world(folder, 2, folder / "made")


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three products, and the 22 real patches of 13 scenes."""
    folder = tmp_path_factory.mktemp("larger")
    patches = unpack_sample(folder / "sample")
    for path in sorted(patches.glob("S2*"))[22:]:
        shutil.rmtree(path)
    return write_world(folder, 3, patches)


@pytest.fixture(scope="module")
def done_here(larger: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A verb's work on it, done once in this process."""

    @cache
    def done(verb: str) -> dict[str, bytes]:
        out = tmp_path_factory.mktemp("here") / verb
        do(VERBS[verb](larger, out))
        return tree(out)

    return done


@pytest.fixture(scope="module", params=["--no-nanny", "--nanny"])
def crew(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    """Two workers, to be killed."""
    with running(tmp_path_factory.mktemp("crew"), 2, request.param) as found:
        yield found


def slow(verb: str) -> object:
    return pytest.param(verb, marks=pytest.mark.slow)


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def do(words: list[str], *more: str) -> None:
    assert run([*words, *more]) == 0


@pytest.mark.parametrize("verb", ["build", "import", "screen", slow("stats"), slow("map")])
def test_a_cluster_gives_the_bytes_of_the_same_work_done_here(
    verb: str, world: Path, cluster: str, tmp_path: Path
) -> None:
    do(VERBS[verb](world, tmp_path / "here"))
    do(VERBS[verb](world, tmp_path / "there"), "--cluster", cluster)
    expected = tree(tmp_path / "here")
    assert expected
    assert tree(tmp_path / "there") == expected


def test_pixels_are_counted_on_a_cluster_as_here(world: Path, cluster: str) -> None:
    archive = Archive.open(world / "archive")
    here, there = count_pixels(archive, 1), count_pixels(archive, cluster)
    assert here.patches == there.patches == 4
    for band, counts in here.counts.items():
        np.testing.assert_array_equal(there.counts[band], counts)


def test_a_product_is_mapped_on_a_cluster_as_here(
    world: Path, cluster: str, tmp_path: Path
) -> None:
    product, work = (
        min(world.glob("*.SAFE")),
        MapWork(MapChoices(keep_clouds=True, vector="parquet")),
    )
    map_products(world / "run", [product], tmp_path / "here", work)
    map_products(world / "run", [product], tmp_path / "there", work, workers=cluster)
    assert tree(tmp_path / "there") == tree(tmp_path / "here")


def test_paths_from_where_one_stands_are_those_of_workers(
    world: Path, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world)
    do(["import", "v1", "--out", "mine", "--cluster", cluster])
    do(["screen", "mine", "--cluster", cluster])
    shutil.rmtree("mine/screenings")
    assert tree(world / "mine") == tree(world / "archive")


def test_workers_and_a_cluster_are_two_things(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = VERBS["import"](world, tmp_path / "out")
    assert run([*words, "--workers", "2", "--cluster", "tcp://there:8786"]) == 2
    assert "leave out --workers or" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nobody_there_is_one_line_and_nothing_is_left(
    world: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "CONNECT", 0.5)
    words = VERBS["import"](world, tmp_path / "out")
    assert run([*words, "--cluster", "tcp://127.0.0.1:9"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "after"), [*((verb, 0.0) for verb in VERBS), ("build", 0.4), ("import", 0.1)]
)
def test_a_worker_killed_at_work_changes_no_byte(
    verb: str, after: float, larger: Path, done_here: Done, crew: Processes, tmp_path: Path
) -> None:
    expected = done_here(verb)
    crew.fill(2)
    with crew.losing_one(after):
        do([*VERBS[verb](larger, tmp_path / "out"), "--cluster", crew.address])
    assert tree(tmp_path / "out") == expected


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["build", "import", "screen", "map"])
def test_after_a_scheduler_that_died_the_same_command_goes_on(
    verb: str,
    larger: Path,
    done_here: Done,
    cluster: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = done_here(verb)
    words = VERBS[verb](larger, tmp_path / "there")
    (tmp_path / "first").mkdir()
    capsys.readouterr()
    with running(tmp_path / "first", 2) as found:
        killer = threading.Thread(target=found.kill_scheduler)
        killer.start()
        assert run([*words, "--cluster", found.address]) == 1
        killer.join()
    told = capsys.readouterr().err
    assert "scheduler is gone" in told.splitlines()[-1]
    assert "Traceback" not in told
    do(words, "--cluster", cluster)
    assert tree(tmp_path / "there") == expected


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["build", "import", "map"])
def test_a_full_disk_of_workers_is_one_line_and_the_same_command_goes_on(
    verb: str,
    larger: Path,
    done_here: Done,
    tmp_path: Path,
    small_disk: Path,
    cluster: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = done_here(verb)
    room = sum(map(len, expected.values())) * 2 // 5
    subprocess.run(["mount", "-o", f"remount,size={room}", small_disk], check=True)
    words = [*VERBS[verb](larger, small_disk / "out"), "--cluster", cluster]
    capsys.readouterr()
    assert run(words) == 1
    told = capsys.readouterr().err
    assert re.search("full|space", told.splitlines()[-1])
    assert "Traceback" not in told
    subprocess.run(["mount", "-o", "remount,size=500m", small_disk], check=True)
    do(words)
    assert tree(small_disk / "out") == expected


@pytest.mark.slow
def test_progress_and_json_are_those_of_work_done_here(
    larger: Path, cluster: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for name, more in (("here", []), ("there", ["--cluster", cluster])):
        do([*VERBS["import"](larger, tmp_path / name), "--json"], *more)
        told.append(json.loads(capsys.readouterr().out) | {"seconds": 0})
    assert told[0] == told[1]


@pytest.mark.slow
def test_the_page_about_clusters_is_true(
    world: Path, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands run as written, at the address of this cluster."""
    monkeypatch.chdir(shutil.copytree(world, tmp_path / "world"))
    shutil.rmtree("archive")
    page = (PROJECT / "docs" / "cluster.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ben (.* --cluster) tcp://scheduler:8786$", page, re.MULTILINE)
    assert [words.split()[0] for words in commands] == ["import", "screen", "stats", "build", "map"]
    for words in commands:
        do([*words_of(words), cluster])


def test_tasks_are_small(world: Path, tmp_path: Path) -> None:
    """What is sent are paths and names: some hundred bytes a patch."""
    source = V1Source(world / "v1", PublishedLists({}))
    scenes = plan_scenes(map(source.describe, source.list()), lambda _, error: None)
    options = ImportOptions()
    sent = [len(pickle.dumps(job)) for job in _jobs(tmp_path, source, scenes, options)]
    assert max(sent) < 8000
