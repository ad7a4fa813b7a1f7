"""Copies are byte for byte what was copied, whole or not seen, and go on where they stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benforge.archive import copy_scene as module
from benforge.archive.archive import Archive
from benforge.archive.check import check_archive
from benforge.archive.copy import CopySummary, copy_archive
from benforge.archive.index import write_index
from benforge.archive.layout import INDEX, META, scene_path
from benforge.archive.meta import read_meta
from benforge.archive.sidecars import read_flags, write_flags
from benforge.core.flags import Flags
from benforge.core.object_path import ObjectPath, parse_place
from benforge.errors import (
    ArchiveError,
    ConflictError,
    MissingError,
    ObjectStorageError,
    StorageError,
)
from benforge.testing.archives import PRODUCT, make_scene, small_frame, write_archive
from tests.s3 import FAULTS, Proxy, Storage, cut, drop, hang, status, truncate

OTHER = PRODUCT.replace("20170613", "20180508")


def bytes_of(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def flags(*marked: int) -> Flags:
    ids = [f"{PRODUCT}_{i:02d}_00" for i in marked]
    table = pa.table({"patch_id": ids, "flag": ["cloud_or_shadow"] * len(ids)})
    return Flags("mine", "a test", table, {})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scenes = make_scene(small_frame(16, 3), kept=0.8), make_scene(product=OTHER, seed=1)
    return write_archive(tmp_path_factory.mktemp("made") / "archive", *scenes)


@pytest.fixture
def source(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "source")


@pytest.fixture(params=["folder", "objects"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        return tmp_path / "target"
    return parse_place(f"{request.getfixturevalue('address')}/archive")


def test_a_copy_and_a_copy_of_it_hold_the_same_bytes(
    source: Path, target: Path, tmp_path: Path
) -> None:
    write_flags(source, flags(0, 1))
    told: list[tuple[str, float, float]] = []
    summary = copy_archive(source, target, progress=lambda *step: told.append(step))
    expected = bytes_of(source)
    scenes = [name for name in expected if name.startswith("scenes")]
    assert bytes_of(target) == expected
    assert summary == CopySummary(
        scenes=2,
        scenes_copied=2,
        files=len(scenes) - 2 + 1,
        bytes=sum(
            len(data)
            for name, data in expected.items()
            if name not in (META, INDEX) and not name.endswith("manifest.sha256")
        ),
        kept=0,
        sidecars=1,
    )
    assert told[-1] == (f"copying {OTHER}", len(scenes) - 2, len(scenes) - 2)
    assert [done for _, done, _ in told] == list(range(1, len(scenes) - 1))
    copy_archive(target, tmp_path / "back")
    assert bytes_of(tmp_path / "back") == expected
    assert check_archive(target) == check_archive(tmp_path / "back") == []
    assert not (tmp_path / "back/.build").exists()


def test_what_is_there_is_left_alone(source: Path, target: Path) -> None:
    copy_archive(source, target)
    again = copy_archive(source, target)
    assert (again.scenes, again.scenes_copied, again.files, again.bytes) == (2, 0, 0, 0)
    assert bytes_of(target) == bytes_of(source)


def test_a_copy_grows_with_its_archive(source: Path, target: Path) -> None:
    away = source.parent / "away"
    scene_path(source, OTHER).rename(away)
    meta = read_meta(source)
    write_index(source, meta.with_scenes(meta.scenes[:1]))
    copy_archive(source, target)
    assert [scene.name for scene in Archive.open(target).meta.scenes] == [PRODUCT]
    away.rename(scene_path(source, OTHER))
    write_index(source, meta)
    assert copy_archive(source, target).scenes_copied == 1
    assert bytes_of(target) == bytes_of(source)


def test_an_archive_is_seen_when_all_else_is_there(
    source: Path, proxy: Proxy, address: str
) -> None:
    write_flags(source, flags(0))
    copy_archive(source, parse_place(address))
    written = [
        path.partition("test-")[2].partition("/")[2]
        for method, path, _ in proxy.told
        if method == "PUT"
    ]
    assert written[-2:] == [INDEX, META]
    for name in (PRODUCT, OTHER):
        of_scene = [path for path in written if name in path]
        assert of_scene[-1].endswith("manifest.sha256")
        assert max(map(written.index, of_scene)) < written.index("flags/mine.parquet")
    assert len(written) == len(set(written)) == len(bytes_of(source))


@pytest.mark.parametrize("name", ["drop", "500", "503"])
def test_bursts_of_faults_change_nothing(
    source: Path, proxy: Proxy, address: str, name: str, tmp_path: Path
) -> None:
    place, fault = parse_place(address), FAULTS[name]
    for method, part in (("PUT", "r10m"), ("PUT", "manifest"), ("PUT", META), ("GET", "list-")):
        proxy.fail(method, part, fault, fault)
    copy_archive(source, place)
    assert bytes_of(place) == bytes_of(source)
    for part in ("r10m/c/0/0/0", "manifest", "list-", META):
        proxy.fail("GET", part, fault, cut)
    proxy.fail("GET", "r20m/c/0/0/0", truncate, fault)
    copy_archive(place, tmp_path / "back")
    assert not proxy.left()
    assert bytes_of(tmp_path / "back") == bytes_of(source)


def test_a_copy_goes_on_where_the_storage_failed(
    source: Path, proxy: Proxy, address: str, storage: Storage
) -> None:
    place = parse_place(address)
    shards = [name for name in bytes_of(source) if "/c/" in name]
    for failing in (shards[3], "manifest.sha256", META):
        proxy.recover()
        proxy.fail("PUT", failing, *[status(503)] * 20)
        with pytest.raises(ObjectStorageError, match=r"tried 3 times.*run the same command again"):
            copy_archive(source, place)
        with pytest.raises((MissingError, ArchiveError), match=r"not an archive|no such folder"):
            Archive.open(place)
    proxy.recover()
    proxy.told.clear()
    copy_archive(source, place)
    assert bytes_of(place) == bytes_of(source) == storage.files(address)
    assert sum(method == "PUT" for method, _, _ in proxy.told) == 2  # the index, archive.json


def test_a_half_copy_is_held_to_its_checksums(source: Path, target: Path) -> None:
    """Of a scene without checksums each file is verified: one that differs is written anew."""
    copy_archive(source, target)
    scene = scene_path(target, PRODUCT)
    for name in (META, INDEX):
        (target / name).unlink()
    (scene / "manifest.sha256").unlink()
    shard = scene / "r10m/c/0/0/0"
    shard.write_bytes(bytes(len(shard.read_bytes())))
    (scene / "r20m/zarr.json").unlink()
    summary = copy_archive(source, target)
    assert (summary.scenes_copied, summary.files) == (1, 2)
    assert summary.kept == sum(PRODUCT in name for name in bytes_of(source)) - 3
    assert bytes_of(target) == bytes_of(source)


def test_a_growing_copy_that_was_cut_off_stays_whole(
    source: Path, proxy: Proxy, address: str
) -> None:
    """Until the copy goes on, readers and checks see the archive as it was."""
    away, place = source.parent / "away", parse_place(address)
    scene_path(source, OTHER).rename(away)
    meta = read_meta(source)
    write_index(source, meta.with_scenes(meta.scenes[:1]))
    copy_archive(source, place)
    away.rename(scene_path(source, OTHER))
    write_index(source, meta)
    proxy.fail("PUT", "r20m/c/0/0/0", *[drop] * 9)
    with pytest.raises(ObjectStorageError):
        copy_archive(source, place)
    proxy.recover()
    assert len(Archive.open(place)) == meta.scenes[0].patches
    (found,) = check_archive(place)
    assert found.severity == "note"
    assert found.what.endswith("the copy goes on with: ben copy")
    copy_archive(source, place)
    assert bytes_of(place) == bytes_of(source)


def test_damage_at_the_target_is_mended_as_the_check_says(source: Path, target: Path) -> None:
    copy_archive(source, target)
    scene = scene_path(target, PRODUCT)
    damage(scene / "r10m/c/0/0/0")
    advice = [f.what for f in check_archive(target) if f.where == str(scene)]
    if isinstance(target, ObjectPath):
        assert "Remove its manifest.sha256 there, and copy the archive again" in advice[0]
    (scene / "manifest.sha256").unlink()
    assert copy_archive(source, target).files == 1
    assert check_archive(target) == []


def test_what_another_state_of_a_scene_left_is_removed(source: Path, address: str) -> None:
    place = parse_place(address)
    (scene_path(place, PRODUCT) / "old/c/0").write_bytes(b"x")
    copy_archive(source, place)
    assert bytes_of(place) == bytes_of(source)


def test_an_object_that_got_lost_is_found_before_the_scene_counts(
    source: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = module._put

    def lose(path: Path, data: bytes) -> None:
        put(path, data[:-1] if str(path).endswith("r20m/c/0/0/0") else data)

    monkeypatch.setattr(module, "_put", lose)
    with pytest.raises(ArchiveError, match=r"r20m/c/0/0/0: did not arrive whole.*same command"):
        copy_archive(source, parse_place(address))
    with pytest.raises((ArchiveError, MissingError)):
        Archive.open(address)


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda scene: damage(scene / "r10m/c/0/0/0"), r"r10m/c/0/0/0: damaged, its checksum"),
        (lambda scene: (scene / "r10m/c/0/0/0").unlink(), r"r10m/c/0/0/0: cannot be read"),
        (lambda scene: (scene / "manifest.sha256").unlink(), "checksums cannot be read"),
        (lambda scene: damage(scene / "manifest.sha256"), "not those recorded in archive.json"),
        (lambda scene: shutil.rmtree(scene), "checksums cannot be read"),
        (lambda scene: damage(scene.parents[1] / INDEX), "the index cannot be read|rows"),
    ],
)
def test_damage_is_not_copied(
    source: Path, target: Path, harm: Callable[[Path], None], told: str
) -> None:
    harm(scene_path(source, PRODUCT))
    if "index" in told:
        (source / INDEX).write_bytes(b"PAR1")
    with pytest.raises(ArchiveError, match=told):
        copy_archive(source, target)
    assert not (scene_path(target, PRODUCT) / "manifest.sha256").exists()
    assert not (target / META).exists()


def test_an_index_of_other_scenes_waits(source: Path, target: Path) -> None:
    (source / INDEX).write_bytes((scene_path(source, OTHER) / INDEX).read_bytes())
    with pytest.raises(ArchiveError, match=r"6 rows, archive.json says .* Wait until"):
        copy_archive(source, target)


def test_other_scenes_are_not_lost(source: Path, target: Path, tmp_path: Path) -> None:
    write_archive(tmp_path / "other", make_scene(product=OTHER, seed=7))
    copy_archive(tmp_path / "other", target)
    before = bytes_of(target)
    with pytest.raises(ConflictError, match=r"another scene of this name.*Name another target"):
        copy_archive(source, target)
    scene = make_scene(product=PRODUCT.replace("20170613", "20180901"))
    write_archive(tmp_path / "third", scene)
    with pytest.raises(ConflictError, match="a scene that is not in the archive to be copied"):
        copy_archive(tmp_path / "third", target)
    (target / META).unlink()
    with pytest.raises(ConflictError, match=r"another scene of this name.*or remove the scene"):
        copy_archive(source, target)
    assert bytes_of(target) | {META: before[META]} == before | {
        name: data for name, data in bytes_of(target).items() if PRODUCT in name
    }


def test_sidecars_give_way_only_when_asked(source: Path, target: Path) -> None:
    write_flags(source, flags(0))
    copy_archive(source, target)
    write_flags(source, flags(0, 1), replace=True)
    with pytest.raises(ConflictError, match=r"another of this name.*--replace"):
        copy_archive(source, target)
    assert len(read_flags(target, "mine").table) == 1
    assert copy_archive(source, target, replace=True).sidecars == 1
    assert len(read_flags(target, "mine").table) == 2


def test_only_new_places_and_copies_are_written_to(
    source: Path, target: Path, tmp_path: Path
) -> None:
    target.mkdir(exist_ok=True)
    (target / "notes.txt").write_bytes(b"mine")
    with pytest.raises(ConflictError, match=r"holds other things, such as notes.txt"):
        copy_archive(source, target)
    for place in (source, source / "copy", source.parent):
        with pytest.raises(ConflictError, match="lie in each other"):
            copy_archive(source, place)
    with pytest.raises(ConflictError, match="not a folder"):
        copy_archive(source, target / "notes.txt")
    with pytest.raises(MissingError, match="no such folder"):
        copy_archive(tmp_path / "absent", target)


def test_a_full_disk(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync, left = os.fsync, [5]

    def full(file: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        sync(file)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"the disk is full.*goes on where it stopped"):
        copy_archive(source, tmp_path / "target")
    with pytest.raises(ArchiveError, match="not an archive"):
        Archive.open(tmp_path / "target")
    monkeypatch.setattr(os, "fsync", sync)
    assert copy_archive(source, tmp_path / "target").kept == 5
    assert bytes_of(tmp_path / "target") == bytes_of(source)


@pytest.mark.parametrize(
    ("way", "end"), [("up", signal.SIGKILL), ("down", signal.SIGINT)], ids=["killed", "stopped"]
)
def test_a_copy_that_was_killed_goes_on(
    source: Path, proxy: Proxy, address: str, tmp_path: Path, way: str, end: signal.Signals
) -> None:
    place = parse_place(address)
    one, other = (source, place) if way == "up" else (place, tmp_path / "back")
    if way == "down":
        copy_archive(source, place)
    method = "PUT" if way == "up" else "GET"
    proxy.told.clear()
    proxy.fail(method, "r60m/c/0/0/1", *[hang] * 9)
    words = [sys.executable, "-m", "benforge.cli", "copy", str(one), str(other)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while not any("r60m/c/0/0/1" in path for m, path, _ in proxy.told if m == method):
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(end)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == (-9 if end is signal.SIGKILL else 130), said
    proxy.recover()
    with pytest.raises((ArchiveError, MissingError)):
        Archive.open(other)
    summary = copy_archive(one, other)
    assert 0 < summary.files < len(bytes_of(source))
    assert bytes_of(other) == bytes_of(source)
    found = Archive.open(other)
    assert np.array_equal(found[0].arrays[10], Archive.open(source)[0].arrays[10])
    assert isinstance(found.root, ObjectPath) == (way == "up")
