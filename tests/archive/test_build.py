import hashlib
import multiprocessing
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from benforge.archive.archive import Archive
from benforge.archive.build import BuildSummary, build_archive
from benforge.archive.check import check_archive
from benforge.errors import ArchiveError, ConflictError, InputError, ProductError, StorageError
from benforge.recipe.load import load_recipe
from benforge.testing.products import GRID, noise, write_small_map, write_small_product

DATES = [
    datetime(2017, 6, 13, 10, 10, 31, tzinfo=UTC),
    datetime(2018, 2, 25, 11, 43, 51, tzinfo=UTC),
]
CUSTOM = load_recipe("custom")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two products of one tile, one of a neighbour, and a map of all."""
    folder = tmp_path_factory.mktemp("world")
    for date in DATES:
        write_small_product(folder, date=date)
    east = GRID.crop(0, 0, *GRID.shape)
    east = type(GRID)(GRID.crs, GRID.ulx + 5400, GRID.uly, 10, *GRID.shape)
    write_small_product(folder, date=DATES[0], grid=east, tile="33UVP")
    both = type(GRID)(GRID.crs, GRID.ulx, GRID.uly, 10, GRID.height, 2 * GRID.width)
    write_small_map(folder / "map.gpkg", both)
    return folder


def products(world: Path) -> list[Path]:
    return sorted(world.glob("*.SAFE"))


def build(world: Path, out: Path, **kwargs: object) -> BuildSummary:
    chosen = kwargs.pop("products", products(world))
    recipe = kwargs.pop("recipe", CUSTOM)
    return build_archive(chosen, world / "map.gpkg", out, recipe, **kwargs)  # type: ignore[arg-type]


def tree(root: Path) -> dict[str, str]:
    """Every file below a folder and its checksum."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of an undisturbed build."""
    out = tmp_path_factory.mktemp("whole") / "archive"
    build(world, out)
    return out


def errors(root: Path) -> list[str]:
    return [f"{f.where}: {f.what}" for f in check_archive(root) if f.severity == "error"]


def test_an_archive_holds_every_patch_of_every_product(whole: Path) -> None:
    archive = Archive.open(whole)
    assert len(archive) == 3 * 16
    assert archive.meta.simulated
    assert len(archive.meta.scenes) == 3
    assert errors(whole) == []
    assert {record.season for record in archive.records()} == {"summer", "winter"}


def test_pixels_are_those_of_the_product(world: Path, whole: Path) -> None:
    archive = Archive.open(whole)
    expected = noise(seed=int(DATES[1].timestamp()))
    (place,) = [
        i
        for i, record in enumerate(archive.records())
        if record.sensing_time == DATES[1] and (record.column, record.row) == (3, 1)
    ]
    patch = archive[place]
    for name, pixels in expected.items():
        edge = patch.band(name).shape[0]
        cut = pixels[edge : 2 * edge, 3 * edge : 4 * edge]
        np.testing.assert_array_equal(patch.band(name), cut)


def test_the_same_inputs_give_the_same_bytes_in_any_order_and_by_any_workers(
    world: Path, whole: Path, tmp_path: Path
) -> None:
    build(world, tmp_path / "a", products=products(world)[::-1])
    build(world, tmp_path / "b", workers=2)
    build(world, tmp_path / "c", products=products(world)[:1])
    build(world, tmp_path / "c", products=products(world)[1:])
    expected = tree(whole)
    for name in "abc":
        assert tree(tmp_path / name) == expected


def test_building_again_builds_nothing(world: Path, whole: Path) -> None:
    before = tree(whole)
    summary = build(world, whole)
    assert (len(summary.built), len(summary.held)) == (0, 3)
    assert tree(whole) == before


def test_rules_that_drop_patches_leave_empty_chunks(world: Path, tmp_path: Path) -> None:
    product = write_small_product(tmp_path / "p", bands=noise(empty=1))
    recipe = load_recipe("custom", overrides=["patches.drop_nodata=true"])
    summary = build(world, tmp_path / "out", products=[product], recipe=recipe)
    archive = Archive.open(tmp_path / "out")
    assert summary.patches == len(archive) == 12
    assert {record.column for record in archive.records()} == {1, 2, 3}
    assert not archive.pixels.read(archive.meta.scenes[0].name, 0, 0)[10].any()
    assert errors(tmp_path / "out") == []


def test_without_that_rule_the_share_of_nodata_is_told(world: Path, tmp_path: Path) -> None:
    product = write_small_product(tmp_path / "p", bands=noise(empty=1))
    build(world, tmp_path / "out", products=[product])
    shares = {r.column: r.nodata for r in Archive.open(tmp_path / "out").records()}
    assert shares == pytest.approx({0: 0.05, 1: 0, 2: 0, 3: 0})


def test_a_damaged_product_leaves_what_is_whole_and_can_be_gone_on_with(
    world: Path, whole: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "world"
    subprocess.run(["cp", "-r", world, copy], check=True)
    (file,) = copy.glob("*33UVP*/GRANULE/*/IMG_DATA/R20m/*_B8A_20m.jp2")
    good = file.read_bytes()
    bad = bytearray(good)
    bad[len(bad) // 2 : -2] = bytes(len(bad) - 2 - len(bad) // 2)
    file.write_bytes(bad)
    with pytest.raises(ProductError, match="B8A"):
        build(copy, tmp_path / "out")
    assert errors(tmp_path / "out") == []
    assert len(Archive.open(tmp_path / "out")) == 32
    file.write_bytes(good)
    build(copy, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(whole)


def test_other_input_for_a_scene_or_other_rules_are_refused(world: Path, whole: Path) -> None:
    recipe = load_recipe("custom", overrides=["labels.policy=pixel-centre"])
    with pytest.raises(ConflictError, match=r"labels\.policy was presence, is pixel-centre"):
        build(world, whole, recipe=recipe)


def test_another_map_for_a_scene_is_refused(world: Path, whole: Path, tmp_path: Path) -> None:
    other = write_small_map(tmp_path / "other.gpkg", codes=(111, 523))
    with pytest.raises(ConflictError, match="another land_cover"):
        build_archive(products(world), other, whole, CUSTOM)


def test_no_product_and_no_archive_folder_are_refused(world: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no product"):
        build(world, tmp_path / "x", products=[])
    (tmp_path / "mine.txt").write_text("thesis")
    with pytest.raises(ArchiveError, match="not an archive"):
        build(world, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "thesis"


def test_a_first_build_that_fails_binds_nobody_to_its_rules(world: Path, tmp_path: Path) -> None:
    product = write_small_product(tmp_path / "p", level="L1C")
    out = tmp_path / "out"
    with pytest.raises(ProductError, match=r"--set products\.level=L1C"):
        build(world, out, products=[product])
    assert not out.exists()
    recipe = load_recipe("custom", overrides=["products.level=L1C"])
    assert build(world, out, products=[product], recipe=recipe).patches == 16


def test_the_same_product_named_twice_is_built_once(world: Path, tmp_path: Path) -> None:
    one = products(world)[0]
    assert build(world, tmp_path / "out", products=[one, one]).scenes == 1


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused_before_anything_is_written(
    world: Path, tmp_path: Path, workers: int
) -> None:
    with pytest.raises(InputError, match="--workers"):
        build(world, tmp_path / "out", workers=workers)
    assert not (tmp_path / "out").exists()


def test_a_scene_that_was_removed_is_built_again(world: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    shutil.rmtree(next(out.glob("scenes/*")))
    build(world, out)
    assert tree(out) == tree(whole)


def test_a_scene_that_is_lost_is_not_forgotten(world: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    lost = next(out.glob("scenes/*33UVP*"))
    shutil.rmtree(lost)
    others = [path for path in products(world) if "33UVP" not in path.name]
    with pytest.raises(ArchiveError, match=r"scene is missing.*Restore"):
        build(world, out, products=others)
    assert len(Archive.open(out).meta.scenes) == 3


def test_repaired_polygons_are_counted(world: Path, tmp_path: Path) -> None:
    left, bottom, right, top = GRID.bounds
    middle = (left + right) / 2
    bow = shapely.Polygon([(left, top), (middle, bottom), (left, bottom), (middle, top)])
    rest = shapely.box(middle, bottom, right, top)
    frame = gpd.GeoDataFrame({"Code_18": ["312", "512"]}, geometry=[bow, rest], crs=GRID.crs)
    frame.to_file(tmp_path / "bow.gpkg")
    one = products(world)[0]
    summary = build_archive([one], tmp_path / "bow.gpkg", tmp_path / "out", CUSTOM)
    assert summary.repaired == 1
    assert summary.facts()["repaired"] == "1 invalid polygon"


def build_in_a_process(world: Path, out: Path) -> None:
    build(world, out)


@pytest.fixture(scope="module")
def forkserver() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benforge.archive.build", "benforge.testing.products"])
    return context


def test_a_build_killed_at_any_moment_ends_byte_identical_when_run_again(
    world: Path,
    whole: Path,
    tmp_path: Path,
    forkserver: multiprocessing.context.ForkServerContext,
) -> None:
    expected = tree(whole)
    seconds = undisturbed_seconds(forkserver, world, tmp_path / "timed")
    stages = set()
    for seed in range(20):
        out = tmp_path / f"archive-{seed}"
        process = forkserver.Process(target=build_in_a_process, args=(world, out))
        process.start()
        time.sleep(random.Random(seed).uniform(0, seconds))
        process.kill()
        process.join()
        stages.add(len(list(out.glob("scenes/*.zarr"))) if out.exists() else -1)
        build(world, out)
        assert tree(out) == expected
    assert len(stages) > 1, "every kill hit the same stage: the test says nothing"


def undisturbed_seconds(
    context: multiprocessing.context.ForkServerContext, world: Path, out: Path
) -> float:
    for name in ("warm", "timed"):
        start = time.monotonic()
        process = context.Process(target=build_in_a_process, args=(world, out / name))
        process.start()
        process.join()
        assert process.exitcode == 0
    return time.monotonic() - start


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=5m", "tmpfs", str(disk)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_one_clear_line_and_the_build_goes_on_later(
    world: Path, whole: Path, small_disk: Path
) -> None:
    size = sum(path.stat().st_size for path in whole.rglob("*"))
    room = 1.5 * size / 3
    subprocess.run(["mount", "-o", f"remount,size={int(room)}", small_disk], check=True)
    with pytest.raises(StorageError, match=r"disk is full.*same command again") as caught:
        build(world, small_disk / "archive")
    assert "\n" not in str(caught.value)
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    build(world, small_disk / "archive")
    assert tree(small_disk / "archive") == tree(whole)
